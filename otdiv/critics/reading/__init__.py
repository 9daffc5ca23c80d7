"""Any critic as values and gradients at points: modules, functions, and files, which run no code unless trusted."""
