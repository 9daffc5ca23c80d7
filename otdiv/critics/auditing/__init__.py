"""The audit of any critic, whatever trained it."""
