"""Every notebook runs from top to bottom on a fresh kernel, without a warning, and ends in asserts."""

from __future__ import annotations

import ast
import os
import warnings
from pathlib import Path

import pytest

import otdiv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these packages say of each other at import is not about the notebooks
    import jupytext
    import nbclient
    import nbformat

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))
TIMEOUT = 120
LONG = ("06", "07", "08", "09", "10", "11", "12", "13")
"""Notebooks that train networks, solve large problems or repeat tests many times."""
STRICT = "import warnings\nwarnings.simplefilter('error')"


def executed(notebook, folder, timeout=TIMEOUT):
    """Run all cells in a new kernel that starts in ``folder``; an error or a warning in a cell raises."""
    notebook = nbformat.from_dict(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    client = nbclient.NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.execute()
    return notebook


@pytest.fixture(autouse=True)
def quiet_kernel(monkeypatch, tmp_path):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(otdiv.__file__).parents[1]))  # the package that is being tested


def code_cells(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def ends_in_asserts(notebook):
    """Whether the last code cell asserts something."""
    last = code_cells(notebook)[-1]
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(last)))


def test_there_are_notebooks():
    names = [path.name for path in NOTEBOOKS]
    assert len(names) >= 5 and names[0].startswith("01_")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.long] * (path.name[:2] in LONG), id=path.stem) for path in NOTEBOOKS],
)
def test_notebook_runs_and_ends_in_asserts(path, tmp_path):
    notebook = jupytext.read(path)
    assert ends_in_asserts(notebook), f"{path.name} must end in a code cell that asserts what its prose claims"
    assert notebook.cells[0].cell_type == "markdown", f"{path.name} must begin with words"
    done = executed(notebook, tmp_path)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code" and cell.source.strip())
    written = [name for name in os.listdir(tmp_path) if name != "ipython"]
    assert written == [], f"{path.name} leaves files behind: {written}"


def out_of_step(script, notebook):
    """What a notebook with outputs lacks to be that of the script; empty if nothing."""
    cells = [(cell.cell_type, cell.source.strip()) for cell in script.cells if cell.source.strip()]
    if cells != [(cell.cell_type, cell.source.strip()) for cell in notebook.cells if cell.source.strip()]:
        return "other cells than the script: run docs/notebooks/build.py"
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        return "cells that were not run, or not in order"
    kinds = {output.output_type for cell in code for output in cell.outputs}
    return "an error among its outputs" if "error" in kinds else ""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_with_outputs_is_in_step(path):
    beside = path.with_suffix(".ipynb")
    notebook = nbformat.read(beside, as_version=4)
    nbformat.validate(notebook)
    assert out_of_step(jupytext.read(path), notebook) == ""
    assert beside.stat().st_size < 2**20, "of a size that loads where people browse code"


def test_a_notebook_out_of_step_is_seen():
    path = NOTEBOOKS[1]
    script, notebook = jupytext.read(path), nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[3].execution_count = 99
    assert "not run, or not in order" in out_of_step(script, notebook)
    code[3].execution_count = 4
    code[2].outputs.append(nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]))
    assert "error" in out_of_step(script, notebook)
    code[2].source += "\n1 + 1"
    assert "other cells" in out_of_step(script, notebook)


def small(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("assert 1 + 1 == 3, 'no'", "AssertionError"),
        ("import numpy as np\nnp.log(np.zeros(1))", "RuntimeWarning"),
        ("value", "NameError"),
    ],
)
def test_a_notebook_whose_last_cell_is_false_fails(tmp_path, source, reason):
    with pytest.raises(nbclient.exceptions.CellExecutionError, match=reason):
        executed(small("x = 1", source), tmp_path)


def test_a_notebook_without_asserts_is_seen():
    assert ends_in_asserts(small("x = 1", "assert x"))
    assert not ends_in_asserts(
        small("assert x", "print('assert')")
    )  # an earlier assert, and the word alone, do not count
