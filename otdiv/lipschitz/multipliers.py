"""Multipliers of a layer-wise Lipschitz bound: one positive number for each unit, chosen to make the bound small.

Nothing here is proved: :mod:`otdiv.lipschitz.layerwise` proves what follows from any positive multipliers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from otdiv.core.threads import limited_blas
from otdiv.core.validation import Array

Weights = list[Array]
Slopes = list[tuple[float, float]]
ITERATIONS, MEMORY = 240, 20
"""Steps of the minimisation, and pairs that its approximation of second derivatives keeps."""
LONGEST = 2.0
"""Most by which the logarithm of a multiplier may change in a step."""
BARRIERS = (1e-2, 3e-3, 1e-3, 0.0)
"""Weights of the logarithms of the forms' determinants, one after the other; smaller ones come closer to the optimum,
where a form is singular."""
RANGE, OUTSIDE = 6.0, 1e-2
"""Logarithm up to which a multiplier may differ from the first one freely, and the weight of the square of what is
beyond: multipliers without effect on the bound would go to infinity, and forms out of what float64 can prove."""
LEAST_HALF = 1e-6
"""Half range of slopes that is used where it is smaller (the identity), so that multipliers stay finite."""
STALLED = 1e-6
"""Decrease of the logarithm of the bound's square at which the minimisation ends."""


def forms(
    log_multipliers: Array, weights: Weights, slopes: Slopes, slack: float
) -> tuple[float, list[Array], list[Array]] | None:
    """The bound's square r, multipliers t_k and forms Q_k with d_k' Q_k d_k <= |d_0|^2; None where one is not definite.

    Each form is shrunk by the factor 1 - ``slack`` before it enters the next, so that every step holds strictly.

    Q_0 = I;  R = Q + l h W' T W;  Q_next = T - ((l + h) / 2)^2 T W R^-1 W' T, slopes in [l, h], T = diag(t).
    """
    found = _forward(log_multipliers, weights, slopes, slack)
    return None if found is None else (found[0], [step[1] for step in found[1]], found[2])


def first_multipliers(weights: Weights, slopes: Slopes) -> Array:
    """Logarithms of equal multipliers in each layer, by which the bound is at most the product of norms."""
    form, chosen = np.eye(weights[0].shape[1]), []
    for W, (low, high) in zip(weights[:-1], slopes, strict=True):
        top = max(float(np.linalg.eigvalsh(W @ np.linalg.solve(form, W.T))[-1]), 1e-100)
        middle, half = (low + high) / 2, (high - low) / 2
        t = 1 / (high * max(half, LEAST_HALF) * top)  # the best for one unit
        chosen.append(np.full(len(W), np.log(t)))
        stretched = W @ np.linalg.solve(form + low * high * t * (W.T @ W), W.T)
        form = t * np.eye(len(W)) - (middle * t) ** 2 * stretched
    return np.concatenate(chosen) if chosen else np.zeros(0)


