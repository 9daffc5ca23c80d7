"""Exact partial transport: how much of one sample can be matched to another at a price, and what follows from it."""
