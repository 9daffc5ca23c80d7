"""``otdiv verify``: check a saved certificate from scratch."""

from __future__ import annotations

from typing import Any

import click

from otdiv.cli._options import COST_FILE_HELP, COST_HELP, JSON, NORMALIZE, read_cost_option, read_pair, table_options
from otdiv.cli._print import print_json, print_text
from otdiv.core.text_tables import json_number, number
from otdiv.core.validation import invalid
from otdiv.costs import as_cost
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.solve import measures_of
from otdiv.transport.stated_problem import require_proof_of
from otdiv.verification.file import load_proof
from otdiv.verification.verify import LEVELS, Verification, verify

_HOW = {
    "exact": "integer arithmetic, nothing rounded",
    "float": "float64 for the clear pairs, integer arithmetic for the close ones",
}


@click.command("verify")
@click.argument("file")
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option("--level", type=click.Choice(LEVELS), default="auto", show_default=True, help="Exact if within a minute.")
@click.option("--cost", default="euclidean", show_default=True, help=COST_HELP + " Or a file: " + COST_FILE_HELP)
@table_options
@NORMALIZE
@JSON
def verify_command(
    file: str,
    a: str | None,
    b: str | None,
    level: str,
    cost: str,
    table: dict[str, Any],
    normalize: bool,
    as_json: bool,
) -> None:
    """Check a saved certificate from scratch and print the interval it proves.

    With the files A and B: check also that it is about these two measures and this cost.
    """
    proof = load_proof(file)
    if a is not None:
        if b is None:
            raise invalid("B", "be given beside A", "A alone", "Give both files, or none.")
        ground = as_cost(read_cost_option(cost))
        x, y = read_pair(a, b, table)
        mu, nu = measures_of(x, y, None, None, cost=ground, normalize=normalize)
        require_proof_of(proof, TransportProblem(mu, nu, ground))
    checked = verify(proof, level=level)
    if as_json:
        content = {key: json_number(v) if isinstance(v, float) else v for key, v in checked.to_dict().items()}
        print_json({"certificate": file, **content}, () if a is None or b is None else (a, b))
    else:
        print_text(_described(checked, None if a is None else f"{a} and {b}"))


def _described(checked: Verification, files: str | None) -> str:
    lines = [
        f"proved     [{checked.bounds.lower!r}, {checked.bounds.upper!r}]   gap {checked.bounds.gap:.2g}",
        f"claimed    [{checked.claimed.lower!r}, {checked.claimed.upper!r}]   confirmed",
        f"level      {checked.level}: {_HOW[checked.level]}; {checked.seconds:.2g} s",
    ]
    if checked.level == "float":
        lines.append(f"exact      would take about {checked.exact_seconds:.2g} s (--level exact)")
    points = f" in dimension {checked.d}" if checked.d else ""
    near = "" if checked.exact_weights else f" = {checked.marginal_error:.2g} of those given"
    lines += [
        f"about      {checked.n} against {checked.m} points{points}, cost {checked.cost}, "
        f"mass {number(checked.mass, 12)}, {checked.about}{near}",
        f"measures   {f'those of {files}' if files else 'as stored in the certificate; give A and B to compare them'}",
        f"digest     {checked.digest}",
    ]
    return "\n".join(lines)
