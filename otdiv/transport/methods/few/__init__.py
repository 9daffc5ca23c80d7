"""Few points against many: shortest augmenting paths on a graph of the few."""
