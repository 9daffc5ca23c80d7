"""``otdiv judge``: how good generated samples are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otdiv.cli._options import JSON, read_pair, table_options
from otdiv.cli._print import Stop, print_json, print_text, save_answer
from otdiv.core.validation import invalid
from otdiv.files.writing import require_writable
from otdiv.measures.discrete import DiscreteMeasure, with_same_columns
from otdiv.measures.files import read_measure


@click.command("judge")
@click.argument("real")
@click.argument("generated")
@click.option("--train", metavar="FILE", help="Training points: does the generator repeat them? REAL is then held out.")
@click.option("--centres", metavar="FILE", help="Centres of the modes, one in each row.")
@click.option("--sd", type=float, metavar="S", help="Standard deviation of the modes; with --centres.")
@click.option(
    "--least-share", type=float, default=0.0, show_default=True, help="Of its fair share: a mode is captured."
)
@click.option(
    "--units",
    type=click.Choice(("raw", "standard deviations")),
    default="raw",
    show_default=True,
    help="Of all distances; standard deviations are those of REAL, column by column.",
)
@click.option(
    "--decimals", is_flag=True, help="Values with more decimals than REAL has count as unmatched; for tables."
)
@click.option("--permutations", type=int, default=199, show_default=True, help="Of the tests; 0 leaves them out.")
@click.option("--points", type=int, help="Points to draw from a saved generator; default: as many as REAL has.")
@click.option("--report", metavar="FILE", help="Write the answer with pictures as one page (.html).")
@click.option("--seed", type=int, default=0, show_default=True, help="Of divisions, blocks and permutations.")
@table_options
@JSON
def judge_command(
    real: str,
    generated: str,
    train: str | None,
    centres: str | None,
    points: int | None,
    report: str | None,
    table: dict[str, Any],
    as_json: bool,
    **options: Any,
) -> None:
    """How good are the GENERATED points, one a row, against REAL ones: exact distance, fidelity, diversity, modes.

    GENERATED may also be a generator that otdiv saved (.pt).
    Exit code 0; 1 where the distance is not certified; 2 for bad input.
    """
    if report is not None:
        require_writable(report, "--report", (".html",))
    if table["weights"] is not None:
        raise invalid("--weights", "be left out", repr(table["weights"]), "Samples are points that count the same.")
    if points is not None and Path(generated).suffix.lower() != ".pt":
        raise invalid("--points", "be left out unless GENERATED is a saved generator", str(points), "All are judged.")
    x, made = _read(real, generated, table)
    read: dict[str, Any] = {
        "train": None if train is None else _points(read_measure(train, **table), train, x, real),
        "modes": None if centres is None else _points(read_measure(centres, **table), centres, x, real),
    }
    if read["modes"] is None and options["sd"] is not None:
        raise invalid("--sd", "stand beside --centres", str(options["sd"]), "Add --centres FILE.")
    from otdiv.sample_quality import judge

    found = judge(_points(x, real, x, real), made, n=points, **read, **options)
    names = Path(real).name, Path(generated).name
    if as_json:
        print_json(found.to_dict(), (real, generated, *(name for name in (train, centres) if name)))
    else:
        sizes = f"{found.transport.m} and {found.transport.n} points, d = {x.d}"
        print_text(found.table(f"{names[1]} against {names[0]}: {sizes}").text(120))
    if report is not None:
        from otdiv.report.html import write_page
        from otdiv.report.judge_page import judge_page

        save_answer("--report", lambda: write_page(Path(report), judge_page(found, names)))
    if not found.status.certified:
        raise Stop(1)


def _read(real: str, generated: str, table: dict[str, Any]) -> tuple[DiscreteMeasure, Any]:
    """The real sample, and the generated points or a saved generator of as many columns."""
    if Path(generated).suffix.lower() != ".pt":
        x, y = read_pair(real, generated, table)
        return x, _points(y, generated, x, real)
    from otdiv.gans import load_generator

    x, generator = read_measure(real, **table), load_generator(generated)
    _require_columns(generator.d, generated, x, real)
    return x, generator


def _require_columns(d: int, path: str, like: DiscreteMeasure, real: str) -> None:
    """Refuse a file of other columns than the real one has.

    Raises
    ------
    InvalidInput
    """
    if d != like.d:
        received = f"{d}, where it has {like.d}"
        raise invalid(Path(path).name, f"have the columns of {Path(real).name}", received, "Select the same columns.")


def _points(measure: DiscreteMeasure, path: str, like: DiscreteMeasure, real: str) -> Any:
    """The points of a file, in the columns of the real ones.

    Raises
    ------
    InvalidInput
        Other columns, or an .npz with weights that differ.
    """
    _require_columns(measure.d, path, like, real)
    if measure.weights.max() > measure.weights.min():
        raise invalid(Path(path).name, "hold points that count the same", "weights that differ", "Leave them out.")
    return with_same_columns(like, measure).points
