"""Wasserstein distances W_p: the p-th root of a transport cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.certificates.infeasibility import TransportWitness
from otdiv.core.bounds import Bounds, Status
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.progress import ProgressEvent
from otdiv.core.results import HasBounds
from otdiv.core.validation import Array, invalid
from otdiv.costs import CallableCost, Cost, MatrixCost, as_cost, quadrangle_defect
from otdiv.measures.arguments import require_probability
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.bottleneck import solve_bottleneck
from otdiv.transport.powers import solve_power
from otdiv.transport.result import TransportResult, sentence_of
from otdiv.transport.solve import measures_of, solve_with


@dataclass(frozen=True, eq=False)
class WassersteinDistance(HasBounds):
    """W_p with its proved interval.

    Attributes
    ----------
    value : float
        W_p, in the unit of the metric.
    bounds : Bounds
        lower <= W_p <= upper.
    p : float
    transport : TransportResult
        The transport of cost (metric / scale)**p that it is ``scale`` times the p-th root of; for p = inf a plan
        within reach, further pairs forbidden.
    status : Status
        OPTIMAL where the interval of W_p itself is as narrow as asked.
    scale : float
        Distances are divided by it before the power where the power would leave float64's range; else 1.
    witness : TransportWitness or None
        For p = inf: atoms that prove that no plan exists one step below.
    """

    value: float
    bounds: Bounds
    p: float
    transport: TransportResult
    status: Status
    scale: float = 1.0
    witness: TransportWitness | None = None

    @property
    def message(self) -> str:
        """The status as a sentence that fits the gap that was asked for."""
        return sentence_of(self.status, self.bounds, self.transport.stats)

    @property
    def nit(self) -> int:
        """Iterations of the transport."""
        return self.transport.nit

    @property
    def seconds(self) -> float:
        """Time of the transport."""
        return self.transport.seconds

    @property
    def plan(self) -> Plan:
        """The optimal plan for the cost (metric / scale)**p."""
        return self.transport.plan

    @property
    def potentials(self) -> tuple[Array, Array]:
        """(f, g) for the cost (metric / scale)**p."""
        return self.transport.potentials

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        proved = f"[{self.lower:.10g}, {self.upper:.10g}]"
        return f"WassersteinDistance(p={self.p:g}, value={self.value:.10g}, proved in {proved})"


def wasserstein(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    p: float = 1.0,
    metric: Any = "euclidean",
    method: str = "auto",
    normalize: bool = False,
    rtol: float = RTOL,
    atol: float = 0.0,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    device: Any = "auto",
    threads: int | None = None,
) -> WassersteinDistance:
    """Wasserstein distance W_p = (min_plan sum plan_ij d(x_i, y_j)^p)^(1/p) of two probability measures.

    Parameters
    ----------
    x, y, a, b, method, normalize, rtol, atol, max_iter, time_limit, memory_limit, progress, device, threads
        As in :func:`emd`; the weights must sum to 1.
    p : float
        Order, p >= 1; infinity is the bottleneck distance, the least t such that no mass moves further than t.
    metric : str, matrix [n, m], callable or Cost
        The metric d, as the ``cost`` of :func:`emd`; it has to be one.  A matrix is checked: its entries must be the
        distances of n points to m others in some metric space (:func:`otdiv.costs.quadrangle_defect`; beyond 2e8
        detours on two million of them).  For a function the caller vouches.

    Returns
    -------
    WassersteinDistance
        ``value`` in the unit of the metric, and its proved interval.

    Raises
    ------
    InvalidInput
        p < 1, a cost that is no metric, or weights that do not sum to 1 within 1e-9.

    Examples
    --------
    >>> round(wasserstein([0.0, 1.0], [2.0, 3.0], p=2).value, 9)
    2.0
    """
    base = as_cost(metric)
    if not p >= 1:
        raise invalid("p", "be a number >= 1, or infinity", repr(p), "p = 1 and p = 2 are the usual ones.")
    _require_metric(base)
    options = SolverOptions(rtol, time_limit, memory_limit, progress, max_iter, device, threads, atol)
    mu, nu = measures_of(x, y, a, b, cost=base, normalize=normalize)
    require_probability(mu, "the weights", "Pass normalize=True; for other masses use emd.")
    if p == np.inf:
        value, bounds, reached, witness = solve_bottleneck(TransportProblem(mu, nu, base), method, options)
        return WassersteinDistance(value, bounds, p, reached, reached.certificate.met, witness=witness)
    if p == 1:
        result = solve_with(TransportProblem(mu, nu, base), method, options)
        return WassersteinDistance(result.value, result.bounds, p, result, result.status)
    value, bounds, result, status, scale = solve_power(mu, nu, base, p, method, options)
    return WassersteinDistance(value, bounds, p, result, status, scale)


def _require_metric(cost: Cost) -> None:
    """Refuse what is no metric; of a function that says nothing about it, it is taken for granted."""
    if isinstance(cost, MatrixCost):
        defect = quadrangle_defect(cost.entries)
        if defect > 0:
            received = f"a matrix with a detour shorter by {defect:.3g}, or a negative entry of that size"
            received = "a matrix with entries that are not finite" if defect == np.inf else received
            raise invalid("metric", "be a metric", received, "For another cost use emd.")
    elif cost.is_metric is False or (cost.is_metric is None and not isinstance(cost, CallableCost)):
        raise invalid("metric", "be a metric", f"{cost.name!r}", "For another cost use emd.")
