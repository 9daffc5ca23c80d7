"""Answers in files: read back, and kept while a long solve runs."""
