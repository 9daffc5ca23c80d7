"""Small dense problems in one compiled pass: assignment, transportation, and both bounds, from arrays alone."""
