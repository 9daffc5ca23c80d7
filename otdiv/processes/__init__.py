"""Compiled calls of other packages in a process of their own, which can be ended at any moment."""
