"""The command ``otdiv``: emd, compare, critic, audit, verify, lecture, demo.

Exit codes: 0 certified optimal, 1 stopped early or a mismatch, 2 bad input;
130 interrupted, 141 the reader of the output went away.
Imports everything below; nothing imports it but ``__main__``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from otdiv._version import __version__
from otdiv.bounds import Status
from otdiv.costs import POINT_COSTS
from otdiv.critics.choice import STRATEGIES
from otdiv.errors import OtdivError, SolverFailed, invalid
from otdiv.files import read_cost, read_measure, read_values
from otdiv.proof.verify import LEVELS, verify
from otdiv.tables import Table, json_number, number
from otdiv.transport.solve import METHODS, RTOL, emd

_PIPE_CLOSED = 128 + 13
"""The exit code of a program that a closed pipe ended."""
_WEIGHTS = click.option(
    "--weights", metavar="COLUMN", help="Column (name, or number from 0) or .npz array that holds the weights."
)
_NORMALIZE = click.option("--normalize", is_flag=True, help="Scale both weights to total 1.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_COST_FILE_HELP = "a matrix (.npy), or a sparse one (.npz) whose missing entries are forbidden."
_COST_HELP = f"{', '.join(POINT_COSTS)}, or minkowski:p."


class _Stop(Exception):
    """Ends the command with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otdiv")
def app() -> None:
    """Exact optimal transport and divergences; every distance comes with a proof."""


@app.command("emd")
@click.argument("a")
@click.argument("b")
@click.option("--cost", default="euclidean", show_default=True, help=_COST_HELP + " Or a file: " + _COST_FILE_HELP)
@click.option("--method", type=click.Choice(METHODS), default="auto", show_default=True)
@click.option("--rtol", type=float, default=RTOL, show_default=True, help="Relative gap that counts as optimal.")
@click.option("--max-iter", type=int, help="Stop POT's network simplex after so many pivots.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Then hand over the interval reached.")
@click.option("--progress", is_flag=True, help="Show the interval closing, on standard error.")
@click.option("--device", help="Let torch look at all pairs on this device, cuda or cpu (large clouds).")
@click.option("--memory-limit", type=float, metavar="GIB", help="Refuse methods that need more memory.")
@click.option("--save", metavar="FILE", help="Write the certificate (.npz) for otdiv verify.")
@_WEIGHTS
@_NORMALIZE
@_JSON
def emd_command(
    a: str,
    b: str,
    cost: str,
    method: str,
    rtol: float,
    max_iter: int | None,
    time_limit: float | None,
    progress: bool,
    device: str | None,
    memory_limit: float | None,
    save: str | None,
    weights: str | None,
    normalize: bool,
    as_json: bool,
) -> None:
    """Exact earth mover's distance between the measures in files A and B."""
    x, y = read_measure(a, weights=weights), read_measure(b, weights=weights)
    if memory_limit is not None and not memory_limit > 0:
        raise invalid("--memory-limit", "be a positive number of GiB", repr(memory_limit), "For example 4.")
    limit = None if memory_limit is None else memory_limit * 2**30
    result = emd(
        x,
        y,
        cost=read_cost(cost) if Path(cost).suffix in (".npy", ".npz") else cost,
        method=method,
        normalize=normalize,
        rtol=rtol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=limit,
        progress=progress,
        device=device,
    )
    if save is not None:
        result.save(save)
    if as_json:
        _print_json(result.to_dict())
    else:
        _print(
            f"EMD        {number(result.value, 12)}\n"
            f"proved in  [{number(result.lower, 15)}, {number(result.upper, 15)}]   gap {result.gap:.2g}\n"
            f"status     {result.status.value}\n"
            f"method     {result.method} ({result.stats['reason']})\n"
            f"problem    {result.n} against {result.m} points in dimension {result.d}, cost {result.problem.cost.name}"
        )
    if result.status is not Status.OPTIMAL:
        raise _Stop(1)


@app.command("compare")
@click.argument("a")
@click.argument("b")
@click.option("--cost", default="euclidean", show_default=True, help="The metric of W1 and W2: " + _COST_HELP)
@click.option(
    "--bins", type=int, help="Count both in this many cells along each coordinate before KL, JS and the like."
)
@click.option("--critic", is_flag=True, help="Cross-check W1 by a neural critic (needs torch).")
@_WEIGHTS
@_NORMALIZE
@_JSON
def compare_command(
    a: str, b: str, cost: str, bins: int | None, critic: bool, weights: str | None, normalize: bool, as_json: bool
) -> None:
    """Every distance between the measures in files A and B, in one table."""
    from otdiv.compare import compare

    x, y = read_measure(a, weights=weights), read_measure(b, weights=weights)
    result = compare(x, y, cost=cost, bins=bins, normalize=normalize, critic=critic)
    if as_json:
        _print_json(result.to_dict())
    else:
        _show(
            result.table(
                f"{Path(a).name} against {Path(b).name}: {result.mu.n} and {result.nu.n} points, d = {result.mu.d}"
            )
        )
    doubted = result.critic is not None and not result.critic.believed
    if result.transport.status is not Status.OPTIMAL or doubted:
        raise _Stop(1)


