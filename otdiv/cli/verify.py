"""``otdiv verify``: check a saved certificate from scratch."""

from __future__ import annotations

import click

from otdiv.cli._options import JSON
from otdiv.cli._print import print_json
from otdiv.core.text_tables import json_number
from otdiv.verification.verify import LEVELS, verify


@click.command("verify")
@click.argument("file")
@click.option("--level", type=click.Choice(LEVELS), default="auto", show_default=True, help="Exact if within a minute.")
@JSON
def verify_command(file: str, level: str, as_json: bool) -> None:
    """Check a saved certificate from scratch and print the interval it proves."""
    checked = verify(file, level=level)
    if as_json:
        print_json({key: json_number(v) if isinstance(v, float) else v for key, v in checked.to_dict().items()})
        return
    how = "integer arithmetic, nothing rounded" if checked.level == "exact" else "float64, all rounding outward"
    click.echo(f"proved     [{checked.bounds.lower!r}, {checked.bounds.upper!r}]   gap {checked.bounds.gap:.2g}")
    click.echo(f"claimed    [{checked.claimed.lower!r}, {checked.claimed.upper!r}]   confirmed")
    click.echo(f"level      {checked.level}: {how}; {checked.seconds:.2g} s")
    if checked.level == "float":
        click.echo(f"exact      would take about {checked.exact_seconds:.2g} s (--level exact)")
    click.echo(f"about      {checked.n} against {checked.m} points, {checked.about}")
