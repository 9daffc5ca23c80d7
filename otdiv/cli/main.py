"""The command ``otdiv``: its group of commands, and errors as one sentence and an exit code.

Exit codes: 0 certified optimal, 1 stopped early or a mismatch, 2 bad input,
3 a critic that nothing could check;
130 interrupted, 141 the output's reader closed the pipe.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from otdiv._version import __version__
from otdiv.cli._print import STARTED, Stop, as_typed, print_json_error
from otdiv.errors import OtdivError, SolverFailed

COMMANDS = {
    "emd": ("otdiv.cli.emd", "Exact earth mover's distance between two files, with its proof."),
    "compare": ("otdiv.cli.compare", "What changed from table A to table B: whether, how far, in which columns."),
    "pairwise": ("otdiv.cli.pairwise", "Distances between all measures in a folder."),
    "judge": ("otdiv.cli.networks.judge", "How good generated points are, against real ones."),
    "critic": ("otdiv.cli.networks.critic", "Estimate W1 by a neural critic, with a verdict."),
    "gan": ("otdiv.cli.networks.gan", "Train a generator and judge it by exact distances."),
    "verify": ("otdiv.cli.verify", "Check a saved certificate from scratch."),
    "audit": ("otdiv.cli.networks.audit", "Whether a critic's estimate of W1 can be believed."),
    "lecture": ("otdiv.cli.lecture", "The lecture's examples, computed beside known values."),
    "demo": ("otdiv.cli.demo", "Two real comparisons, pictures and an audited critic."),
}
"""The module of each command, imported when the command is run, and a line about it."""


class _Commands(click.Group):
    """A group whose commands are imported when they are run: their help takes no time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otdiv")
def app() -> None:
    """Exact optimal transport and divergences; every distance comes with a proof."""
    click.get_current_context().meta[STARTED] = time.perf_counter()


def main(argv: list[str] | None = None) -> None:
    """Entry point: run the command, turn errors into one sentence and an exit code, and into JSON under --json."""
    given = sys.argv[1:] if argv is None else argv
    code, kind, sentence = _guarded(lambda: app.main(args=argv, prog_name="otdiv", standalone_mode=False))
    if sentence:
        if "--json" in given:
            with suppress(Stop):  # the reader has closed the pipe: the sentence below goes to standard error
                print_json_error(kind, sentence, code)
        click.echo(f"otdiv: {sentence}", err=True)
    sys.exit(code)


def _guarded(command: Callable[[], Any]) -> tuple[int, str, str]:
    """Exit code of the command, and kind and sentence of the error that ended it."""
    try:
        command()
        return 0, "", ""
    except Stop as stop:
        return stop.code, "", ""
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return 2, "", ""
    except click.ClickException as problem:
        context = getattr(problem, "ctx", None)
        remedy = f" See {context.command_path} --help." if context else ""
        return 2, "UsageError", f"{problem.format_message()}{remedy}"
    except (click.Abort, KeyboardInterrupt):
        return 130, "Interrupted", "interrupted."
    except SolverFailed as problem:
        return 1, "SolverFailed", as_typed(str(problem))
    except OtdivError as problem:
        return 2, type(problem).__name__, as_typed(str(problem))
    except OSError as problem:
        return 2, "OSError", f"{problem.filename or 'the output'} cannot be written: {problem.strerror}."
    except MemoryError as problem:
        return 2, "MemoryError", f"not enough memory ({problem}). Use fewer points or another method."


if __name__ == "__main__":
    main()
