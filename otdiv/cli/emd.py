"""``otdiv emd``: the exact distance of two files, with its proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otdiv.cli._options import (
    COST_FILE_HELP,
    COST_HELP,
    JSON,
    NORMALIZE,
    read_cost_option,
    read_pair,
    require_targets,
    table_options,
)
from otdiv.cli._print import Stop, print_json, print_text, save_answer
from otdiv.core.options import RTOL
from otdiv.core.text_tables import number
from otdiv.core.validation import invalid
from otdiv.transport.methods.table import METHODS
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd


@click.command("emd")
@click.argument("a")
@click.argument("b")
@click.option("--cost", default="euclidean", show_default=True, help=COST_HELP + " Or a file: " + COST_FILE_HELP)
@click.option("--method", type=click.Choice(METHODS), default="auto", show_default=True)
@click.option("--rtol", type=float, default=RTOL, show_default=True, help="Relative gap that counts as optimal.")
@click.option("--atol", type=float, default=0.0, help="Absolute gap that counts as optimal whatever the value.")
@click.option("--max-iter", type=int, help="Most pivots of POT's network simplex.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Then print the interval reached so far.")
@click.option("--progress", is_flag=True, help="Show the interval closing, on standard error.")
@click.option(
    "--device", default="auto", help="cuda: torch evaluates all pairs (large clouds); auto: where it is faster."
)
@click.option("--threads", type=int, help="Default: every processor the process may use.")
@click.option("--memory-limit", type=float, metavar="GIB", help="Refuse methods that need more memory.")
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="Keep the interval so far there (.npz); go on from it if it exists.",
)
@click.option("--save", metavar="FILE", help="Write the certificate (.npz) for otdiv verify.")
@click.option("--figure", metavar="FILE", help="Draw both measures and the displacement (.png, .svg or .pdf).")
@table_options
@NORMALIZE
@JSON
def emd_command(
    a: str,
    b: str,
    cost: str,
    method: str,
    rtol: float,
    atol: float,
    max_iter: int | None,
    time_limit: float | None,
    progress: bool,
    device: str,
    threads: int | None,
    memory_limit: float | None,
    checkpoint: str | None,
    save: str | None,
    figure: str | None,
    table: dict[str, Any],
    normalize: bool,
    as_json: bool,
) -> None:
    """Exact earth mover's distance between the measures in files A and B."""
    require_targets(save=save, figure=figure)
    x, y = read_pair(a, b, table)
    if memory_limit is not None and not memory_limit > 0:
        raise invalid("--memory-limit", "be a positive number of GiB", repr(memory_limit), "For example 4.")
    limit = None if memory_limit is None else memory_limit * 2**30
    result = emd(
        x,
        y,
        cost=read_cost_option(cost),
        method=method,
        normalize=normalize,
        rtol=rtol,
        atol=atol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=limit,
        progress=progress,
        device=device,
        threads=threads,
        checkpoint=checkpoint,
    )
    if as_json:
        print_json(result.to_dict(), (a, b))
    else:
        print_text(
            f"EMD        {number(result.value, 12)}\n"
            f"proved in  [{number(result.lower, 15)}, {number(result.upper, 15)}]   gap {result.gap:.2g}\n"
            f"status     {result.status_sentence}\n"
            f"{_weights_line(result)}"
            f"method     {result.method} ({result.stats['reason']})\n"
            f"problem    {result.n} against {result.m} points in dimension {result.d}, cost {result.problem.cost.name}"
        )
    if save is not None:
        save_answer("--save", lambda: result.save(save))
    if figure is not None:
        from otdiv.plots.displacement import plot_displacement
        from otdiv.plots.style import save_figure

        names = (Path(a).stem, Path(b).stem)
        save_answer("--figure", lambda: save_figure(plot_displacement(result, labels=names), figure))
    if not result.status.certified:
        raise Stop(1)


def _weights_line(result: TransportResult) -> str:
    """How near the weights are that the interval is about; nothing where it is about those given."""
    proof = result.certificate
    if proof.exact_weights:
        return ""
    why = "with forbidden or sentinel arcs a last bit decides"
    return f"weights    within {proof.marginal_error:.2g} of those given: {why}\n"
