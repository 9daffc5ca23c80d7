"""Pricing: the arcs of lowest reduced cost among all pairs, without looking at all pairs."""
