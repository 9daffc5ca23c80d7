"""``otdiv compare``: what changed from one table to another; or every distance of two files."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from otdiv.cli._options import COST_HELP, JSON, NORMALIZE, read_pair, table_options
from otdiv.cli._print import Stop, print_json, print_text, save_answer, show
from otdiv.core.validation import invalid
from otdiv.files.writing import require_writable

_CONDITION = re.compile(r"\s*(p|distance)\s*(<=|>=|<|>)\s*(\d*\.?\d+([eE][+-]?\d+)?)\s*")
_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@click.command("compare")
@click.argument("a")
@click.argument("b")
@click.option(
    "--missing",
    type=click.Choice(("refuse", "drop", "category")),
    default="refuse",
    show_default=True,
    help="Empty cells: an error with the counts, rows left out, or a value of their own.",
)
@click.option("--category", metavar="NAMES", help="Columns of numbers or dates that are categories.")
@click.option(
    "--number", metavar="NAMES", help="Columns of numbers that are measured although they look like row numbers."
)
@click.option("--identifier", metavar="NAMES", help="Columns that name rows and are not measured.")
@click.option(
    "--units",
    type=click.Choice(("standard deviations", "raw")),
    default="standard deviations",
    show_default=True,
    help="Of the distances of numbers and dates.",
)
@click.option("--divergences", metavar="NAMES", help="Estimate these of the rows too: js, tv, kl, hellinger.")
@click.option("--report", metavar="FILE", help="Write the answer with pictures as one page (.html).")
@click.option("--fail-if", metavar="CONDITION", help="Exit code 1 where it holds, such as 'p < 0.01'.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of permutations and samples.")
@click.option("--all", "every", is_flag=True, help="Every distance in one table instead; so do the options below.")
@click.option("--cost", default=None, help="The metric of W1 and W2, default euclidean: " + COST_HELP)
@click.option(
    "--bins", type=int, help="Count both in this many cells along each coordinate before KL, JS and the like."
)
@click.option("--critic", is_flag=True, help="Cross-check W1 by a neural critic (needs torch).")
@table_options
@NORMALIZE
@JSON
def compare_command(
    a: str,
    b: str,
    every: bool,
    cost: str | None,
    bins: int | None,
    critic: bool,
    table: dict[str, Any],
    normalize: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """What changed from table A to table B: whether, how far, in which columns.

    Columns are matched by name; numbers, dates and texts are compared each in their kind.  With --all, --cost, --bins,
    --critic, --weights or --normalize: every distance of two measures in one table.  Exit code 0; 1 where --fail-if
    holds, or a distance is not certified; 2 for bad input.
    """
    if every or cost or bins is not None or critic or normalize or table["weights"] is not None:
        _every_distance(a, b, cost or "euclidean", bins, critic, table, normalize, as_json)
    else:
        _what_changed(a, b, table, as_json, **options)


def _what_changed(
    a: str,
    b: str,
    table: dict[str, Any],
    as_json: bool,
    *,
    missing: str,
    category: str | None,
    number: str | None,
    identifier: str | None,
    units: str,
    divergences: str | None,
    report: str | None,
    fail_if: str | None,
    seed: int,
) -> None:
    from otdiv.drift import compare_tables
    from otdiv.measures.tables import TableOptions

    holds = None if fail_if is None else _condition(fail_if)
    if report is not None:
        require_writable(report, "--report", (".html",))
    declared = {"category": category, "number": number, "identifier": identifier}
    kinds = {name: kind for kind, names in declared.items() for name in _names(names)}
    found = compare_tables(
        a,
        b,
        kinds=kinds,
        missing=missing,
        units=units,
        divergences=_names(divergences),
        rng=seed,
        options=TableOptions(**table),
    )
    if as_json:
        print_json(found.to_dict(), (a, b))
    else:
        print_text(found.table().text(140))
    if report is not None:
        from otdiv.report.drift_page import drift_page
        from otdiv.report.html import write_page

        save_answer("--report", lambda: write_page(Path(report), drift_page(found)))
    if holds is not None and holds({"p": found.p_value, "distance": found.distance}):
        raise Stop(1)


def _names(text: str | None) -> list[str]:
    return [] if text is None else [name.strip() for name in text.split(",")]


def _condition(text: str) -> Callable[[dict[str, float]], bool]:
    """What ``--fail-if`` asks about p or the mean distance of the columns."""
    read = _CONDITION.fullmatch(text)
    if read is None:
        raise invalid("--fail-if", "be 'p < NUMBER' or 'distance > NUMBER'", repr(text), "For example 'p < 0.01'.")
    name, relation, limit = read[1], read[2], float(read[3])
    return lambda values: _RELATIONS[relation](values[name], limit)


def _every_distance(
    a: str,
    b: str,
    cost: str,
    bins: int | None,
    critic: bool,
    table: dict[str, Any],
    normalize: bool,
    as_json: bool,
) -> None:
    from otdiv.comparison import compare_all

    x, y = read_pair(a, b, table)
    result = compare_all(x, y, metric=cost, bins=bins, normalize=normalize, critic=critic)
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
