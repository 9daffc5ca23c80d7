"""The reference of an audit: exact transport where a measured rule says that it is affordable, else an interval."""

from __future__ import annotations

from dataclasses import dataclass

from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve

AFFORDABLE_SECONDS = 60.0
"""Predicted time of an exact solve up to which it is the reference; a higher limit checks larger samples exactly."""
COARSE_GAP = 0.01
"""Relative width of the interval that is asked for beyond it; the search for it ends after ``AFFORDABLE_SECONDS``."""
BASE = 10_000
"""Points a side to which the measured times below belong."""
_LOW, _HIGH = (1.0, 1.45), (3.0, 1.7)
"""(seconds at BASE points, power of the points) in at most three dimensions, and above: benchmarks, large clouds."""
_LOW_DIMENSION, _WIDE = 3, 64
"""Dimensions up to which the first row holds; from which the time grows in proportion to the dimension."""
_UNEQUAL = 3.0
"""Factor of unequal weights in few dimensions."""
_LINE_SECONDS = 2e-7
"""Of a point on the line."""


@dataclass(frozen=True, eq=False)
class Reference:
    """W1 of the points, and how it was found.

    Attributes
    ----------
    result : TransportResult
        Plan, potentials and proved interval.
    how : str
        Which rule decided, in one sentence.
    """

    result: TransportResult
    how: str

    @property
    def gap(self) -> float:
        """Relative width of the proved interval, in units of its value."""
        return self.result.gap / self.result.upper if self.result.upper > 0 else 0.0


def predicted_seconds(problem: TransportProblem) -> float:
    """Seconds that exact transport of these points takes, about, on two cores.

    c (k / 10 000)^p with k = sqrt(n m); c and p depend on the dimension and were measured on normal clouds of 1 000
    to 100 000 points.

    Parameters
    ----------
    problem : TransportProblem
        With the Euclidean cost.

    Examples
    --------
    >>> from otdiv import DiscreteMeasure, TransportProblem
    >>> cloud = DiscreteMeasure([[float(k % 7), float(k % 5), float(k % 3)] for k in range(100)])
    >>> predicted_seconds(TransportProblem(cloud, cloud)) < 0.01
    True
    """
    n, m, d = problem.n, problem.m, problem.d
    if problem.on_line:
        return _LINE_SECONDS * (n + m)
    low = d <= _LOW_DIMENSION
    seconds, power = _LOW if low else _HIGH
    equal = all(weights.max() <= weights.min() * (1 + 1e-12) for weights in (problem.a, problem.b))
    factor = (1.0 if equal else _UNEQUAL) if low else max(1.0, d / _WIDE)
    return float(factor * seconds * ((n * m) ** 0.5 / BASE) ** power)


def affordable(problem: TransportProblem) -> bool:
    """Whether exact transport of these points is expected within ``AFFORDABLE_SECONDS``."""
    return predicted_seconds(problem) <= AFFORDABLE_SECONDS


def find_reference(problem: TransportProblem) -> Reference:
    """Exact transport where it is affordable, else an interval of relative width ``COARSE_GAP``.

    Parameters
    ----------
    problem : TransportProblem

    Returns
    -------
    Reference
    """
    size = f"{problem.n:,} and {problem.m:,} points in {problem.d}-D".replace(",", " ")
    if affordable(problem):
        return Reference(solve(problem), f"exact transport of {size}")
    result = solve(problem, rtol=COARSE_GAP, time_limit=AFFORDABLE_SECONDS)
    seconds = predicted_seconds(problem)
    return Reference(
        result,
        f"proved interval of {size}, {100 * result.gap / max(result.upper, 1e-300):.2g} % wide: "
        f"exact transport would take about {seconds:.0f} s",
    )
