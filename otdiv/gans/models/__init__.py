"""One file for each kind of model; :mod:`otdiv.gans.models.table` lists them."""
