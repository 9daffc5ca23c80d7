"""Pricing: the arcs of lowest reduced cost among all pairs, without evaluating all pairs."""
