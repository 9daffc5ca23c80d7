"""``otdiv audit``: can a critic's estimate be believed?"""

from __future__ import annotations

from typing import Any

import click

from otdiv.cli._options import JSON, read_pair, require_targets, table_options
from otdiv.cli._print import print_json, save_answer, show
from otdiv.cli.networks._standing import EXIT_CODES_HELP, end_with
from otdiv.critics.choice import ESTIMANDS
from otdiv.measures.files import read_measure, read_values
from otdiv.plots.style import save_figure


@click.command("audit", epilog=EXIT_CODES_HELP)
@click.argument("a")
@click.argument("b")
@click.option(
    "--critic",
    metavar="FILE",
    help="What otdiv saved; with --trust TorchScript or .pt2; or package.module:make, with --state.",
)
@click.option("--state", metavar="FILE", help="Weights (state_dict) of what --critic package.module:make builds.")
@click.option("--state-key", metavar="NAME", help="The entry of --state that is the critic's, if it holds several.")
@click.option("--shape", metavar="C,H,W", help="Of one point as the critic takes it, for images in flat rows.")
@click.option("--output", metavar="NAME", help="Which output counts, if it returns several: a key, or a position.")
@click.option("--trust", is_flag=True, help="Open a critic file that is a program: only if you know its author.")
@click.option("--values", nargs=2, metavar="FX FY", help="Or two .npy files with its values on A and on B.")
@click.option("--estimand", type=click.Choice(ESTIMANDS), default="empirical", show_default=True)
@click.option("--penalty", type=float, metavar="LAMBDA", help="Weight of the gradient penalty it was trained with.")
@click.option("--held-out", nargs=2, metavar="A2 B2", help="Points it was not trained on.")
@click.option("--figure", metavar="FILE", help="Draw values and gradients against the exact ones (.png, .svg or .pdf).")
@table_options
@JSON
def audit_command(
    a: str,
    b: str,
    critic: str | None,
    state: str | None,
    state_key: str | None,
    shape: str | None,
    output: str | None,
    trust: bool,
    values: tuple[str, str] | None,
    estimand: str,
    penalty: float | None,
    held_out: tuple[str, str] | None,
    figure: str | None,
    table: dict[str, Any],
    as_json: bool,
) -> None:
    """Can a critic's estimate of W1 between A and B be believed?"""
    from otdiv.critics.auditing.audit import audit

    require_targets(figure=figure)
    if (critic is None) == (values is None):
        raise click.UsageError("give either --critic FILE or --values FX FY.")
    x, y = read_pair(a, b, table)
    subject: Any = critic if values is None else tuple(read_values(path) for path in values)
    others = None if held_out is None else tuple(read_measure(path, **table) for path in held_out)
    report = audit(
        subject,
        x,
        y,
        estimand=estimand,
        penalty=penalty,
        held_out=others,
        trust=trust,
        state=state,
        state_key=state_key,
        shape=None if shape is None else _sides(shape),
        output=int(output) if output is not None and output.lstrip("-").isdigit() else output,
    )
    if as_json:
        print_json(report.to_dict(), (a, b))
    else:
        show(report.table())
    if figure is not None:
        from otdiv.plots.critics import plot_audit

        save_answer("--figure", lambda: save_figure(plot_audit(report), figure))
    end_with(report.verdict)


def _sides(shape: str) -> tuple[int, ...]:
    """The integers of ``--shape``."""
    parts = shape.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise click.UsageError(f"--shape takes positive integers such as 1,28,28, not {shape!r}.")
    return tuple(int(part) for part in parts)
