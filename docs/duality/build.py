"""Writes docs/duality.html, one file without references to others, from the sources beside this script.

``python docs/duality/build.py``, or ``make page``; needs nothing but Python.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parent / "duality.html"
SCRIPTS = ("model.js", "state.js", "draw.js", "controls.js", "bars.js")
"""In the order in which they use one another."""


def read(name: str) -> str:
    """The text of a source file."""
    return (FOLDER / name).read_text(encoding="utf-8").rstrip()


def built() -> str:
    """The whole page: the style and the scripts stand in their places of page.html."""
    page = read("page.html")
    parts = {"/*STYLE*/": read("style.css"), "/*SCRIPT*/": "\n\n".join(read(name) for name in SCRIPTS)}
    for place, text in parts.items():
        if page.count(place) != 1:
            raise ValueError(f"page.html must name {place} once")
        if "</script" in text or "</style" in text:
            raise ValueError(f"what stands for {place} must not close its element")
        page = page.replace(place, text)
    return page + "\n"


if __name__ == "__main__":
    PAGE.write_text(built(), encoding="utf-8")
    print(f"{PAGE.name}: {PAGE.stat().st_size / 1000:.0f} kB")
