"""Known problems, and a reference in exact arithmetic."""
