"""``python -m otdiv`` is the command ``otdiv``."""

from otdiv.cli import main

main()
