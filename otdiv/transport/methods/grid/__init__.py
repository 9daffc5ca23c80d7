"""Transport on a regular grid as a flow along its edges."""
