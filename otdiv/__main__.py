"""``python -m otdiv`` is the command ``otdiv``."""

from otdiv.cli.main import main

main()