@app.command("critic")
@click.argument("a")
@click.argument("b")
@click.option("--constraint", type=click.Choice(("auto", *STRATEGIES)), default="auto", show_default=True)
@click.option(
    "--estimand",
    type=click.Choice(("empirical", "population")),
    default="empirical",
    show_default=True,
    help="The distance of these points, or of the laws behind them.",
)
@click.option("--device", default="auto", show_default=True, help="CUDA where torch sees it, else the CPU.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed gives the same critic on the same device."
)
@click.option("--seeds", type=int, default=1, show_default=True, help="Train so many critics and keep the best.")
@click.option("--steps", type=int, default=3000, show_default=True, help="Most steps of the training.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="For the training of one critic.")
@click.option("--checkpoint", metavar="FILE", help="Save the run here, and go on from here.")
@click.option("--save", metavar="FILE", help="Write the critic (.pt) for otdiv audit and otdiv.critics.load.")
@click.option("--progress", is_flag=True, help="Show the running interval, on standard error.")
@click.option("--figure", metavar="FILE", help="Draw the training inside its interval (.png, .svg or .pdf).")
@_WEIGHTS
@_NORMALIZE
@_JSON
def critic_command(
    a: str,
    b: str,
    save: str | None,
    figure: str | None,
    weights: str | None,
    normalize: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Estimate W1 between the measures in files A and B by a neural critic, with an interval and a verdict."""
    from otdiv.critics import estimate

    _require_picture(figure)
    x, y = read_measure(a, weights=weights), read_measure(b, weights=weights)
    if normalize:
        x, y = x.normalized(), y.normalized()
    answer = estimate(x, y, **options)
    if save is not None:
        answer.critic.save(save)
    if figure is not None:
        from otdiv.plots_critics import plot_training

        plot_training(answer).savefig(figure, dpi=150)
    if as_json:
        _print_json(answer.to_dict())
    else:
        _show(answer.table(f"Neural critic, {Path(a).name} against {Path(b).name}: {x.n} and {y.n} points, d = {x.d}"))
    if not answer.believed:
        raise _Stop(1)


@app.command("verify")
@click.argument("file")
@click.option("--level", type=click.Choice(LEVELS), default="auto", show_default=True, help="Exact if within a minute.")
@_JSON
def verify_command(file: str, level: str, as_json: bool) -> None:
    """Check a saved certificate from scratch and print the interval it proves."""
    checked = verify(file, level=level)
    if as_json:
        _print_json({key: json_number(v) if isinstance(v, float) else v for key, v in checked.to_dict().items()})
        return
    how = "integer arithmetic, nothing rounded" if checked.level == "exact" else "float64, all rounding outward"
    click.echo(f"proved     [{checked.bounds.lower!r}, {checked.bounds.upper!r}]   gap {checked.bounds.gap:.2g}")
    click.echo(f"claimed    [{checked.claimed.lower!r}, {checked.claimed.upper!r}]   confirmed")
    click.echo(f"level      {checked.level}: {how}; {checked.seconds:.2g} s")
    if checked.level == "float":
        click.echo(f"exact      would take about {checked.exact_seconds:.2g} s (--level exact)")
    click.echo(f"about      {checked.n} against {checked.m} points, {checked.about}")


@app.command("audit")
@click.argument("a")
@click.argument("b")
@click.option("--critic", metavar="FILE", help="TorchScript, exported program (.pt2), or what otdiv critic saved.")
@click.option("--values", nargs=2, metavar="FX FY", help="Or two .npy files with its values on A and on B.")
@click.option("--estimand", type=click.Choice(("empirical", "population")), default="empirical", show_default=True)
@click.option("--penalty", type=float, metavar="LAMBDA", help="Weight of the gradient penalty it was trained with.")
@click.option("--held-out", nargs=2, metavar="A2 B2", help="Points it was not trained on.")
@click.option("--figure", metavar="FILE", help="Draw values and gradients against the exact ones (.png, .svg or .pdf).")
@_WEIGHTS
@_JSON
def audit_command(
    a: str,
    b: str,
    critic: str | None,
    values: tuple[str, str] | None,
    estimand: str,
    penalty: float | None,
    held_out: tuple[str, str] | None,
    figure: str | None,
    weights: str | None,
    as_json: bool,
) -> None:
    """Can a critic's estimate of W1 between A and B be believed?  Exit code 1 if not."""
    from otdiv.critics.audit import audit

    _require_picture(figure)
    if (critic is None) == (values is None):
        raise click.UsageError("give either --critic FILE or --values FX FY.")
    x, y = read_measure(a, weights=weights), read_measure(b, weights=weights)
    subject: Any = critic if values is None else tuple(read_values(path) for path in values)
    others = None if held_out is None else tuple(read_measure(path).points for path in held_out)
    report = audit(subject, x, y, estimand=estimand, penalty=penalty, held_out=others)  # type: ignore[arg-type]
    if figure is not None:
        from otdiv.plots_critics import plot_audit

        plot_audit(report).savefig(figure, dpi=150)
    if as_json:
        _print_json(report.to_dict())
    else:
        _show(report.table())
    if report.verdict.word not in ("agrees", "referee is biased"):
        raise _Stop(1)


@app.command("lecture")
@click.argument("items", nargs=-1)
@_JSON
def lecture_command(items: tuple[str, ...], as_json: bool) -> None:
    """The lecture's examples, computed beside known; ITEMS such as S7 R1 select some."""
    from otdiv import lecture
    from otdiv.demo import lecture_table

    rows = list(lecture.rows(items or None))
    if as_json:
        listed = [
            {
                "item": row.item,
                "name": row.name,
                "computed": json_number(row.computed),
                "expected": json_number(row.expected),
                "ok": row.ok,
            }
            for row in rows
        ]
        _print_json({"rows": listed, "ok": all(row.ok for row in rows)})
    else:
        _show(lecture_table(rows))
    if not all(row.ok for row in rows):
        raise _Stop(1)


@app.command("demo")
@click.option("--output", default="otdiv-demo", show_default=True, help="Folder for the pictures and the page.")
@_JSON
def demo_command(output: str, as_json: bool) -> None:
    """The lecture's table, two real comparisons, pictures and an HTML page, in under a minute."""
    from otdiv.demo import run_demo

    result = run_demo(Path(output), (lambda table: None) if as_json else _show)
    if as_json:
        _print_json({"mismatches": result.mismatches, "certified": result.certified, "page": str(result.page)})
    else:
        _print(f"\nPictures and page: {result.page}")
    if result.mismatches or not result.certified:
        raise _Stop(1)


_TYPED = {
    "normalize=True": "--normalize",
    "compare(..., bins=k)": "--bins k",
    "memory_limit": "--memory-limit",
    "method='auto'": "--method auto",
    "cost='chebyshev'": "--cost chebyshev",
}


def _as_typed(text: str) -> str:
    """A remedy in the words of the command line instead of Python's."""
    for spoken, typed in _TYPED.items():
        text = text.replace(spoken, typed)
    return text


def _show(table: Table) -> None:
    table = replace(table, notes=[_as_typed(note) for note in table.notes])
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(table.rich())
        for note in table.notes:
            console.print(note, markup=False, emoji=False, highlight=False)
    else:
        _print(table.text(120))


def _require_picture(path: str | None) -> None:
    """Refuse a figure's name before the work is done, not after."""
    if path is not None and not path.endswith((".png", ".svg", ".pdf")):
        raise invalid("--figure", "end in .png, .svg or .pdf", repr(path), "For example curve.png.")


def _print_json(content: dict[str, Any]) -> None:
    _print(json.dumps(content, indent=2, allow_nan=False))


def _print(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:  # whoever reads has read enough; let no later flush complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise _Stop(_PIPE_CLOSED) from None


def main(argv: list[str] | None = None) -> None:
    """Entry point: run the command, turn errors into one sentence and an exit code."""
    sys.exit(_guarded(lambda: app.main(args=argv, prog_name="otdiv", standalone_mode=False)))


def _guarded(command: Callable[[], Any]) -> int:
    try:
        command()
        return 0
    except _Stop as stop:
        return stop.code
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return 2
    except click.ClickException as problem:
        context = getattr(problem, "ctx", None)
        remedy = f" See {context.command_path} --help." if context else ""
        click.echo(f"otdiv: {problem.format_message()}{remedy}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("otdiv: interrupted.", err=True)
        return 130
    except SolverFailed as problem:
        click.echo(f"otdiv: {_as_typed(str(problem))}", err=True)
        return 1
    except OtdivError as problem:
        click.echo(f"otdiv: {_as_typed(str(problem))}", err=True)
        return 2
    except OSError as problem:
        click.echo(f"otdiv: {problem.filename or 'the output'} cannot be written: {problem.strerror}.", err=True)
        return 2
    except MemoryError as problem:
        click.echo(f"otdiv: not enough memory ({problem}). Use fewer points or another method.", err=True)
        return 2


if __name__ == "__main__":
    main()
