"""What a command prints, and the exit code it ends with."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from otdiv._version import __version__
from otdiv.core.text_tables import Table
from otdiv.errors import InvalidInput

STARTED = "otdiv.started"
"""Key of the moment at which the command began, in seconds, in the context of click."""
PIPE_CLOSED = 128 + 13
"""The exit code of a program that a closed pipe ended."""


class Stop(Exception):
    """Ends the command with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def save_answer(option: str, write: Callable[[], object]) -> None:
    """Save after the answer was printed: whatever the disk says, the answer is not lost; a failure ends with 1."""
    try:
        write()
    except InvalidInput as problem:
        click.echo(f"otdiv: {as_typed(str(problem)).replace('path', option, 1)}", err=True)
        raise Stop(1) from None


_TYPED = {
    "pass decimal=','": "add --decimal ,",
    "Pass decimal=','": "Add --decimal ,",
    "metric must be": "cost must be",
    "the critic or the metric out": "the critic or the cost out",
    "normalize=True": "--normalize",
    "pass trust=True": "add --trust",
    "Pass state_key='": "Add --state-key '",
    "state_key must": "--state-key must",
    "compare(..., bins=k)": "--bins k",
    "compare measures with all=True": "add --all",
    "columns= with those": "--columns with those",
    "columns= without those": "--columns without those",
    "missing='drop'": "--missing drop",
    "missing='category'": "--missing category",
    "pass index=0": "add --index 0",
    "Pass header=True if it holds names, header=False": "Add --header if it holds names, --no-header",
    "pass delimiter=": "add --delimiter ",
    "Pass delimiter=": "Add --delimiter ",
    "with delimiter=": "with --delimiter ",
    "decimal=','": "--decimal ,",
    "memory_limit": "--memory-limit",
    "method='auto'": "--method auto",
    "cost='chebyshev'": "--cost chebyshev",
}


_KIND = re.compile(r"kinds=\{'([^']*)': '(category|identifier|number)'\}")


def as_typed(text: str) -> str:
    """A remedy in the words of the command line instead of Python's."""
    for in_python, typed in _TYPED.items():
        text = text.replace(in_python, typed)
    return _KIND.sub(lambda found: f"--{found[2]} {shlex.quote(found[1])}", text)


def show(table: Table) -> None:
    """Print a table, in colour on a terminal."""
    table = replace(table, notes=[as_typed(note) for note in table.notes])
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(table.rich() if table.rows else table.title)
        for note in table.notes:
            console.print(note, markup=False, emoji=False, highlight=False)
    else:
        print_text(table.text(120))


def print_json(content: dict[str, Any], files: Sequence[str] = ()) -> None:
    """Print one JSON object: the version, the files, the content, and the seconds since the command began."""
    context = click.get_current_context(silent=True)
    started = time.perf_counter() if context is None else context.meta.get(STARTED, time.perf_counter())
    named = {"files": list(files)} if files else {}
    whole = {"version": __version__, **named, **content}
    whole.setdefault("seconds", round(time.perf_counter() - started, 6))
    print_text(json.dumps(whole, indent=2, allow_nan=False))


def print_json_error(kind: str, message: str, code: int) -> None:
    """Print an error as one JSON object, for a reader that expects one."""
    print_text(json.dumps({"version": __version__, "error": {"kind": kind, "message": message, "exit_code": code}}))


def print_text(text: str) -> None:
    """Print, and end quietly where the pipe was closed."""
    try:
        click.echo(text)
    except BrokenPipeError:  # the reader has closed the pipe; a later flush must not fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stop(PIPE_CLOSED) from None
