"""Builds slides of notebooks 02 to 05 into build/slides: ``python docs/slides/build.py``, or ``make slides``.

The decks need no network: reveal.js comes with the package sphinx-revealjs, MathJax with sphinx-mathjax-offline, and
both are copied beside them.
"""

from __future__ import annotations

import html
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# The package and the helpers of this clone, whichever is installed.
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "docs" / "site")]

import deck  # noqa: E402
import nbformat  # noqa: E402
import outputs  # noqa: E402

SLIDES = ROOT / "build" / "slides"
FIRST, LAST = 2, 5
"""Numbers of the first and the last notebook that become slides."""


def folder_of(package: str) -> Path:
    """Where a package is installed; it is not imported."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed: pip install -e '.[slides]'")
    return Path(found.origin).parent


def copy_assets(folder: Path) -> None:
    """Copy what every deck loads into ``folder``/assets."""
    assets = folder / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    reveal = folder_of("sphinx_revealjs") / "_static" / "revealjs" / "dist"
    for name in ("reset.css", "reveal.css", "reveal.js"):
        shutil.copy(reveal / name, assets)
    shutil.copy(folder_of("sphinx-mathjax-offline") / "static" / "mathjax" / "tex-svg-full.js", assets)
    for name in ("slides.css", "paging.js"):
        shutil.copy(HERE / name, assets)


def write_decks(notebooks: dict[str, nbformat.NotebookNode], folder: Path) -> None:
    """Write a deck for each notebook, and a page that lists them, into ``folder``."""
    copy_assets(folder)
    listed = ""
    for stem, notebook in notebooks.items():
        title = notebook.cells[0].source.splitlines()[0].lstrip("# ").strip()
        (folder / f"{stem}.html").write_text(deck.deck(notebook, title), encoding="utf-8")
        listed += f'<li><a href="{stem}.html">{html.escape(title)}</a></li>\n'
    page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Slides</title>'
    page += '<body style="font: 20px/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem"><h1>Slides</h1>'
    (folder / "index.html").write_text(f"{page}\n<ul>\n{listed}</ul></body></html>\n", encoding="utf-8")


if __name__ == "__main__":
    scripts = [path for path in outputs.SCRIPTS if FIRST <= int(path.name[:2]) <= LAST]
    shutil.rmtree(SLIDES, ignore_errors=True)
    write_decks(outputs.executed(scripts), SLIDES)
    print(f"{len(scripts)} decks: {SLIDES / 'index.html'}")
