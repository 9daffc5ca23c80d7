"""The training of a critic."""
