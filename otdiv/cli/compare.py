"""``otdiv compare``: every distance of two files in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otdiv.cli._options import COST_HELP, JSON, NORMALIZE, read_pair, table_options
from otdiv.cli._print import Stop, print_json, show


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option("--cost", default="euclidean", show_default=True, help="The metric of W1 and W2: " + COST_HELP)
@click.option(
    "--bins", type=int, help="Count both in this many cells along each coordinate before KL, JS and the like."
)
@click.option("--critic", is_flag=True, help="Cross-check W1 by a neural critic (needs torch).")
@table_options
@NORMALIZE
@JSON
def compare_command(
    a: str, b: str, cost: str, bins: int | None, critic: bool, table: dict[str, Any], normalize: bool, as_json: bool
) -> None:
    """Every distance between the measures in files A and B, in one table."""
    from otdiv.comparison import compare

    x, y = read_pair(a, b, table)
    result = compare(x, y, metric=cost, bins=bins, normalize=normalize, critic=critic)
    if as_json:
        print_json(result.to_dict(), (a, b))
    else:
        show(
            result.table(
                f"{Path(a).name} against {Path(b).name}: {result.mu.n} and {result.nu.n} points, d = {result.mu.d}"
            )
        )
    doubted = result.critic is not None and not result.critic.believed
    if not result.transport.status.certified or doubted:
        raise Stop(1)
