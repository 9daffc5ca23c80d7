"""One self-contained HTML page from tables and figures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from otdiv.core.text_tables import Table
from otdiv.files.writing import write_whole
from otdiv.plots.style import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; display: block; overflow-x: auto; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
td:first-child, td:last-child { white-space: normal; overflow-wrap: anywhere; }
td:first-child { min-width: 5rem; }
td:last-child { min-width: 10rem; }
th { border-bottom: 2px solid #444; }
img { max-width: 100%; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.4rem; }
@media (max-width: 40rem) {
  body { margin: 1rem auto; }
  h1 { font-size: 1.5rem; }
  h2 { font-size: 1.2rem; }
  table { font-size: 0.8rem; }
  th, td { padding: 0.2rem 0.35rem; white-space: normal; }
}
"""


@dataclass(frozen=True)
class Section:
    """A heading, its text, and the tables and figures below it."""

    heading: str
    text: str
    tables: Sequence[Table] = ()
    figures: Sequence[tuple[str, Figure]] = ()
    """Pairs (description, figure)."""


def page(title: str, sections: Sequence[Section]) -> str:
    """The page as one HTML text, figures embedded."""
    body = "".join(_section(section) for section in sections)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )


def write_page(path: Path, text: str) -> None:
    """Write a page, whole or not at all."""
    with write_whole(path) as stream:
        stream.write(text.encode())


def _section(section: Section) -> str:
    pictures = "".join(
        f'<p><img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(png(figure)).decode()}"></p>'
        for alt, figure in section.figures
    )
    tables = "".join(table.html() for table in section.tables)
    return f"<h2>{html.escape(section.heading)}</h2><p>{html.escape(section.text)}</p>{tables}{pictures}"
