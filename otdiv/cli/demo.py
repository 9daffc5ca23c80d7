"""``otdiv demo``: tables, two real comparisons, pictures and a page."""

from __future__ import annotations

from pathlib import Path

import click

from otdiv.cli._options import JSON
from otdiv.cli._print import Stop, print_json, print_text, show


@click.command("demo")
@click.option("--output", default="otdiv-demo", show_default=True, help="Folder for the pictures and the page.")
@JSON
def demo_command(output: str, as_json: bool) -> None:
    """The lecture's table, two real comparisons, pictures and an HTML page, in under a minute."""
    from otdiv.report.demo import run_demo

    result = run_demo(Path(output), (lambda table: None) if as_json else show)
    if as_json:
        print_json({"mismatches": result.mismatches, "certified": result.certified, "page": str(result.page)})
    else:
        print_text(f"\nPictures and page: {result.page}")
    if result.mismatches or not result.certified:
        raise Stop(1)
