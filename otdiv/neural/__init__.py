"""Networks and their training, shared by critics and generators.  Needs torch."""
