"""How a model is trained: data in units of the training, the loop, reports, checkpoints and the record."""
