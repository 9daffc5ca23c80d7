"""Exact transport between large point clouds, from coarse to fine."""
