"""Exact transport between two groups of one pool of points, for many divisions of the pool."""
