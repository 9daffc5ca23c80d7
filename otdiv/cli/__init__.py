"""The command ``otdiv``."""

from otdiv.cli.main import COMMANDS, app, main

__all__ = ["COMMANDS", "app", "main"]
