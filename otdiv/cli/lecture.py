"""``otdiv lecture``: the lecture's examples, computed beside known."""

from __future__ import annotations

import click

from otdiv.cli._options import JSON
from otdiv.cli._print import Stop, print_json, show
from otdiv.core.text_tables import json_number


@click.command("lecture")
@click.argument("items", nargs=-1)
@JSON
def lecture_command(items: tuple[str, ...], as_json: bool) -> None:
    """The lecture's examples, computed beside known; ITEMS such as S7 R1 select some."""
    from otdiv import lecture
    from otdiv.report.demo import lecture_table

    rows = list(lecture.rows(items or None))
    if as_json:
        table = [
            {
                "item": row.item,
                "name": row.name,
                "computed": json_number(row.computed),
                "expected": json_number(row.expected),
                "ok": row.ok,
            }
            for row in rows
        ]
        print_json({"rows": table, "ok": all(row.ok for row in rows)})
    else:
        show(lecture_table(rows))
    if not all(row.ok for row in rows):
        raise Stop(1)
