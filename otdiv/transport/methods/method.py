"""What a method is: a name, the problems it accepts, and how it proposes a solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from otdiv.core.options import SolverOptions
from otdiv.problem.transport_problem import Proposal, TransportProblem


@dataclass(frozen=True, slots=True)
class Method:
    """One way to solve a transport problem; a new one is a file with its ``solve`` and a row of the table.

    Attributes
    ----------
    name : str
        As in ``method="..."``.
    solves, use : str
        What it solves, and when to use it: two cells of the table in README.md.
    accepts : callable
        Problem -> None, or what the problem would have to be: the requirement and the remedy of the error.
    solve : callable
        (problem, options) -> Proposal.  It stops at the time limit, reports progress and refuses what memory
        does not hold; it does not prove anything.
    compiled : bool
        Whether it runs compiled kernels: seconds may pass until they are loaded and it hears an interrupt.
    in_thread : bool
        Whether large problems run in a thread of their own, so that Ctrl-C and the time limit reach them.  It heeds
        ``options.interrupted``, or ends soon by itself.
    handles_forbidden : bool
        Whether it finds by itself that forbidden arcs leave no plan.
    """

    name: str
    solves: str
    use: str
    accepts: Callable[[TransportProblem], tuple[str, str] | None]
    solve: Callable[[TransportProblem, SolverOptions], Proposal]
    compiled: bool = False
    in_thread: bool = False
    handles_forbidden: bool = False


def accept_any(problem: TransportProblem) -> None:
    """Every problem is accepted."""
