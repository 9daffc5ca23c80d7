"""``otdiv critic``: W1 of two files by a neural critic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otdiv.cli._options import JSON, NORMALIZE, read_pair, require_targets, table_options
from otdiv.cli._print import print_json, save_answer, show
from otdiv.cli.networks._standing import EXIT_CODES_HELP, end_with
from otdiv.critics.choice import ESTIMANDS
from otdiv.neural.constraint_names import CONSTRAINTS
from otdiv.plots.style import save_figure


@click.command("critic", epilog=EXIT_CODES_HELP)
@click.argument("a")
@click.argument("b")
@click.option("--constraint", type=click.Choice(("auto", *CONSTRAINTS)), default="auto", show_default=True)
@click.option(
    "--estimand",
    type=click.Choice(ESTIMANDS),
    default="empirical",
    show_default=True,
    help="The distance of these points, or of the distributions behind them.",
)
@click.option("--device", default="auto", show_default=True, help="CUDA where torch sees it, else the CPU.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed gives the same critic on the same device."
)
@click.option("--seeds", type=int, default=1, show_default=True, help="Number of critics to train; the best is kept.")
@click.option("--steps", type=int, default=3000, show_default=True, help="Most steps of the training.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="For the training of one critic.")
@click.option("--checkpoint", metavar="FILE", help="Save the run here, and go on from here.")
@click.option("--save", metavar="FILE", help="Write the critic (.pt) for otdiv audit and otdiv.critics.load.")
@click.option("--progress", is_flag=True, help="Show the running interval, on standard error.")
@click.option("--figure", metavar="FILE", help="Draw the training inside its interval (.png, .svg or .pdf).")
@table_options
@NORMALIZE
@JSON
def critic_command(
    a: str,
    b: str,
    save: str | None,
    figure: str | None,
    seed: int,
    table: dict[str, Any],
    normalize: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Estimate W1 between the measures in files A and B by a neural critic, with an interval and a verdict."""
    from otdiv.critics import estimate

    require_targets(save=save, save_as=".pt", figure=figure)
    x, y = read_pair(a, b, table)
    if normalize:
        x, y = x.normalized(), y.normalized()
    answer = estimate(x, y, rng=seed, **options)
    if as_json:
        print_json(answer.to_dict(), (a, b))
    else:
        show(answer.table(f"Neural critic, {Path(a).name} against {Path(b).name}: {x.n} and {y.n} points, d = {x.d}"))
    if save is not None:
        save_answer("--save", lambda: answer.critic.save(save))
    if figure is not None:
        from otdiv.plots.critics import plot_training

        save_answer("--figure", lambda: save_figure(plot_training(answer), figure))
    end_with(answer.verdict)
