"""Exact optimal transport: independent methods, one answer record, one auditor."""
