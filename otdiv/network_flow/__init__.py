"""Minimum-cost flow on nodes, arcs and prices: compiled kernels that know neither points nor costs of points."""
