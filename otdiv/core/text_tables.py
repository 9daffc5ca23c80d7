"""Tables of records, for a terminal and for a notebook."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Headers, rows of text, and what is said below."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    numeric: Sequence[int] = ()
    """Columns set to the right."""

    def rich(self) -> object:
        """As a rich table, for printing in colour."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            title=Text(self.title, style="bold") if self.title else None, box=box.SIMPLE_HEAD, title_justify="left"
        )
        for k, header in enumerate(self.headers):
            table.add_column(
                Text(header), justify="right" if k in self.numeric else "left", no_wrap=k != len(self.headers) - 1
            )
        for row in self.rows:
            table.add_row(*[Text(cell, style="red" if cell in ("NO", "inf") else "") for cell in row])
        return table

    def text(self, width: int = 100) -> str:
        """As plain text of at most ``width`` columns, notes below."""
        import io

        from rich.console import Console

        stream = io.StringIO()
        console = Console(file=stream, width=width, color_system=None)
        console.print(self.rich() if self.rows else self.title)
        for note in self.notes:
            console.print(note, markup=False, emoji=False, highlight=False)
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())

    def html(self) -> str:
        """As an HTML table, notes below."""

        def cells(tag: str, row: Sequence[str]) -> str:
            sides = ("right" if k in self.numeric else "left" for k in range(len(row)))
            return "".join(
                f'<{tag} style="text-align:{side}">{html.escape(cell)}</{tag}>'
                for side, cell in zip(sides, row, strict=True)
            )

        head = cells("th", self.headers)
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        title = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def number(value: float, digits: int = 10) -> str:
    """A float for people: inf in words, the rest to ``digits`` significant digits."""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:.{digits}g}"


def json_number(value: float) -> float | str:
    """A float for JSON, which knows no infinity: inf becomes the string "inf"."""
    return value if math.isfinite(value) else number(value)
