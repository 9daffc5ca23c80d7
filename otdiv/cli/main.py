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
from typing import Any

import click

from otdiv._version import __version__
from otdiv.cli._print import STARTED, Stop, as_typed, print_json_error
from otdiv.cli.compare import compare_command
from otdiv.cli.demo import demo_command
from otdiv.cli.emd import emd_command
from otdiv.cli.lecture import lecture_command
from otdiv.cli.networks.audit import audit_command
from otdiv.cli.networks.critic import critic_command
from otdiv.cli.networks.gan import gan_command
from otdiv.cli.networks.judge import judge_command
from otdiv.cli.pairwise import pairwise_command
from otdiv.cli.verify import verify_command
from otdiv.errors import OtdivError, SolverFailed


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="otdiv")
def app() -> None:
    """Exact optimal transport and divergences; every distance comes with a proof."""
    click.get_current_context().meta[STARTED] = time.perf_counter()


for _command in (
    emd_command,
    compare_command,
    pairwise_command,
    judge_command,
    critic_command,
    gan_command,
    verify_command,
    audit_command,
    lecture_command,
    demo_command,
):
    app.add_command(_command)


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
