"""The choice of a method: decided from measurements, with its reason."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.certificates.grid_potentials import cells_of, find_squared_grid
from otdiv.costs import SquaredEuclidean
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.methods.grid.detect import detect_grid
from otdiv.transport.methods.table import accept_few, accept_multiscale

MULTISCALE_FROM = ((3, 5 * 2**17), (7, 3 * 2**19), (12, 11 * 2**18), (np.inf, 2**22))
"""Up to each dimension, the pairs from which the multiscale method is faster than the dense one: the median of equal
and of random weights, both costs, measured on two cores with the certificate (benchmarks/README.md)."""
AS_MANY_FROM = 7 * 2**17
"""The same where there are as many points on one side as on the other; where the number above is smaller."""
SQUARED_GRID_FROM, GRID_FROM = 5 * 2**15, 2**19
"""The same for the cells of a grid in up to three dimensions, with the squared distance and with other costs: of cells
the candidate arcs are found sooner, and their many ties give the dense method more pivots."""
PAIRS_FOR_ONE_WITH_MASS = 3
"""Pairs up to which the dense method computes all costs, for each pair with mass that ``MULTISCALE_FROM`` allows."""
LONG, MULTISCALE_FROM_IF_LONG = 25, 2**21
"""Atoms of the one side for each of the other from which a shape counts as long, and the pairs that it needs at least;
up to there the dense method takes 0.2 to 1.1 times as long as the multiscale one in 2, 3 and 10 dimensions."""
GRID_ABOVE, _GRID_DIMENSIONS = 3 * 2**15, 3
"""Pairs from which the edges of a grid are the arcs in the 1-norm and the maximum norm (dense and grid take 1 and 3.6
ms at 16 x 16, 4 and 4 ms at 20 x 20, 28 and 5 ms at 32 x 32), and dimensions up to which there may be one."""
SIMPLEX_ABOVE = 40_000
"""Pairs above which a problem with forbidden arcs goes to the network simplex instead of the linear program."""
FEW_FROM = ((3, 8_000), (np.inf, 30_000))
"""Up to each dimension, the atoms of the larger side from which the method for few points is the choice; below it the
dense one is faster."""
FEW_UP_TO = 300
"""Atoms k of the smaller side up to which it is, if the larger side has k**2 or more: measured against the other two in
2, 3 and 10 dimensions on two cores."""
FEW_PAIRS = 2**26
"""Pairs up to which it is: all costs are kept (10 bytes a pair, 0.6 GiB); the multiscale method does without."""
DENSE_UP_TO, DENSE_PAIRS = 5, 2**23
"""Atoms of the smaller side up to which the dense method is faster still, whatever the other side has: up to 1.6 times
with 5, 2 to 6 times with 2 and 3, of 4 000 to a million on the other side; and pairs up to which (24 bytes a pair)."""
COMMON_MASS_ABOVE_DIMENSION = 3
"""Dimension above which the multiscale method is first freed of mass common to both measures."""
DENSE_AGAIN_UP_TO = 2**23
"""Pairs up to which the dense method is tried where the multiscale one is not proved optimal: 200 MB and a second."""
SECOND_METHOD_UP_TO = 250_000
"""Pairs up to which linear programs are tried where the first method is not proved optimal."""


class Choice(NamedTuple):
    """A method and the reason it was chosen."""

    method: str
    reason: str


def select_method(problem: TransportProblem) -> Choice:
    """Which method ``method="auto"`` takes, and why.

    Parameters
    ----------
    problem : TransportProblem

    Returns
    -------
    Choice
        ``method``, the name of one, and ``reason``, a sentence.

    Examples
    --------
    >>> from otdiv import DiscreteMeasure, TransportProblem
    >>> select_method(TransportProblem(DiscreteMeasure([0.0, 1.0]), DiscreteMeasure([2.0]))).method
    'line'
    """
    if problem.on_line:
        return Choice("line", f"the points lie on the line and {problem.cost.name} is convex there: sorting is exact")
    if problem.sparse is not None:
        return Choice("simplex", "the cost is sparse: the network simplex works on its arcs, all others are forbidden")
    if problem.forbids and problem.n * problem.m > SIMPLEX_ABOVE:
        return Choice("simplex", "some arcs are forbidden (cost inf): the network simplex works on the others")
    if problem.forbids:
        return Choice("primal", "some arcs are forbidden (cost inf): the linear program leaves them out")
    if problem.n * problem.m >= GRID_ABOVE and detect_grid(problem) is not None:
        return Choice("grid", f"the points lie on a grid and {problem.cost.name} is the length of paths along it")
    few = min(problem.atoms_with_mass)
    if _few_against_many(problem):
        if few <= DENSE_UP_TO and problem.n * problem.m <= DENSE_PAIRS:
            return Choice("dense", f"{few} points against many: cells of their masses leave few pivots")
        return Choice("few", f"{few} points against many: targets are handed on between them")
    if _has_many_pairs(problem) and accept_multiscale(problem) is None:
        return Choice("multiscale", "many points: coarse to fine, and no cost matrix is needed")
    if problem.cost.by_entries and problem.cost.shape is None:
        return Choice("dense", "the cost is a function: all its values are computed and kept")
    return Choice("dense", "few pairs: all costs are kept, and the proof comes in the same compiled pass")


def _up_to_dimension(table: tuple[tuple[float, int], ...], d: int) -> int:
    """The entry of a table by dimensions."""
    return next(entry for most, entry in table if d <= most)


def _has_many_pairs(problem: TransportProblem) -> bool:
    """Whether there are as many as the multiscale method is the choice for, with these points and this cost.

    Pairs with mass count, unless those of all atoms are too many to compute the costs of.
    """
    few, many = sorted(problem.atoms_with_mass)
    in_dimension = least = _up_to_dimension(MULTISCALE_FROM, problem.d)
    if problem.n == problem.m:
        least = max(least, AS_MANY_FROM)
    if many >= LONG * few:
        least = max(least, MULTISCALE_FROM_IF_LONG)
    squared = isinstance(problem.cost, SquaredEuclidean)
    from_on_grid = SQUARED_GRID_FROM if squared else GRID_FROM
    if problem.d <= _GRID_DIMENSIONS and not problem.cost.by_entries and from_on_grid <= few * many < least:
        found = find_squared_grid(problem) if squared else cells_of(problem)  # kept for the solve
        least = least if found is None else from_on_grid
    return few * many >= least or problem.n * problem.m > max(least, PAIRS_FOR_ONE_WITH_MASS * in_dimension)


def _few_against_many(problem: TransportProblem) -> bool:
    """Whether the method for few points is the faster one; costs with sentinels are left to the others."""
    few, many = sorted(problem.atoms_with_mass)
    fits = few <= FEW_UP_TO and max(_up_to_dimension(FEW_FROM, problem.d), few**2) <= many <= FEW_PAIRS // few
    return fits and accept_few(problem) is None and problem.sentinel_level is None


def leaves_common_mass(problem: TransportProblem, method: str) -> bool:
    """Whether "auto" leaves mass common to both where it is before it calls the method; measured on two cores.

    The search in the plane is as fast with the mass that stays; dense costs and many dimensions are not.
    """
    return method == "dense" or (method == "multiscale" and problem.d > COMMON_MASS_ABOVE_DIMENSION)


PROGRAMS = ("primal", "dual")
"""Linear programs, solved to a tolerance: they close no interval that rounding alone holds open."""


def fallbacks(problem: TransportProblem, first: str) -> tuple[str, ...]:
    """What "auto" tries after ``first`` where the interval is not as narrow as asked."""
    dense = ("dense",) if problem.n * problem.m <= DENSE_AGAIN_UP_TO else ()
    if first == "multiscale":
        return dense
    if first == "grid":
        return ("multiscale", *dense)
    if first not in ("dense", "pot", "few", "primal", "simplex"):
        return ()
    programs = PROGRAMS if problem.n * problem.m <= SECOND_METHOD_UP_TO else ()
    others = ("pot", "simplex", *programs)
    return tuple(other for other in others if other != first)
