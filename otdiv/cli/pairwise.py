"""``otdiv pairwise``: the distances of all pairs of the files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from otdiv.cli._options import NORMALIZE, table_options
from otdiv.cli._print import Stop, print_text
from otdiv.core.text_tables import number
from otdiv.core.validation import invalid
from otdiv.distance_matrix import pairwise
from otdiv.files.writing import require_writable
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.files import read_measure
from otdiv.measures.pictures import IMAGES

_KINDS = {".npy", ".npz", ".csv", ".tsv", ".parquet", *IMAGES}


@click.command("pairwise")
@click.argument("folder", metavar="DIR")
@click.option("--out", required=True, metavar="FILE", help="Where the matrix is written (.npz).")
@click.option("--metric", default="euclidean", show_default=True, help="Of points, for W_p; or energy, js, kl, ...")
@click.option("--p", default=1.0, show_default=True, help="Order of W_p.")
@click.option("--store", metavar="FOLDER", help="Keep results as they come, and resume there.")
@click.option("--workers", type=int, help="Processes; default: threads of this one.")
@click.option("--scheduler", metavar="ADDRESS", help="Of dask, whose workers compute: tcp://127.0.0.1:8786.")
@click.option("--threads", type=int, help="Default: every processor the process may use.")
@click.option("--progress", is_flag=True, help="Show how far it is, on standard error.")
@table_options
@NORMALIZE
def pairwise_command(folder: str, out: str, table: dict[str, Any], **options: Any) -> None:
    """Distances between all measures in a folder, one in each file, by the order of their names.

    The .npz holds values, lower, upper and status [k, k], and files [k].  Exit code 0; 1 where an interval is wider
    than asked for.
    """
    require_writable(out, "--out", (".npz",))
    paths = _files(folder, Path(out))
    measures = [_read(path, table) for path in paths]
    result = pairwise(measures, **options)
    result.save(out, files=[path.name for path in paths])
    k = len(paths)
    above = result.values[~np.eye(k, dtype=bool)] if k > 1 else np.zeros(1)
    print_text(
        f"{k} measures, {k * (k - 1) // 2} pairs, metric {result.metric}, p = {result.p:g}: "
        f"{number(float(above.min()), 6)} to {number(float(above.max()), 6)}, median "
        f"{number(float(np.median(above)), 6)}, in {number(result.seconds, 3)} s.\nwritten to {out}"
    )
    if result.certified is not None and not result.certified.all():
        raise Stop(1)


def _files(folder: str, out: Path) -> list[Path]:
    """The readable files of the folder in the order of their names, but for the one to be written."""
    if not Path(folder).is_dir():
        raise invalid("DIR", "be a folder", repr(folder), "Give the folder that holds one file for each measure.")
    found = [path for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in _KINDS and path.is_file()]
    found = [path for path in found if path.resolve() != out.resolve()]
    if len(found) < 2:
        kinds = ", ".join(sorted(_KINDS))
        raise invalid("DIR", f"hold at least two files of {kinds}", str(len(found)), "Check the folder.")
    return found


def _read(path: Path, table: dict[str, Any]) -> DiscreteMeasure:
    return read_measure(path, **(table if path.suffix.lower() in (".csv", ".tsv", ".parquet") else {}))
