"""Run the notebooks, and keep them with their outputs: ``python docs/notebooks/build.py [02 04 ...]``.

A notebook that is in step with its script and has its outputs is left as it is; ``--again`` runs it all the same.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))

import nbformat  # noqa: E402  # after the folder above is on the path
from outputs import SCRIPTS, executed, kept, place_of  # noqa: E402


def tidied(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same notebook with nothing in it that differs from run to run but its numbers: no times, counted names."""
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{k:02d}"
        cell.metadata.pop("execution", None)
        cell.metadata.pop("lines_to_next_cell", None)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    return notebook


def main() -> None:
    """Run those that are asked for, two at a time, and write them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("numbers", nargs="*", help="first digits of the notebooks, such as 02; all of them if none")
    options.add_argument("--again", action="store_true", help="run those as well that are in step with their scripts")
    given = options.parse_args()
    scripts = [path for path in SCRIPTS if not given.numbers or path.name[:2] in given.numbers]
    scripts = [path for path in scripts if given.again or kept(path) is None]
    for script in scripts:
        script.with_suffix(".ipynb").unlink(missing_ok=True)
        if given.again:
            place_of(script).unlink(missing_ok=True)
    for stem, notebook in executed(scripts, slow=True).items():
        path = ROOT / "notebooks" / f"{stem}.ipynb"
        nbformat.write(tidied(notebook), path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
