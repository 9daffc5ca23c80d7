"""The solver of small dense problems: costs, solution and both bounds in one compiled pass."""
