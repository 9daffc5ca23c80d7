"""What is computed for each pair: transport with its interval, a named divergence, or a function of the user."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from otdiv.core.validation import invalid
from otdiv.costs import Cost, PointCost, as_cost, power_of

NAMED = ("energy", "kolmogorov_smirnov", "kl", "js", "js_distance", "total_variation", "hellinger")
"""Distances and divergences beside those of transport."""
_ONE_SIDED = ("kl",)


@dataclass(frozen=True)
class Measured:
    """A distance of two measures.

    Attributes
    ----------
    name : str
    cost : PointCost or None
        Of transport, the metric to the power p.
    p : float
    function : callable or None
        ``(x, y) -> value`` of two DiscreteMeasure.
    symmetric : bool
        Whether (x, y) and (y, x) have the same value, and (x, x) has 0.
    """

    name: str
    cost: PointCost | None
    p: float
    function: Callable[[Any, Any], Any] | None
    symmetric: bool

    @property
    def identity(self) -> str:
        """A text that differs for different distances; of a function its name and, if it can be read, its source."""
        if self.function is None or self.name in NAMED:
            return f"{self.name}|p={self.p!r}"
        try:
            source = inspect.getsource(self.function)
        except (OSError, TypeError):
            source = ""
        return f"{self.name}|{hashlib.sha256(source.encode()).hexdigest()}|symmetric={self.symmetric}"


def as_measured(metric: Any, p: float, symmetric: bool | None) -> Measured:
    """The distance of a name, a Cost or a function.

    Raises
    ------
    InvalidInput
        An unknown name, a cost that is no metric, p beside anything but transport, or ``symmetric`` where it is known.
    """
    named = isinstance(metric, str) and metric in NAMED
    if not (named or callable(metric)) or isinstance(metric, Cost):
        if symmetric is not None:
            raise invalid("symmetric", "be left out for a named distance", repr(symmetric), "It is known.")
        return _transport(metric, p)
    if p != 1:
        raise invalid("p", "be left out unless the metric is one of points", repr(p), "W_p is the only one with a p.")
    if named and symmetric is None:
        return Measured(metric, None, 1.0, _function(metric), metric not in _ONE_SIDED)
    if named:
        raise invalid("symmetric", "be left out for a named distance", repr(symmetric), "It is known.")
    name = f"{getattr(metric, '__module__', '?')}.{getattr(metric, '__qualname__', type(metric).__name__)}"
    return Measured(name, None, 1.0, metric, bool(symmetric))


def _transport(metric: Any, p: float) -> Measured:
    if isinstance(metric, str) and metric not in _cost_names() and not metric.startswith("minkowski:"):
        raise invalid(
            "metric",
            f"be one of {', '.join((*_cost_names(), 'minkowski:p', *NAMED))}, a Cost or a function of two measures",
            repr(metric),
            "Check the spelling.",
        )
    cost = as_cost(metric)
    if not isinstance(cost, PointCost):
        raise invalid("metric", "be a function of two points", repr(cost.name), "Use otdiv.emd_many for matrices.")
    if not cost.is_metric:
        raise invalid("metric", "be a metric", repr(cost.name), "For W_2 pass metric='euclidean', p=2.")
    if not 1 <= p < float("inf"):
        raise invalid("p", "be a finite number of at least 1", repr(p), "p = 1 and p = 2 are the usual ones.")
    powered = cost if p == 1 else power_of(cost, p)
    assert isinstance(powered, PointCost)
    return Measured(cost.name, powered, float(p), None, True)


def _cost_names() -> tuple[str, ...]:
    return ("euclidean", "cityblock", "chebyshev", "discrete")


def _function(name: str) -> Callable[[Any, Any], Any]:
    from otdiv import divergences

    return getattr(divergences, "energy_distance" if name == "energy" else name)
