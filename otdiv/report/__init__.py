"""The demonstration, and the page it writes."""
