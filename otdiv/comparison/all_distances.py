"""One table: every distance between two distributions, side by side.

Exact transport (primal program, dual program, POT) beside KL, JS and their
relatives; which are finite, symmetric, metrics; and why, where one fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv import divergences
from otdiv.core.bounds import Status
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.progress import ProgressEvent
from otdiv.core.text_tables import Table, json_number, number
from otdiv.core.validation import invalid
from otdiv.costs import as_cost
from otdiv.divergences import DivergenceValue
from otdiv.divergences.energy_distance import energy_distance, kolmogorov_smirnov
from otdiv.measures.arguments import as_measures, require_probability
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.support import binned, common_support, points_equal_but_for_rounding
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve_with
from otdiv.transport.wasserstein import wasserstein

if TYPE_CHECKING:
    from otdiv.critics import CriticEstimate

LP_PAIRS = 60_000
"""Pairs up to which the primal and the dual are each solved as a linear program of their own: some seconds."""
POT_PAIRS = 4_000_000
"""Pairs up to which POT is run as well: some seconds and some 180 MB."""
ENERGY_POINTS = 10_000
"""Points in all, up to which the energy distance is computed in several dimensions, in time n^2."""


@dataclass(frozen=True)
class Distance:
    """One row of a comparison.

    Attributes
    ----------
    key, label : str
        Short name for programs, and the name people read.
    value : float
        May be inf.
    lower, upper : float
        Proved interval; for divergences both are the value.
    how : str
        How it was computed.
    symmetric, metric : bool
        Whether exchanging the arguments changes it; whether it is a metric.
    note : str
        Why it is infinite or uninformative; empty otherwise.
    status : Status
    nit : int
        Iterations; 0 for a closed form.
    seconds : float
        Time of a transport; NaN where it was not measured.
    """

    key: str
    label: str
    value: float
    lower: float
    upper: float
    how: str
    symmetric: bool
    metric: bool
    note: str = ""
    status: Status = Status.OPTIMAL
    nit: int = 0
    seconds: float = math.nan

    @property
    def gap(self) -> float:
        """upper - lower."""
        return 0.0 if self.lower == self.upper else self.upper - self.lower

    @property
    def message(self) -> str:
        """How it was computed, and why it is infinite or uninformative."""
        return f"{self.how}. {self.note}" if self.note else f"{self.how}."

    @property
    def finite(self) -> bool:
        """Whether the value is finite."""
        return math.isfinite(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; infinite values as the string "inf"."""
        return {
            "label": self.label,
            "value": json_number(self.value),
            "lower": json_number(self.lower),
            "upper": json_number(self.upper),
            "how": self.how,
            "finite": self.finite,
            "symmetric": self.symmetric,
            "metric": self.metric,
            "note": self.note,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Every distance on one pair of distributions; prints as a table.

    Attributes
    ----------
    distances : tuple of Distance
    notes : tuple of str
        What the pair's supports mean for the divergences, and what to use instead.
    mu, nu : DiscreteMeasure
        The pair as given (the divergences may have been taken after binning).
    transport : TransportResult
        The exact W1 with its plan and potentials.
    critic : CriticEstimate or None
        The cross-check by a neural critic, where one was trained.
    """

    distances: tuple[Distance, ...]
    notes: tuple[str, ...]
    mu: DiscreteMeasure
    nu: DiscreteMeasure
    transport: TransportResult
    critic: CriticEstimate | None = None

    def __getitem__(self, key: str) -> Distance:
        for distance in self.distances:
            if distance.key == key:
                return distance
        raise KeyError(f"no distance {key!r}; there are {', '.join(d.key for d in self.distances)}")

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; infinite values as the string "inf"."""
        return {
            "n": self.mu.n,
            "m": self.nu.n,
            "d": self.mu.d,
            "cost": self.transport.problem.cost.name,
            "gap": self.transport.gap,
            "status": self.transport.status.label,
            "distances": {d.key: d.to_dict() for d in self.distances},
            "notes": list(self.notes),
            **({} if self.critic is None else {"critic": self.critic.to_dict()}),
        }

    def table(self, title: str = "") -> Table:
        """The comparison as a table."""
        yes = {True: "yes", False: "no"}
        rows = [(d.label, number(d.value), yes[d.symmetric], yes[d.metric], d.how) for d in self.distances]
        ends = f"[{number(self.transport.lower, 12)}, {number(self.transport.upper, 12)}]"
        where = f"W1 is proved to lie in {ends}, gap {self.transport.gap:.1e}."
        title = title or f"{self.mu.n} against {self.nu.n} points in dimension {self.mu.d}"
        return Table(
            title, ("distance", "value", "symmetric", "metric", "computed by"), rows, (where, *self.notes), (1,)
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def compare_all(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    metric: Any = "euclidean",
    bins: int | Sequence[int] | None = None,
    normalize: bool = False,
    critic: bool | Mapping[str, Any] = False,
    rtol: float = RTOL,
    atol: float = 0.0,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    device: Any = "auto",
    threads: int | None = None,
) -> Comparison:
    """Every distance between two distributions in one table.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d] (or [n], [m] on the line), or DiscreteMeasure
        The points.
    a, b : array_like [n], [m], optional
        Weights, each of total 1; None is uniform.
    metric : str or Cost
        The metric of W1 and W2; the other distances do not depend on it.
    bins : int or sequence of int, optional
        Take the divergences after binning both into this many equal cells along each coordinate.
        Transport, energy and Kolmogorov-Smirnov distances always use the points as given.
    normalize : bool
        Scale both weights to total 1 first.
    critic : bool or mapping
        Cross-check W1 by a neural critic as well (needs torch and the euclidean cost); a mapping is passed
        on to :func:`otdiv.critics.estimate`, for example {"rng": 1, "time_limit": 20}.
    rtol, atol, max_iter, time_limit, memory_limit, progress, device, threads
        Of each transport, as for :func:`otdiv.solve`.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidInput
        As :func:`otdiv.emd`; also a cost that is no metric, or weights that do not sum to 1.

    Examples
    --------
    >>> table = compare_all([0, 1, 2], [0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    >>> round(table["w1_primal"].value, 9), round(table["js"].value, 9)
    (0.7, 0.09056585)
    """
    ground = as_cost(metric)
    if ground.by_entries or not ground.is_metric:
        raise invalid("metric", "be a metric on points", repr(ground.name), "For other costs use emd.")
    options = SolverOptions(rtol, time_limit, memory_limit, progress, max_iter, device, threads, atol)
    mu, nu = as_measures(x, y, a, b, normalize=normalize)
    for name, measure in (("x", mu), ("y", nu)):
        require_probability(measure, f"the weights of {name}", "Pass normalize=True to compare the shapes.")
    transport, rows = _transport_rows(mu, nu, ground, options)
    pair = (mu, nu) if bins is None else binned(mu, nu, bins)
    notes = _notes(pair[0], pair[1], bins)
    estimate = None
    if critic is not False:
        if ground.name != "euclidean":
            raise invalid(
                "metric", "be euclidean for a critic", repr(ground.name), "Leave the critic or the metric out."
            )
        from otdiv import critics

        estimate = critics.estimate(mu, nu, **({} if critic is True else critic))
        rows += _critic_rows(estimate)
        notes.append(f"Critic: {estimate.verdict.word}. {estimate.verdict.reason}")
    rows += _difference_rows(mu, nu)
    rows += _divergence_rows(*pair)
    return Comparison(tuple(rows), tuple(notes), mu, nu, transport, estimate)


def _critic_rows(estimate: CriticEstimate) -> list[Distance]:
    """The cross-check: the value of a neural critic, and what it proves."""
    how = f"{estimate.constraint}: {estimate.verdict.word}"
    proved = "its lower end is proved, however it was trained"
    return [
        Distance("w1_critic", "W1, neural critic", estimate.value, estimate.lower, estimate.upper, how, True, True),
        Distance(
            "w1_critic_bound", "W1, what it proves", estimate.lower, estimate.lower, estimate.upper, proved, True, True
        ),
    ]


def _transport_rows(
    mu: DiscreteMeasure, nu: DiscreteMeasure, metric: Any, options: SolverOptions
) -> tuple[TransportResult, list[Distance]]:
    problem = TransportProblem(mu, nu, metric)
    result = solve_with(problem, "auto", options)

    def row(key: str, label: str, value: float, proof: Any, how: str) -> Distance:
        answer = proof.status, proof.nit, proof.seconds
        return Distance(key, label, value, proof.lower, proof.upper, how, True, True, "", *answer)

    arcs = mu.n * nu.n
    if arcs <= LP_PAIRS:
        primal, dual = (solve_with(problem, method, options) for method in ("primal", "dual"))
        rows = [
            row("w1_primal", "W1, primal program", primal.value, primal, "HiGHS, linear program"),
            row("w1_dual", "W1, dual program", _dual_value(dual), dual, "HiGHS, its dual: f + g <= d"),
        ]
    else:
        rows = [
            row("w1_primal", "W1, cost of the plan", result.value, result, f"{result.method}, feasible plan"),
            row("w1_dual", "W1, value of the potentials", _dual_value(result), result, f"{result.method}, f + g <= d"),
        ]
    if arcs <= POT_PAIRS:
        pot = result if result.method == "pot" else solve_with(problem, "pot", options)
        rows.append(row("w1_pot", "W1, network simplex", pot.value, pot, "POT"))
    second = wasserstein(
        mu,
        nu,
        p=2,
        metric=metric,
        rtol=options.rtol,
        atol=options.atol,
        max_iter=options.max_iter,
        time_limit=options.time_limit,
        memory_limit=options.memory_limit,
        progress=options.progress,
        device=options.device,
        threads=options.threads,
    )
    rows.append(row("w2", "W2", second.value, second, f"{second.transport.method}, exact"))
    return result, rows


def _dual_value(result: TransportResult) -> float:
    """sum a f + sum b g, the value of the potentials."""
    return max(0.0, float(result.problem.a @ result.f + result.problem.b @ result.g))


def _difference_rows(mu: DiscreteMeasure, nu: DiscreteMeasure) -> list[Distance]:
    """Cheaper relatives of W1, finite without common support too."""
    rows = []
    if mu.d == 1 or mu.n + nu.n <= ENERGY_POINTS:
        energy = energy_distance(mu, nu)
        how = "sqrt of 2 E|x-y| - E|x-x'| - E|y-y'|"
        rows.append(Distance("energy", "energy distance", energy, energy, energy, how, True, True))
    if mu.d == 1:
        ks = kolmogorov_smirnov(mu, nu)
        rows.append(Distance("ks", "Kolmogorov-Smirnov", ks, ks, ks, "largest |F - G|", True, True))
    return rows


_DIVERGENCES: tuple[tuple[str, str, Callable[..., DivergenceValue], bool, bool], ...] = (
    ("kl", "KL(x || y)", divergences.kl, False, False),
    ("kl_reverse", "KL(y || x)", divergences.kl_reverse, False, False),
    ("jeffreys", "Jeffreys", divergences.jeffreys, True, False),
    ("js", "JS", divergences.js, True, False),
    ("js_distance", "sqrt JS", divergences.js_distance, True, True),
    ("tv", "total variation", divergences.total_variation, True, True),
    ("hellinger", "Hellinger", divergences.hellinger, True, True),
    ("chi_square", "chi-square(x || y)", divergences.chi_square, False, False),
    ("chi_square_reverse", "chi-square(y || x)", divergences.chi_square_reverse, False, False),
)


def _divergence_rows(mu: DiscreteMeasure, nu: DiscreteMeasure) -> list[Distance]:
    _, p, q = common_support(mu, nu)
    rows = []
    for key, label, divergence, symmetric, metric in _DIVERGENCES:
        value = divergence(p, q)
        rows.append(
            Distance(
                key,
                label,
                float(value),
                float(value),
                float(value),
                "sum over the support",
                symmetric,
                metric,
                value.reason or "",
            )
        )
    return rows


def _notes(mu: DiscreteMeasure, nu: DiscreteMeasure, bins: Any) -> list[str]:
    """What the supports mean for KL and JS, and what to use instead."""
    points, p, q = common_support(mu, nu)
    shared = int(np.sum((p > 0) & (q > 0)))
    rounded = points_equal_but_for_rounding(mu, nu)
    said = [f"{rounded} points that differ from others by rounding only count as the same."] if rounded else []
    what = "points" if bins is None else "occupied bins"
    if shared == 0:
        return [
            *said,
            f"x and y share none of their {len(points)} {what}: KL = inf and JS = log 2 = 0.6931 "
            "however near or far they are, so neither says anything here. Use W1, which sees the distance"
            + (", or compare(..., bins=k) to count both in common cells." if bins is None else ", or fewer bins."),
        ]
    lost_p, lost_q = float(p[q == 0].sum()), float(q[p == 0].sum())
    notes = list(said)
    for lost, here, there, name in ((lost_p, "x", "y", "KL(x || y)"), (lost_q, "y", "x", "KL(y || x)")):
        if lost > 0:
            notes.append(f"{name} = inf: mass {lost:.4g} of {here} lies on {what} where {there} has none.")
    if (lost_p > 0 or lost_q > 0) and bins is None:
        notes.append("For continuous data use W1, or compare(..., bins=k) to count both in common cells.")
    return notes
