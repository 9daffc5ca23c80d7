"""A proof as plain arrays: what is saved to a file, and what a verifier needs to see.

Nothing of this room touches a solver, the
auditor, or the code that evaluates costs for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array, ReadOnlyCopies
from otdiv.errors import CertificateRefused

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "matrix", "arcs")
"""Costs that can be verified."""
GIVEN_WEIGHTS = "the weights"
"""The interval holds for the weights as given."""
NEARBY_WEIGHTS = "weights within marginal_error"
"""The interval holds for the plan's own marginals; see :attr:`Proof.nearby`."""
_SENTINEL_STEP = 1e6
"""Ratio of two neighbouring costs above which the larger ones are sentinels that stand for forbidden arcs."""
ARRAYS = ("x", "y", "costs", "a", "b", "rows", "columns", "mass", "f", "g")


@dataclass(frozen=True, eq=False)
class Proof(ReadOnlyCopies):
    """A transport problem, a plan, potentials, and the interval they are claimed to prove.

    Attributes
    ----------
    cost : str
        One of :data:`COSTS`.
    x, y : ndarray [n, d], [m, d]
        Points; empty [n, 0], [m, 0] for the costs "matrix" and "arcs".
    costs : ndarray [n, m] or [k, 3]
        Entries for the cost "matrix" (inf forbids an arc).  For "arcs" one row (source, target, cost) for
        each arc, by sources, then by targets; all others are forbidden.  Else empty [0, 0].
    a, b : ndarray [n], [m]
        Weights; the target is b scaled to the exact mass of a.
    rows, columns, mass : ndarray [k]
        The plan: mass[k] goes from rows[k] to columns[k].
    f, g : ndarray [n], [m]
        The potentials.
    claimed : Bounds
        lower <= optimum <= upper, claimed.
    about : str
        "the weights", or "weights within marginal_error" where arcs are forbidden or costs are sentinels;
        it follows from the costs, and verification refuses the other word.

    Raises
    ------
    CertificateRefused
        Shapes, kinds of number, NaN, infinity, negative weights or masses, indices out of range.
    """

    cost: str
    x: Array
    y: Array
    costs: Array
    a: Array
    b: Array
    rows: Array
    columns: Array
    mass: Array
    f: Array
    g: Array
    claimed: Bounds
    about: str = GIVEN_WEIGHTS

    def __post_init__(self) -> None:
        if self.cost not in COSTS:
            raise CertificateRefused(
                f"the cost must be one of {', '.join(COSTS)} to be verified; got {self.cost[:60]!r}."
            )
        if self.about not in (GIVEN_WEIGHTS, NEARBY_WEIGHTS):
            raise CertificateRefused(f"about must be {GIVEN_WEIGHTS!r} or {NEARBY_WEIGHTS!r}; it is something else.")
        for name in ARRAYS:
            if getattr(self, name).ndim == 0:
                raise CertificateRefused(f"{name} must be an array of at least one axis; got a single number.")
        if not np.isfinite(self.claimed.lower):
            raise CertificateRefused(f"the claimed lower end must be finite; got {self.claimed.lower}.")
        if self.x.ndim != 2 or self.y.ndim != 2:
            raise CertificateRefused("x and y must be tables of points, [n, d] and [m, d]; got other numbers of axes.")
        n, m, k = len(self.a), len(self.b), len(self.mass)
        d = self.x.shape[1]
        given = self.cost in ("matrix", "arcs")
        shapes = {
            "x": (n, 0 if given else d),
            "y": (m, 0 if given else d),
            "costs": {"matrix": (n, m), "arcs": (len(self.costs), 3)}.get(self.cost, (0, 0)),
            "a": (n,),
            "b": (m,),
            "rows": (k,),
            "columns": (k,),
            "mass": (k,),
            "f": (n,),
            "g": (m,),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            kind = np.int64 if name in ("rows", "columns") else np.float64
            if array.dtype != kind or array.shape != shape:
                wanted = f"{np.dtype(kind).name} of shape {shape}"
                raise CertificateRefused(f"{name} must be {wanted}; got {array.dtype} of shape {array.shape}.")
            if kind == np.float64 and name != "costs" and not np.isfinite(array).all():
                raise CertificateRefused(f"{name} must be finite; it holds NaN or infinity.")
            array.flags.writeable = False
        if n == 0 or m == 0 or (not given and d < 1):
            raise CertificateRefused("the problem must have at least one source, one target and one coordinate.")
        if given and (np.isnan(self.costs).any() or (self.costs == -np.inf).any()):
            raise CertificateRefused("costs must be numbers, or +inf to forbid an arc; it holds NaN or -inf.")
        if self.cost == "arcs":
            _require_arcs(self.costs, n, m)
        for name in ("a", "b", "mass"):
            if (getattr(self, name) < 0).any():
                raise CertificateRefused(f"{name} must be non-negative; it has a negative entry.")
        if not (self.a.any() and self.b.any()):
            raise CertificateRefused("both measures must have positive mass.")
        for name, size in (("rows", n), ("columns", m)):
            index = getattr(self, name)
            if k and (index.min() < 0 or index.max() >= size):
                raise CertificateRefused(f"{name} must lie between 0 and {size - 1}; it holds other indices.")

    @property
    def entries(self) -> Array:
        """The finite costs that are given one by one; empty for a cost of points."""
        given = self.costs[:, 2] if self.cost == "arcs" else self.costs.ravel()
        return given[np.isfinite(given)]

    @cached_property
    def nearby(self) -> bool:
        """Whether the interval is about the plan's own marginals instead of the weights to the last bit.

        So where arcs are forbidden (the last bit of a weight can decide whether any plan exists) or the costs
        hold sentinels: positive costs more than a factor 1e6 above the next smaller one.
        """
        if self.cost not in ("matrix", "arcs"):
            return False
        if len(self.entries) < self.n * self.m:
            return True
        levels = np.unique(self.entries[self.entries > 0])
        with np.errstate(over="ignore"):
            return bool((levels[1:] / levels[:-1] > _SENTINEL_STEP).any())

    @property
    def pairs(self) -> int:
        """Number of pairs whose inequality is checked."""
        return len(self.costs) if self.cost == "arcs" else self.n * self.m

    @property
    def n(self) -> int:
        """Number of sources."""
        return len(self.a)

    @property
    def m(self) -> int:
        """Number of targets."""
        return len(self.b)

    @property
    def d(self) -> int:
        """Dimension of the points; 0 for a cost matrix."""
        return self.x.shape[1]


def _require_arcs(costs: Array, n: int, m: int) -> None:
    """Refuse a list of arcs with an index out of range, an arc twice or out of order, or an infinite cost."""
    if not np.isfinite(costs).all():
        raise CertificateRefused("the arcs must have finite indices and costs; they hold infinity.")
    rows, columns = costs[:, 0], costs[:, 1]
    whole = np.all(rows == np.floor(rows)) and np.all(columns == np.floor(columns))
    inside = whole and np.all((rows >= 0) & (rows < n) & (columns >= 0) & (columns < m))
    keys = rows * m + columns
    if not inside or n * m > 2**53 or not np.all(keys[1:] > keys[:-1]):
        raise CertificateRefused("the arcs must be given once each, by sources and targets that exist; they are not.")
