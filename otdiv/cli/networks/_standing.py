"""Exit codes of ``otdiv audit`` and ``otdiv critic``: believed, not believed, unchecked."""

from __future__ import annotations

from otdiv.cli._print import Stop
from otdiv.critics.auditing.verdict import Verdict

EXIT_CODES = {"believed": 0, "not believed": 1, "unchecked": 3}
"""Standing of a verdict -> exit code; 2 is bad input, as for every command."""
EXIT_CODES_HELP = (
    "Exit code 0: believed, it agrees with an exact reference. 1: not believed. 2: bad input. 3: unchecked, no exact "
    "or unbiased reference could decide."
)


def end_with(verdict: Verdict) -> None:
    """End the command with the exit code of a verdict.

    Raises
    ------
    Stop
        Unless the critic is believed.
    """
    code = EXIT_CODES[verdict.standing]
    if code:
        raise Stop(code)
