"""What a trained critic proves: the interval for these points, and the one for the laws behind them.

Uses the critic as a function of numpy arrays only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.certificates.certificate import certify
from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array
from otdiv.critics.debias import Debiased, remove_bias
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.potentials.c_transform import mcshane
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.solve import emd

Function = Callable[[Any], Array]
PROOF_PAIRS = 50_000_000
"""Up to this many pairs the critic's c-transform is taken on all points."""
CONFIDENCE = 1.96
"""Standard errors on either side: 95 % where the mean is normal, as it is for some hundred points."""
REFEREES, REFEREE_POINTS = 4, 512
"""So many exact distances of samples this large bound the laws' distance from above, in the mean."""
STUDENT = 3.182
"""The 97.5 % point of Student's law with REFEREES - 1 degrees of freedom."""
_ATOMS = 2048


def mean_difference(f: Function, mu: DiscreteMeasure, nu: DiscreteMeasure) -> tuple[float, float]:
    """V = sum a f(x) - sum b f(y) and its standard error as an estimate of E f(X) - E f(Y).

    With weights the effective number of points is 1 / sum a^2.
    """
    value, variance = 0.0, 0.0
    for measure, sign in ((mu, 1.0), (nu, -1.0)):
        w = measure.weights / measure.mass
        values = f(measure.points)
        mean = float(w @ values)
        value += sign * mean
        variance += float(w @ (values - mean) ** 2) * float(w @ w)
    return value, float(np.sqrt(variance))


def proved_on_points(f: Function, problem: TransportProblem, constant: float | None) -> Bounds:
    """Interval of the exact distance of these very points that the critic proves.

    lower = the better of both c-transforms of f (potentials that are feasible whatever f is), and V / L;
    upper = the cost of some feasible plan, wide without an optimal one.
    """
    fx, fy = f(problem.mu.points), f(problem.nu.points)
    bounds = Bounds(0.0, np.inf)
    if problem.n * problem.m <= PROOF_PAIRS:
        for potentials in ((fx, None), (None, -fy)):
            proof = certify(problem, None, potentials).bounds
            bounds = Bounds(max(bounds.lower, proof.lower), min(bounds.upper, proof.upper))
    if constant is not None and constant > 0:
        # V / L in float64: 1e-12 covers the rounding of sums and of L
        value = float(problem.a @ fx - problem.b @ fy) / constant
        bounds = Bounds(max(bounds.lower, value - 1e-12 * float(np.abs(fx).max() + np.abs(fy).max())), bounds.upper)
    return bounds


@dataclass(frozen=True)
class Held:
    """What points that the critic has not seen say.

    Attributes
    ----------
    value, error : float
        V and its standard error.
    lower : float
        At most W1 of the laws in 97.5 % of all samples.
    """

    value: float
    error: float
    lower: float


def on_held_out(
    f: Function,
    train: tuple[DiscreteMeasure, DiscreteMeasure],
    held: tuple[DiscreteMeasure, DiscreteMeasure],
    constant: float | None,
) -> Held:
    """Held-out value; lower end by V / L, or for a critic without a proved L by its McShane extension.

    The extension of f from (some of) the training points is 1-Lipschitz, and close to f where f is.
    """
    value, error = mean_difference(f, *held)
    if constant is not None:
        scale = max(constant, 1e-300)
        return Held(value, error, max(0.0, (value - CONFIDENCE * error) / scale))
    atoms = np.concatenate([measure.points[:_ATOMS] for measure in train])
    extension = mcshane(f(atoms), atoms)
    few = tuple(DiscreteMeasure(m.points[:20_000], _scaled(m.weights[:20_000])) for m in held)
    v, e = mean_difference(extension, few[0], few[1])
    return Held(value, error, max(0.0, v - CONFIDENCE * e))


def _scaled(weights: Array) -> Array:
    return weights / weights.sum()


@dataclass(frozen=True)
class Referee:
    """Exact distances of small samples.

    Attributes
    ----------
    mean : float
        Their mean, whose expectation is at least the distance of the laws.
    upper : float
        At least W1 of the laws in 97.5 % of all samples.
    null_floor : float
        Mean distance of two samples of the first law: what a distance of 0 looks like.
    """

    mean: float
    upper: float
    null_floor: float


def referees(xs: list[DiscreteMeasure], ys: list[DiscreteMeasure]) -> Referee:
    """From independent samples of both laws: E EMD(P_n, Q_n) >= W1(P, Q), by convexity."""
    values = np.array([emd(x, y, normalize=True).value for x, y in zip(xs, ys, strict=True)])
    floors = [emd(first, second, normalize=True).value for first, second in zip(xs[::2], xs[1::2], strict=True)]
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return Referee(float(values.mean()), float(values.mean() + STUDENT * error), float(np.mean(floors)))


def bookkeeping(
    f: Function,
    gradient: Function,
    x: Array,
    y: Array,
    raw: float,
    weight: float,
    penalty: Callable[[Array], Array],
    rng: np.random.Generator,
    count: int = 2000,
) -> Debiased:
    """The three de-biased values and the convergence identity, on fresh segments between the laws.

    The rays of transport are taken as each x with the y against which f falls most steeply.
    """
    t = rng.uniform(size=(count, 1))
    places = t * x[rng.integers(len(x), size=count)] + (1 - t) * y[rng.integers(len(y), size=count)]
    norms = np.linalg.norm(gradient(places), axis=1)
    paid = weight * float(np.mean(penalty(norms)))
    # for (|g| - 1)^2 and its positive part alike the derivative of the penalty along f is 2 (|g| - 1) |g|
    excess = np.where(penalty(norms) > 0, norms - 1, 0.0)
    pull = 2 * weight * float(np.mean(excess * norms))
    starts, ends = rays(f, x[:count], y[:count])
    t = rng.uniform(size=(len(starts), 1))
    slope = float(np.mean(np.linalg.norm(gradient(t * starts + (1 - t) * ends), axis=1)))
    return Debiased(
        formula=remove_bias(max(raw, 0.0), weight),
        by_penalty=raw - 2 * paid,
        by_slope=raw / slope if slope > 0 else 0.0,
        identity=raw / pull if pull > 0 else np.inf,
    )


def rays(f: Function, x: Array, y: Array) -> tuple[Array, Array]:
    """Each x with the y that has the largest (f(x) - f(y)) / |x - y|."""
    x, y = x[:1000], y[:1000]
    distances = np.sqrt(np.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0.0))
    slopes = (f(x)[:, None] - f(y)) / np.maximum(distances, 1e-6 * max(float(distances.max()), 1e-300))
    return x, y[slopes.argmax(axis=1)]
