"""Why no transport plan exists: a set of sources whose mass cannot get out, or of targets that cannot be filled."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from otdiv.core.validation import Array, ReadOnlyCopies, as_weights, invalid, readonly
from otdiv.errors import CertificateRefused, SolverFailed
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp


@dataclass(frozen=True, slots=True, eq=False)
class TransportWitness(ReadOnlyCopies):
    """The Farkas witness of a transport problem without a plan.

    Attributes
    ----------
    f : ndarray [n], g : ndarray [m]
        Entries -1, 0, 1 with f_i + g_j <= 0 on every allowed arc, and a.f + b.g = excess > 0.
    sources, targets : tuple of int
        side "sources": the mass of ``sources`` may only go to ``targets``, which ask for less.
        side "targets": ``targets`` can only be filled from ``sources``, which hold less.
    side : {"sources", "targets"}
    excess : float
        How much mass is too much on that side.
    """

    f: Array
    g: Array
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    side: str
    excess: float

    @property
    def sentence(self) -> str:
        """Why there is no plan, for a reader."""
        own, other = (self.sources, self.targets) if self.side == "sources" else (self.targets, self.sources)
        if self.side == "sources":
            return (
                f"No plan exists: the mass of sources {_some(own)} may only go to targets {_some(other)}, "
                f"which ask for {self.excess:.6g} less."
            )
        return (
            f"No plan exists: targets {_some(own)} can only be filled from sources {_some(other)}, "
            f"which hold {self.excess:.6g} less."
        )

    def to_dict(self) -> dict[str, Any]:
        """The witness as the plain dictionary that an `otdiv.errors.Infeasible` carries."""
        names = ("f", "g", "sources", "targets", "side", "excess")
        return {name: getattr(self, name) for name in names}


def transport_witness(a: Any, b: Any, allowed: Any = None, *, tolerance: float = 1e-12) -> TransportWitness | None:
    """Find the sets that make transport from a to b impossible, or None if a plan exists.

    Parameters
    ----------
    a : array_like, shape [n]
        Masses of the sources, non-negative.
    b : array_like, shape [m]
        Masses of the targets.
    allowed : array_like or scipy.sparse matrix of bool, shape [n, m], optional
        Which arcs may carry mass; None allows all.
    tolerance : float
        Excess below tolerance x total mass counts as rounding, and None is returned.

    Returns
    -------
    TransportWitness or None
        Verified on every allowed arc, and its excess in exact arithmetic.

    Raises
    ------
    InvalidInput
        Negative or non-finite masses, shapes that do not fit.
    SolverFailed
        The flow problem could not be solved.

    Notes
    -----
    The greatest mass that fits through the allowed arcs is a linear program whose dual is the
    smallest cover of the arcs; its vertices are 0 and 1 (König), and the uncovered sources are
    a set whose mass exceeds that of its neighbours (Hall's condition) if any set does.

    Examples
    --------
    >>> w = transport_witness([0.5, 0.5], [0.5, 0.5], [[True, False], [True, False]])
    >>> w.side, w.sources, w.targets, w.excess
    ('sources', (0, 1), (0,), 0.5)
    >>> transport_witness([1, 2], [2, 1]) is None
    True

    References
    ----------
    D. Gale, A theorem on flows in networks, 1957.
    """
    a = as_weights("a", a, np.size(a))
    b = as_weights("b", b, np.size(b))
    arcs = _arcs(allowed, a.size, b.size)
    total = max(a.sum(), b.sum())
    difference = float(sum(map(Fraction, a)) - sum(map(Fraction, b)))
    if abs(difference) > tolerance * total:  # unequal masses: the whole of one side is the set
        side = "sources" if difference > 0 else "targets"
        inside = np.ones(a.size if difference > 0 else b.size, bool)
        return _checked(a, b, arcs, side, inside, tolerance)
    if arcs.nnz == a.size * b.size:
        return None
    covered = _cover(a, b, arcs)
    for side, inside in (("sources", ~covered[: a.size]), ("targets", ~covered[a.size :])):
        if inside.any():
            witness = _checked(a, b, arcs, side, inside, tolerance, required=False)
            if witness is not None:
                return witness
    return None


def stranded_witness(
    a: Any, b: Any, allowed: Any, stranded: Any, rows: Any, columns: Any, *, tolerance: float = 1e-12
) -> TransportWitness | None:
    """The same from a greatest flow that a solver has found, in time linear in the arcs.

    From a source with mass left over, follow allowed arcs forwards and arcs in use backwards.  No target
    reached can take more, else the flow could be increased; so the sources reached hold more than all the
    targets they lead to ask for.

    Parameters
    ----------
    a, b, allowed, tolerance
        As in :func:`transport_witness`.
    stranded : array_like of int
        The sources with mass left over.
    rows, columns : array_like of int [k]
        The arcs that carry mass.

    Returns
    -------
    TransportWitness or None
        Verified like any other; None if the flow was not the greatest, or what is left over is rounding.

    Examples
    --------
    >>> w = stranded_witness([0.5, 0.5], [0.5, 0.5], [[True, False], [True, False]], [1], [0], [0])
    >>> w.sources, w.targets, w.excess
    ((0, 1), (0,), 0.5)
    """
    a, b = as_weights("a", a, np.size(a)), as_weights("b", b, np.size(b))
    arcs, n = _arcs(allowed, a.size, b.size), a.size
    forward = arcs.tocoo()
    start = n + b.size
    stranded, rows, columns = (np.asarray(index, dtype=np.intp) for index in (stranded, rows, columns))
    tails = np.concatenate([forward.row, n + columns, np.full(stranded.size, start)])
    heads = np.concatenate([n + forward.col, rows, stranded])
    graph = sparse.csr_array((np.ones(len(tails)), (tails, heads)), shape=(start + 1, start + 1))
    reached = breadth_first_order(graph, start, return_predecessors=False)
    inside = np.zeros(n, bool)
    inside[reached[reached < n]] = True
    return _checked(a, b, arcs, "sources", inside, tolerance, required=False) if inside.any() else None


def verify_transport_witness(a: Any, b: Any, allowed: Any, f: Any, g: Any) -> float:
    """Check f_i + g_j <= 0 on every allowed arc and a.f + b.g > 0, exactly; return the excess a.f + b.g.

    Parameters
    ----------
    a, b : array_like, shapes [n] and [m]
        Masses.
    allowed : array_like or scipy.sparse matrix of bool, shape [n, m], or None
    f, g : array_like, shapes [n] and [m]
        The witness; any real numbers.

    Returns
    -------
    float
        The excess, in units of mass.

    Raises
    ------
    CertificateRefused
        The pair proves nothing.

    Examples
    --------
    >>> verify_transport_witness([1, 2], [2, 2], None, [-1, -1], [1, 1])
    1.0
    """
    a, b = as_weights("a", a, np.size(a)), as_weights("b", b, np.size(b))
    f, g = np.asarray(f, dtype=np.float64), np.asarray(g, dtype=np.float64)
    if f.shape != a.shape or g.shape != b.shape or not (np.isfinite(f).all() and np.isfinite(g).all()):
        raise CertificateRefused(f"f and g must be {a.size} and {b.size} finite numbers; got {f.shape} and {g.shape}")
    arcs = _arcs(allowed, a.size, b.size).tocoo()
    broken = f[arcs.row] > -g[arcs.col]  # a comparison of floats is exact, a sum is not
    if broken.any():
        k = int(np.argmax(broken))
        i, j = int(arcs.row[k]), int(arcs.col[k])
        raise CertificateRefused(f"f + g must be at most 0 on every allowed arc; arc ({i}, {j}) has {f[i]} + {g[j]}")
    pairs = [*zip(a, f, strict=True), *zip(b, g, strict=True)]
    excess = sum((Fraction(mass) * Fraction(value) for mass, value in pairs if value), Fraction(0))
    if excess <= 0:
        raise CertificateRefused(f"a.f + b.g must be positive; it is {float(excess):.3g}")
    return float(excess)


def _some(indices: tuple[int, ...]) -> str:
    """A few indices, written out."""
    if not indices:
        return "(none)"
    shown = ", ".join(map(str, indices[:5]))
    return f"{shown}, ... ({len(indices)} in all)" if len(indices) > 5 else shown


def _checked(
    a: Array, b: Array, arcs: Any, side: str, inside: Array, tolerance: float, required: bool = True
) -> TransportWitness | None:
    """The witness of a set and its neighbours, verified."""
    outgoing = arcs if side == "sources" else arcs.T.tocsr()
    neighbours = np.asarray(outgoing[np.flatnonzero(inside)].sum(axis=0)).ravel() > 0
    own, other = inside.astype(np.float64), -neighbours.astype(np.float64)
    f, g = (own, other) if side == "sources" else (other, own)
    try:
        excess = verify_transport_witness(a, b, arcs, f, g)
    except CertificateRefused:
        if required:
            raise
        return None
    if excess <= tolerance * max(a.sum(), b.sum()):
        return None
    sources, targets = np.flatnonzero(f), np.flatnonzero(g)
    return TransportWitness(readonly(f), readonly(g), tuple(map(int, sources)), tuple(map(int, targets)), side, excess)


def _cover(a: Array, b: Array, arcs: Any) -> Array:
    """The smallest cover of the arcs by sources and targets: the dual of the greatest flow, entries 0 or 1."""
    n, m = a.size, b.size
    coo = arcs.tocoo()
    if coo.nnz == 0:
        return np.zeros(n + m, bool)
    k = np.arange(coo.nnz)
    ends = sparse.csc_array((np.ones(2 * coo.nnz), (np.r_[coo.row, n + coo.col], np.r_[k, k])), shape=(n + m, coo.nnz))
    flow = LinearProgram(-np.ones(coo.nnz), -ends, -np.concatenate([a, b]), "inequality")
    answer = solve_lp(flow)
    if answer.y is None:
        raise SolverFailed(f"the greatest flow could not be computed: {answer.stats['message']}")
    return answer.y > 0.5


def _arcs(allowed: Any, n: int, m: int) -> Any:
    """The allowed arcs as a sparse matrix of 0 and 1."""
    if allowed is None:
        return sparse.csr_array(np.ones((n, m)))
    matrix = sparse.csr_array(
        allowed if sparse.issparse(allowed) else np.asarray(allowed, dtype=bool), dtype=np.float64
    )
    if matrix.shape != (n, m):
        raise invalid("allowed", f"have shape [{n}, {m}]", f"shape {matrix.shape}", "One row per source.")
    matrix.eliminate_zeros()
    return matrix
