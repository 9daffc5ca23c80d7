# make demo, make test: each does everything on a fresh machine with Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ALONE := build/alone
SITE_READY := $(VENV)/.ready-docs

.PHONY: demo test long smoke lint bench wheel page docs slides notebooks clean
.DEFAULT_GOAL := demo

$(READY): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/otdiv demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long"

# What takes tens of seconds each: notebooks that train generators, and the like.
long: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m long

# A subset of under a minute on 2 cores, for the time between two edits.
smoke: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/run.py

# docs/duality.html from its sources; needs nothing but Python.
page:
	$(PYTHON) docs/duality/build.py

$(SITE_READY): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs,slides]'
	touch $(SITE_READY)

# The documentation in build/site; warnings and dead links are errors.
docs: $(SITE_READY)
	$(BIN)/python docs/site/build.py

# Notebooks 02 to 05 as slides in build/slides.
slides: $(SITE_READY)
	$(BIN)/python docs/slides/build.py

# JupyterLab on the notebooks, which lie beside their scripts with their outputs.
notebooks: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab]'
	$(BIN)/jupyter lab notebooks

# The wheel by itself, without extras, in an environment of its own.
wheel: $(READY)
	rm -rf build dist
	$(PYTHON) -m venv $(ALONE)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(ALONE)/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	cd $(ALONE) && bin/otdiv lecture > lecture.txt && tail -n 1 lecture.txt
	cd $(ALONE) && printf '0\n1\n' > a.csv && printf '2\n3\n' > b.csv && bin/otdiv emd a.csv b.csv

clean:
	rm -rf $(VENV) otdiv-demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find otdiv -name '*.nbi' -delete -o -name '*.nbc' -delete
