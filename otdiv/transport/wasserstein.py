"""Wasserstein distances W_p: the p-th root of a transport cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds, Status
from otdiv.core.options import RTOL
from otdiv.core.progress import ProgressEvent
from otdiv.core.results import HasBounds
from otdiv.core.validation import Array, invalid
from otdiv.costs import as_cost, power_of
from otdiv.measures.arguments import require_probability
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import measures_of, solve


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
        The transport of cost metric**p that it is the p-th root of.
    """

    value: float
    bounds: Bounds
    p: float
    transport: TransportResult

    @property
    def status(self) -> Status:  # type: ignore[override]
        """Of the transport."""
        return self.transport.status

    @property
    def message(self) -> str:
        """Of the transport."""
        return self.transport.message

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
        """The optimal plan for the cost metric**p."""
        return self.transport.plan

    @property
    def potentials(self) -> tuple[Array, Array]:
        """(f, g) for the cost metric**p."""
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
    x, y, a, b, method, normalize, rtol, max_iter, time_limit, memory_limit, progress, device, threads
        As in :func:`emd`; the weights must sum to 1.
    p : float
        Order, p >= 1.
    metric : str or Cost
        The metric d; it has to be one.

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
    if not 1 <= p < np.inf:
        raise invalid("p", "be a finite number >= 1", repr(p), "p = 1 and p = 2 are the usual ones.")
    if not base.is_metric:
        raise invalid("metric", "be a metric", f"{base.name!r}", "For another cost use emd.")
    mu, nu = measures_of(x, y, a, b, cost=base, normalize=normalize)
    require_probability(mu, "the weights", "Pass normalize=True; for other masses use emd.")
    if p == 1:
        cost: Any = base
    else:
        cost = "sqeuclidean" if (p == 2 and base.name == "euclidean") else power_of(base, p)
    result = solve(
        TransportProblem(mu, nu, cost),
        method,
        rtol=rtol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=memory_limit,
        progress=progress,
        device=device,
        threads=threads,
    )
    value = result.value ** (1 / p)
    if p == 1:
        return WassersteinDistance(value, result.bounds, p, result)
    # the root is computed within a few units in the last place
    ends = Bounds(result.lower ** (1 / p) * (1 - 1e-15), result.upper ** (1 / p) * (1 + 1e-15))
    return WassersteinDistance(value, ends, p, result)
