"""The command ``otdiv``: its group of commands, and errors as one sentence and an exit code.

Exit codes: 0 certified optimal, 1 stopped early or a mismatch, 2 bad input;
130 interrupted, 141 the output's reader closed the pipe.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from otdiv._version import __version__
from otdiv.cli._print import Stop, as_typed
from otdiv.cli.audit import audit_command
from otdiv.cli.compare import compare_command
from otdiv.cli.critic import critic_command
from otdiv.cli.demo import demo_command
from otdiv.cli.emd import emd_command
from otdiv.cli.lecture import lecture_command
from otdiv.cli.verify import verify_command
from otdiv.errors import OtdivError, SolverFailed


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otdiv")
def app() -> None:
    """Exact optimal transport and divergences; every distance comes with a proof."""


for _command in (
    emd_command,
    compare_command,
    critic_command,
    verify_command,
    audit_command,
    lecture_command,
    demo_command,
):
    app.add_command(_command)


def main(argv: list[str] | None = None) -> None:
    """Entry point: run the command, turn errors into one sentence and an exit code."""
    sys.exit(_guarded(lambda: app.main(args=argv, prog_name="otdiv", standalone_mode=False)))


def _guarded(command: Callable[[], Any]) -> int:
    try:
        command()
        return 0
    except Stop as stop:
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
        click.echo(f"otdiv: {as_typed(str(problem))}", err=True)
        return 1
    except OtdivError as problem:
        click.echo(f"otdiv: {as_typed(str(problem))}", err=True)
        return 2
    except OSError as problem:
        click.echo(f"otdiv: {problem.filename or 'the output'} cannot be written: {problem.strerror}.", err=True)
        return 2
    except MemoryError as problem:
        click.echo(f"otdiv: not enough memory ({problem}). Use fewer points or another method.", err=True)
        return 2


if __name__ == "__main__":
    main()
