"""What a trained critic proves: the interval for these points, and the one for the distributions behind them.

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
from otdiv.critics.auditing.reference import affordable
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.potentials.c_transform import mcshane
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.solve import emd

Function = Callable[[Any], Array]
PROOF_PAIRS = 50_000_000
"""Pairs of points up to which the critic's c-transform is taken on all of them, or where exact transport is
affordable, which takes longer; more of them prove larger problems, in time proportional to the pairs."""
CONFIDENCE = 1.96
"""Standard errors on either side: 95 % where the mean is normal, as it is for some hundred points."""
REFERENCE_SAMPLES, REFERENCE_POINTS = 4, 512
"""Number and size of the samples whose exact distances bound that of the distributions from above, in the mean;
more points lower their bias, more samples their standard error."""
STUDENT = 3.182
"""The 97.5 % point of Student's t distribution with REFERENCE_SAMPLES - 1 degrees of freedom."""
_ATOMS, _EXTENDED_POINTS = 2048, 20_000
"""Points from which a critic without a proved constant is extended, and at which its extension is evaluated."""


def difference_of_means(fx: Array, fy: Array, mu: DiscreteMeasure, nu: DiscreteMeasure) -> tuple[float, float]:
    """V = sum a f(x) - sum b f(y) and its standard error as an estimate of E f(X) - E f(Y).

    With weights the effective number of points is 1 / sum a^2.

    Parameters
    ----------
    fx, fy : ndarray [n], [m]
        Values of f at the points of mu and nu.
    mu, nu : DiscreteMeasure
    """
    value, variance = 0.0, 0.0
    for measure, values, sign in ((mu, fx, 1.0), (nu, fy, -1.0)):
        w = measure.weights / measure.mass
        mean = float(w @ values)
        value += sign * mean
        variance += float(w @ (values - mean) ** 2) * float(w @ w)
    return value, float(np.sqrt(variance))


def mean_difference(f: Function, mu: DiscreteMeasure, nu: DiscreteMeasure) -> tuple[float, float]:
    """:func:`difference_of_means` of a function."""
    return difference_of_means(f(mu.points), f(nu.points), mu, nu)


def proved_on_points(f: Function, problem: TransportProblem, constant: float | None) -> Bounds:
    """Interval of the exact distance of these very points that the critic proves.

    lower = the better of both c-transforms of f (potentials that are feasible whatever f is), and V / L;
    upper = the cost of some feasible plan, wide without an optimal one.
    """
    fx, fy = f(problem.mu.points), f(problem.nu.points)
    bounds = Bounds(0.0, np.inf)
    if problem.n * problem.m <= PROOF_PAIRS or affordable(problem):
        for potentials in ((fx, None), (None, -fy)):
            proof = certify(problem, None, potentials).bounds
            bounds = Bounds(max(bounds.lower, proof.lower), min(bounds.upper, proof.upper))
    if constant is not None and constant > 0:
        # V / L in float64: 1e-12 covers the rounding of sums and of L
        value = float(problem.a @ fx - problem.b @ fy) / constant
        bounds = Bounds(max(bounds.lower, value - 1e-12 * float(np.abs(fx).max() + np.abs(fy).max())), bounds.upper)
    return bounds


@dataclass(frozen=True)
class HeldOutValue:
    """The value of a critic on points that it was not trained on.

    Attributes
    ----------
    value, error : float
        V and its standard error.
    lower : float
        At most W1 of the distributions in 97.5 % of all samples.
    """

    value: float
    error: float
    lower: float


def on_held_out(
    f: Function,
    train: tuple[DiscreteMeasure, DiscreteMeasure],
    held_out: tuple[DiscreteMeasure, DiscreteMeasure],
    constant: float | None,
) -> HeldOutValue:
    """Held-out value; lower end by V / L, or for a critic without a proved L by its McShane extension.

    The extension of f from (some of) the training points is 1-Lipschitz, and close to f where f is.
    """
    value, error = mean_difference(f, *held_out)
    if constant is not None:
        scale = max(constant, 1e-300)
        return HeldOutValue(value, error, max(0.0, (value - CONFIDENCE * error) / scale))
    atoms = np.concatenate([measure.points[:_ATOMS] for measure in train])
    extension = mcshane(f(atoms), atoms)
    few = tuple(DiscreteMeasure(m.points[:_EXTENDED_POINTS], m.weights[:_EXTENDED_POINTS]) for m in held_out)
    v, e = mean_difference(extension, few[0], few[1])
    return HeldOutValue(value, error, max(0.0, v - CONFIDENCE * e))


@dataclass(frozen=True)
class ExactReference:
    """Exact distances of small samples.

    Attributes
    ----------
    mean : float
        Their mean, whose expectation is at least the distance of the distributions.
    upper : float
        At least W1 of the distributions in 97.5 % of all samples.
    null_floor : float
        Mean distance of two samples of the first distribution: the level at which a distance of 0 shows.
    """

    mean: float
    upper: float
    null_floor: float


def exact_reference(xs: list[DiscreteMeasure], ys: list[DiscreteMeasure]) -> ExactReference:
    """From independent samples of both distributions: E EMD(P_n, Q_n) >= W1(P, Q), by convexity."""
    values = np.array([emd(x, y, normalize=True).value for x, y in zip(xs, ys, strict=True)])
    floors = [emd(first, second, normalize=True).value for first, second in zip(xs[::2], xs[1::2], strict=True)]
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return ExactReference(float(values.mean()), float(values.mean() + STUDENT * error), float(np.mean(floors)))
