"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otdiv.costs import POINT_COSTS
from otdiv.files.writing import require_writable
from otdiv.measures.files import read_cost
from otdiv.plots.style import PICTURES

WEIGHTS = click.option(
    "--weights", metavar="COLUMN", help="Column (name, or number from 0) or .npz array that holds the weights."
)
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
