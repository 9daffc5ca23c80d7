"""Files of unknown origin read within limits, and files written whole or not at all."""
