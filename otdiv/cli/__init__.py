"""The command ``otdiv``."""

from otdiv.cli.main import app, main

__all__ = ["app", "main"]
