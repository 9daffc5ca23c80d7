"""The numbers of an audit: slopes, gradients along the rays, match with the exact potentials, the null floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, invalid
from otdiv.critics.auditing.slope_search import climb
from otdiv.critics.debias import remove_bias
from otdiv.lipschitz.constants import largest_slope
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve

PROBES = 1000
"""Most points of each side, segments and rays at which gradients are evaluated; more of them find steeper ones."""
HALF_POINTS = 500
"""Most points of a half of a sample; larger halves lower the null floor."""
SCANNED = 6000
"""Most points of a side between which all slopes are scanned; their square is the time: 3 s in 8 dimensions."""
SINGLE_PRECISION = 1e-6
"""Relative rounding error of values in float32; a larger one overlooks more slopes between near-duplicates."""


def slopes(exact: TransportResult, fx: Array, fy: Array, resolution: float = 0.0) -> tuple[float, float]:
    """Largest secant slope over the pooled points, and the share of pairs (x, y) that break the constraint.

    Of more than ``SCANNED`` points on a side that many are scanned, chosen at random, and the pairs of the plan: a
    value above W1 of the points takes a slope above 1 on one of these.

    Parameters
    ----------
    exact : TransportResult
        The problem with its plan.
    fx, fy : ndarray [n], [m]
        Values of the critic.
    resolution : float
        Relative distance of neighbouring numbers in its format: a quotient of a smaller difference is no slope.
    """
    problem, plan = exact.problem, exact.plan
    x, y = problem.mu.points, problem.nu.points
    relative = max(SINGLE_PRECISION, 8 * resolution)
    noise = relative * float(max(np.abs(fx).max(), np.abs(fy).max()))
    with np.errstate(divide="ignore", invalid="ignore"):
        rise, run = np.abs(fx[plan.rows] - fy[plan.columns]), np.linalg.norm(x[plan.rows] - y[plan.columns], axis=1)
        steepest = float(np.where(rise > noise, rise / run, 0.0).max(initial=0.0))
    rng = np.random.default_rng(0)
    kept_x, kept_y = (
        slice(None) if n <= SCANNED else np.sort(rng.permutation(n)[:SCANNED]) for n in (problem.n, problem.m)
    )
    x, y, fx, fy = x[kept_x], y[kept_y], fx[kept_x], fy[kept_y]
    pooled, values = np.concatenate([x, y]), np.concatenate([fx, fy])
    steepest = max(steepest, largest_slope(values, pooled, problem.cost, noise=noise))
    slack = noise if resolution > SINGLE_PRECISION else 0.0  # of half precision: its rounding is no violation
    broken = 0
    for rows in row_blocks(len(x), len(y)):
        block = problem.cost.matrix(x[rows], y)
        broken += int((fx[rows, None] - fy > block * (1 + relative) + slack).sum())
    return steepest, broken / (len(x) * len(y))


@dataclass(frozen=True, eq=False)
class GradientDiagnostics:
    """How steep a critic is, and whether it is so along the rays of transport.

    Attributes
    ----------
    largest, percentile : float
        Largest |grad f| found, also by climbing; 99th percentile on data, interpolates and rays.
    cosine, slope : float or None
        Mean cosine of grad f with x - y and mean |grad f| on the rays; None where nothing moves.
    norms : ndarray [k]
        |grad f| at all points evaluated.
    rays : (starts, ends, points, gradients), each ndarray [r, d]
        Some rays of transport x -> y, and grad f at one point of each.
    undefined : int
        Points at which the gradient is NaN or infinite, and which count for nothing else.
    """

    largest: float
    percentile: float
    cosine: float | None
    slope: float | None
    norms: Array
    rays: tuple[Array, Array, Array, Array]
    undefined: int = 0


def measure_gradients(
    gradients: Callable[[Array], Array], sign: float, exact: TransportResult, rng: np.random.Generator
) -> GradientDiagnostics:
    """Gradient norms on data, interpolates and rays, pushed up by gradient ascent; and along the rays."""
    x, y, plan = exact.problem.mu.points, exact.problem.nu.points, exact.plan
    length = np.linalg.norm(x[plan.rows] - y[plan.columns], axis=1)
    moving = np.flatnonzero(length > 1e-9 * max(float(length.max(initial=0.0)), 1e-300))
    chosen = moving[rng.permutation(len(moving))[:PROBES]]
    t = rng.random((len(chosen), 1))
    start, end = x[plan.rows[chosen]], y[plan.columns[chosen]]
    on_rays = t * start + (1 - t) * end
    few_x, few_y = x[rng.permutation(len(x))[:PROBES]], y[rng.permutation(len(y))[:PROBES]]
    k = min(len(few_x), len(few_y))
    mixed = rng.random((k, 1))
    probes = np.concatenate([few_x, few_y, mixed * few_x[:k] + (1 - mixed) * few_y[:k], on_rays])
    norms: Array = np.linalg.norm(gradients(probes), axis=1)
    known: Array = np.isfinite(norms)
    if not known.any():
        raise invalid("critic", "have a gradient somewhere", "NaN or infinity everywhere", "Pass arrays of its values.")
    undefined, probes, norms = int(np.count_nonzero(~known)), probes[known], norms[known]
    pooled = np.concatenate([x, y])
    box = pooled.min(axis=0), pooled.max(axis=0)  # what is steep elsewhere does not count for W1 of the points
    largest = max(float(norms.max()), climb(gradients, probes, norms, rng, box))
    if len(chosen) == 0:
        return GradientDiagnostics(
            largest, float(np.percentile(norms, 99)), None, None, norms, (start, end, on_rays, on_rays), undefined
        )
    gradient = sign * gradients(on_rays)
    steepness: Array = np.linalg.norm(gradient, axis=1)
    there: Array = np.isfinite(steepness)
    gradient, size = np.where(there[:, None], gradient, 0.0), np.where(there, steepness, 0.0)
    ray = (start - end) / length[chosen][:, None]
    weight = np.where(there, plan.mass[chosen], 0.0)
    weight = weight / max(float(weight.sum()), 1e-300)
    along = (gradient * ray).sum(axis=1)
    cosine = float(weight @ np.divide(along, size, out=np.zeros_like(along), where=size > 0))
    rays = (start, end, on_rays, gradient)
    percentile = float(np.percentile(norms, 99))
    return GradientDiagnostics(largest, percentile, cosine, float(weight @ size), norms, rays, undefined)


def match_potential(exact: TransportResult, fx: Array, fy: Array) -> tuple[float, int]:
    """How much of the exact potential's variance the critic explains, shifted best in each component of the plan."""
    plan, n, m = exact.plan, exact.n, exact.m
    graph = sparse.csr_array((np.ones(len(plan)), (plan.rows, n + plan.columns)), shape=(n + m, n + m))
    _, labels = connected_components(graph, directed=False)
    weights = np.concatenate([exact.problem.a, exact.problem.b])
    potential, values = np.concatenate([exact.f, -exact.g]), np.concatenate([fx, fy])
    residual = _centred(values - potential, weights, labels)
    left, whole = (
        float(weights @ residual**2),
        float(weights @ _centred(potential, weights, np.zeros_like(labels)) ** 2),
    )
    components = len(np.unique(labels[weights > 0]))
    if whole == 0.0:
        return (1.0 if left <= 1e-12 * float(weights @ values**2) else 0.0), components
    return 1.0 - left / whole, components


