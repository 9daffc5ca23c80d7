"""The audit of any critic, trained by anyone."""
