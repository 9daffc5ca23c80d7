"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from otdiv.costs import POINT_COSTS
from otdiv.files.writing import require_writable
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.files import read_cost, read_measure
from otdiv.plots.style import PICTURES

_TABLE = (
    click.option(
        "--weights", metavar="COLUMN", help="Column (name, or number from 0) or .npz array that holds the weights."
    ),
    click.option("--columns", metavar="NAMES", help="Columns that are coordinates, separated by commas; default all."),
    click.option("--index", metavar="COLUMN", help="A column of row names, which is left out."),
    click.option("--header/--no-header", default=None, help="Whether the first row holds names; default: if it can."),
    click.option("--delimiter", metavar="CHARACTER", help="Between columns; default a comma, in .tsv a tab."),
    click.option("--decimal", type=click.Choice((".", ",")), default=".", show_default=True, help="Decimal point."),
)


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of tables; it gets them as one argument ``table`` for :func:`read_pair`."""

    @functools.wraps(function)
    def command(*args: Any, columns: str | None, **options: Any) -> Any:
        names = ("weights", "index", "header", "delimiter", "decimal")
        table = {name: options.pop(name) for name in names}
        table["columns"] = None if columns is None else columns.split(",")
        return function(*args, table=table, **options)

    for option in reversed(_TABLE):
        command = option(command)
    return command


def read_pair(a: str, b: str, table: dict[str, Any]) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """The measures of two files; that columns stand in another order is said, since they are matched by name."""
    x, y = read_measure(a, **table), read_measure(b, **table)
    if x.names and y.names and x.names != y.names and sorted(x.names) == sorted(y.names):
        click.echo(f"otdiv: the columns of {Path(b).name} are matched by name: {', '.join(x.names)}.", err=True)
    return x, y


NORMALIZE = click.option("--normalize", is_flag=True, help="Scale both weights to total 1.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
COST_FILE_HELP = "a matrix (.npy), or a sparse one (.npz) whose missing entries are forbidden."
COST_HELP = f"{', '.join(POINT_COSTS)}, or minkowski:p."


def require_targets(*, save: str | None = None, save_as: str = ".npz", figure: str | None = None) -> None:
    """Refuse the files of ``--save`` and ``--figure`` that cannot be written before the work is done, not after."""
    if save is not None:
        require_writable(save, "--save", (save_as,))
    if figure is not None:
        require_writable(figure, "--figure", PICTURES)


def read_cost_option(cost: str) -> Any:
    """What ``--cost`` names: the matrix in a file, or the name of a cost as it is."""
    return read_cost(cost) if Path(cost).suffix in (".npy", ".npz") else cost
