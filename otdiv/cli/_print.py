"""What a command prints, and the exit code it ends with."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import Any

import click

from otdiv.core.text_tables import Table

PIPE_CLOSED = 128 + 13
"""The exit code of a program that a closed pipe ended."""


class Stop(Exception):
    """Ends the command with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


_TYPED = {
    "normalize=True": "--normalize",
    "compare(..., bins=k)": "--bins k",
    "memory_limit": "--memory-limit",
    "method='auto'": "--method auto",
    "cost='chebyshev'": "--cost chebyshev",
}


def as_typed(text: str) -> str:
    """A remedy in the words of the command line instead of Python's."""
    for spoken, typed in _TYPED.items():
        text = text.replace(spoken, typed)
    return text


def show(table: Table) -> None:
    table = replace(table, notes=[as_typed(note) for note in table.notes])
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        console.print(table.rich())
        for note in table.notes:
            console.print(note, markup=False, emoji=False, highlight=False)
    else:
        print_text(table.text(120))


def print_json(content: dict[str, Any]) -> None:
    print_text(json.dumps(content, indent=2, allow_nan=False))


def print_text(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:  # whoever reads has read enough; let no later flush complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stop(PIPE_CLOSED) from None
