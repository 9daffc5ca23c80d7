"""Notebooks with outputs: those kept beside the scripts where they are in step, else run once and kept in build/."""

from __future__ import annotations

import hashlib
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what these packages say of each other at import is not about the notebooks
    import jupytext
    import nbclient
    import nbformat

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
CACHE = ROOT / "build" / "notebooks"
TIMEOUT = 600
"""Seconds for one cell; a larger value lets a cell that hangs hold the build longer."""
SLOW = {"06", "07", "08", "09", "10", "11", "13"}
"""Numbers of the notebooks that train critics or solve large problems, up to minutes; the others take some seconds."""
AT_ONCE = 2
"""Notebooks that run at the same time, each in a kernel of its own; more need more memory."""


def code_of(notebook: nbformat.NotebookNode) -> list[str]:
    """The sources of the cells that are not empty, which decide whether two notebooks say the same."""
    return [cell.source.strip() for cell in notebook.cells if cell.source.strip()]


def has_outputs(notebook: nbformat.NotebookNode) -> bool:
    """Whether every code cell was run."""
    return all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip())


def kept(script: Path) -> nbformat.NotebookNode | None:
    """The notebook with outputs beside the script, if there is one and its cells are those of the script."""
    path = script.with_suffix(".ipynb")
    if not path.exists():
        return None
    stored = nbformat.read(path, as_version=4)
    return stored if has_outputs(stored) and code_of(stored) == code_of(jupytext.read(script)) else None


def place_of(script: Path) -> Path:
    """Where a notebook that was run is kept until the script or the package changes."""
    digest = hashlib.sha256(script.read_bytes())
    for source in sorted((ROOT / "otdiv").rglob("*.py")):
        digest.update(source.read_bytes())
    return CACHE / f"{script.stem}-{digest.hexdigest()[:16]}.ipynb"


def run(script: Path) -> nbformat.NotebookNode:
    """The notebook run from top to bottom on a fresh kernel, and kept in build/."""
    path = place_of(script)
    CACHE.mkdir(parents=True, exist_ok=True)
    notebook = jupytext.read(script)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(
            notebook,
            timeout=TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(CACHE)}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no notice about the machine's own ports
        ).execute()
    unfinished = path.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)
    return notebook


def found_or_run(script: Path, slow: bool) -> nbformat.NotebookNode:
    """The notebook with the outputs that are kept, else run; a slow one is run only where ``slow`` asks for it."""
    stored = kept(script)
    if stored is not None:
        return stored
    if place_of(script).exists():
        return nbformat.read(place_of(script), as_version=4)
    if script.name[:2] in SLOW and not slow:
        print(f"{script.name}: shown without outputs; --slow runs it")
        return jupytext.read(script)
    return run(script)


def executed(scripts: list[Path] = SCRIPTS, slow: bool = False) -> dict[str, nbformat.NotebookNode]:
    """Notebooks by the stem of their scripts, with outputs, slow ones only if these are kept or ``slow`` is set."""
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    # The package of this clone, whichever is installed.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda script: found_or_run(script, slow), scripts))
    return dict(zip([script.stem for script in scripts], found, strict=True))
