"""The gallery: a page for each notebook with its outputs, and one of cards with a picture of each."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat

MOST_TEXT = 170
"""Letters of a notebook's opening that its card shows, in whole sentences; more make the cards uneven."""
CHOSEN = {"04_farkas_and_strong_duality": 1, "02_emd_primal_dual": 0}
"""Which picture of a notebook stands on its card, counted from 0; the first where nothing is said."""


def pictures(notebook: nbformat.NotebookNode) -> list[bytes]:
    """All pictures among the outputs, in order."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [base64.b64decode(text) for text in texts]


def heading(notebook: nbformat.NotebookNode) -> str:
    """The notebook's title."""
    return notebook.cells[0].source.splitlines()[0].lstrip("# ").strip()


def opening(notebook: nbformat.NotebookNode) -> str:
    """The first whole sentences below the title that fit on a card; those with formulas are too wide."""
    text = " ".join(notebook.cells[0].source.partition("\n\n")[2].split())
    shown = ""
    for sentence in re.findall(r"[^.?!]*[.?!](?= |$)", text.partition("$$")[0]):
        if len(shown) + len(sentence) > MOST_TEXT or re.search(r"\$.*\\", sentence):
            break
        shown += sentence
    return shown.strip()


def card(title: str, link: str, picture: str, text: str) -> str:
    """One card of the grid."""
    image = f":img-top: {picture}\n" if picture else ""
    return f"::::{{grid-item-card}} {title}\n:link: {link}\n{image}\n{text}\n::::\n\n"


def write_gallery(notebooks: dict[str, nbformat.NotebookNode], folder: Path, extra: str = "") -> None:
    """Write gallery/index.md, the pictures of its cards, and notebooks/*.ipynb below ``folder``.

    Parameters
    ----------
    notebooks : dict
        Notebooks with outputs, by stem.
    folder : Path
        Of the site's sources.
    extra : str
        Cards before those of the notebooks.
    """
    images = folder / "gallery" / "images"
    images.mkdir(parents=True, exist_ok=True)
    (folder / "notebooks").mkdir(exist_ok=True)
    cards = extra
    for stem, notebook in notebooks.items():
        nbformat.write(notebook, folder / "notebooks" / f"{stem}.ipynb")
        found = pictures(notebook)
        picture = f"images/{stem}.png" if found else ""
        if found:
            chosen = min(CHOSEN.get(stem, 0), len(found) - 1)
            (folder / "gallery" / picture).write_bytes(found[chosen])
        link = f"../notebooks/{stem}\n:link-type: doc"
        cards += card(heading(notebook), link, picture, opening(notebook))
    listed = "\n".join(f"../notebooks/{stem}" for stem in notebooks)
    text = (
        "# Gallery\n\nEvery picture is drawn by the notebook behind it, from solves that end in assertions of what it "
        "claims.\n\n"
        f":::::{{grid}} 1 1 2 2\n:gutter: 3\n:class-container: gallery\n\n{cards}:::::\n\n"
        f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )
    (folder / "gallery" / "index.md").write_text(text, encoding="utf-8")