def best_multipliers(weights: Weights, slopes: Slopes, iterations: int = ITERATIONS) -> Array:
    """Logarithms of multipliers that minimise the bound: the optimum of LipSDP with one multiplier a unit.

    The square of the bound is convex in the multipliers (an iterated Schur complement is concave), so a descent
    finds the optimum of the semidefinite program (Fazlyab et al. 2019) without solving it.
    """
    start = first_multipliers(weights, slopes)
    if not start.size:
        return start
    with limited_blas():
        best, least = start, _value_and_gradient(start, weights, slopes, 0.0)[0]
        theta = start
        for barrier in BARRIERS:

            def objective(at: Array, barrier: float = barrier) -> tuple[float, Array]:
                value, gradient = _value_and_gradient(at, weights, slopes, barrier)
                beyond = np.sign(at - start) * np.maximum(np.abs(at - start) - RANGE, 0.0)
                return value + OUTSIDE * float(beyond @ beyond), gradient + 2 * OUTSIDE * beyond

            theta = _minimise(objective, theta, iterations // len(BARRIERS))
            value = _value_and_gradient(theta, weights, slopes, 0.0)[0]
            if value < least:
                best, least = theta, value
    return best


def _forward(
    theta: Array, weights: Weights, slopes: Slopes, slack: float = 0.0
) -> tuple[float, list[tuple], list[Array], Array] | None:
    """The bound's square, the steps, the forms, and Q^-1 w for the last layer's steepest direction w."""
    form, first = np.eye(weights[0].shape[1]), 0
    steps, found = [], []
    try:
        for W, (low, high) in zip(weights[:-1], slopes, strict=True):
            t = np.exp(theta[first : first + len(W)])
            first += len(W)
            middle, product = (low + high) / 2, low * high
            R = form + product * (W.T * t) @ W if product else form
            solved = cho_solve(cho_factor(R, lower=True, check_finite=False), W.T, check_finite=False)
            stretched = W @ solved
            form = np.diag(t) - middle**2 * t[:, None] * stretched * t
            form = (1 - slack) * (form + form.T) / 2
            steps.append((W, t, middle, product, solved, stretched))
            found.append(form)
        last = weights[-1]
        solved = cho_solve(cho_factor(form, lower=True, check_finite=False), last.T, check_finite=False)
    except (LinAlgError, ValueError):
        return None
    values, vectors = np.linalg.eigh(last @ solved)
    return float(values[-1]), steps, found, solved @ vectors[:, -1]


def _value_and_gradient(theta: Array, weights: Weights, slopes: Slopes, barrier: float) -> tuple[float, Array]:
    """log r - barrier sum_k log det Q_k, and its gradient by the logarithms of the multipliers."""
    found = _forward(theta, weights, slopes)
    if found is None or not 0 < found[0] < np.inf:
        return np.inf, np.zeros_like(theta)
    value, steps, shapes, direction = found
    G = -np.outer(direction, direction) / value  # derivative by the last form
    gradient, total = [], float(np.log(value))
    for (W, t, middle, product, solved, stretched), form in zip(reversed(steps), reversed(shapes), strict=True):
        if barrier:
            total -= barrier * float(np.linalg.slogdet(form)[1])
            G = G - barrier * np.linalg.inv(form)
        by_t = np.diag(G) - 2 * middle**2 * np.einsum("ij,ji->i", stretched * t, G)
        H = middle**2 * solved @ (t[:, None] * G * t) @ solved.T  # derivative by R
        if product:
            by_t = by_t + product * np.einsum("ij,ij->i", W @ H, W)
        gradient.append(by_t * t)
        G = H
    return total, np.concatenate(gradient[::-1])


def _minimise(function: Callable[[Array], tuple[float, Array]], theta: Array, iterations: int) -> Array:
    """Descent with limited memory (L-BFGS, Nocedal 1980); a step to an infinite value is halved."""
    value, gradient = function(theta)
    if not np.isfinite(value):
        return theta
    pairs: list[tuple[Array, Array]] = []
    for _ in range(iterations):
        direction, kept = gradient.copy(), []
        for s, y in reversed(pairs):
            kept.append((s @ direction) / (s @ y))
            direction -= kept[-1] * y
        largest = max(float(np.abs(gradient).max()), 1e-300)
        direction *= (pairs[-1][0] @ pairs[-1][1]) / (pairs[-1][1] @ pairs[-1][1]) if pairs else 0.1 / largest
        for (s, y), factor in zip(pairs, reversed(kept), strict=True):
            direction += s * (factor - (y @ direction) / (s @ y))
        slope = float(direction @ gradient)
        if slope <= 0:
            pairs, direction = [], gradient * 0.1 / largest
            slope = float(direction @ gradient)
        step = min(1.0, LONGEST / max(float(np.abs(direction).max()), 1e-300))
        for _ in range(30):
            trial, by_trial = function(theta - step * direction)
            if trial <= value - 1e-4 * step * slope:
                break
            step *= 0.5
        else:
            return theta
        moved, turned = -step * direction, by_trial - gradient
        if moved @ turned > 1e-12 * np.linalg.norm(moved) * np.linalg.norm(turned):
            pairs = [*pairs[1 - MEMORY :], (moved, turned)]
        theta, gained, value, gradient = theta + moved, value - trial, trial, by_trial
        if gained < STALLED:
            return theta
    return theta