def _centred(values: Array, weights: Array, labels: Array) -> Array:
    mass = np.bincount(labels, weights=weights)
    mean = np.bincount(labels, weights=weights * values) / np.where(mass > 0, mass, 1.0)
    return values - mean[labels]


def debias_value(value: float, penalty: float | None, found: GradientDiagnostics | None) -> dict[str, float]:
    """Undo the bias of a penalty of weight lambda.

    It makes the optimal critic 1 + W / (2 lambda) times too steep, so V = W + W^2 / (2 lambda).
    """
    if penalty is None:
        return {}
    true = remove_bias(value, penalty)
    record = {"de-biased value": true, "predicted slope 1 + W / (2 lambda)": 1 + true / (2 * penalty)}
    if found is not None and found.slope:
        record["V / mean |grad f| on the rays"] = value / found.slope
    return record


def pooled_spread(problem: TransportProblem) -> float:
    """Root of the summed variances of the coordinates of all points."""
    pooled = np.concatenate([problem.mu.points, problem.nu.points])
    return float(np.linalg.norm(pooled.std(axis=0)))


def compute_null_floor(mu: DiscreteMeasure, nu: DiscreteMeasure, rng: np.random.Generator) -> float:
    """Mean exact W1 between two random halves of each sample (at most ``HALF_POINTS`` points a half)."""
    floors = []
    for measure in (mu, nu):
        order = rng.permutation(measure.n)
        half = min(measure.n // 2, HALF_POINTS)
        if half:
            first, second = (DiscreteMeasure(measure.points[order[k * half : (k + 1) * half]]) for k in (0, 1))
            floors.append(solve(TransportProblem(first, second)).value)
    return float(np.mean(floors)) if floors else 0.0
