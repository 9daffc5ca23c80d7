"""Search for the steepest slope of a critic: ascent on |grad f|, halving of steep pairs.  Lower bounds, never more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.core.validation import Array
from otdiv.transport.result import TransportResult

Function = Callable[[Array], Array]
CLIMBERS, CLIMBS = 100, 10
"""Number of the steepest points from which steeper ones are searched, and steps of each search."""
HALVINGS = 12
"""Of a pair: its slope never falls, and the pair ends 4 000 times as close."""
CLEAR = 1000.0
"""Times the rounding of values that a rise must have to be halved further: its slope is then right to 0.2 %."""


def climb(
    gradients: Function,
    starts: Array,
    norms: Array,
    rng: np.random.Generator,
    box: tuple[Array, Array] | None = None,
) -> float:
    """The largest |grad f| found from the steepest starts.

    Each point moves to the steepest of three neighbours (ahead along its gradient, behind, in a random direction) where
    that is steeper; steps are of random length, since |grad f| of a piecewise linear critic has no slope itself.

    Parameters
    ----------
    gradients : callable
        [k, d] -> [k, d]; entries that are NaN or infinite count for nothing.
    starts : ndarray [k, d]
    norms : ndarray [k]
        |grad f| there.
    rng : numpy.random.Generator
    box : (ndarray [d], ndarray [d]), optional
        Corners of a box that is not left.
    """
    lower, upper = (-np.inf, np.inf) if box is None else box
    chosen = np.argsort(norms)[-CLIMBERS:]
    at, steepest = starts[chosen], norms[chosen]
    longest = 0.1 * float(np.linalg.norm(starts.std(axis=0)))
    for _ in range(CLIMBS):
        gradient = np.nan_to_num(gradients(at), nan=0.0, posinf=0.0, neginf=0.0)
        away = rng.normal(size=at.shape)
        for direction in (gradient, -gradient, away):
            size = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
            step = longest * 10.0 ** rng.uniform(-2, 0, size=(len(at), 1))
            trial = np.clip(at + step * direction / size, lower, upper)
            found = np.nan_to_num(np.linalg.norm(gradients(trial), axis=1), nan=0.0, posinf=0.0)
            better = found > steepest
            at, steepest = np.where(better[:, None], trial, at), np.where(better, found, steepest)
    return float(steepest.max(initial=0.0))


def halve_pairs(values: Function, exact: TransportResult, fx: Array, fy: Array, noise: float) -> float:
    """The steepest slope found between points of the segments that the plan moves along.

    Of both halves of a segment one is at least as steep as the whole; it is halved again.

    Parameters
    ----------
    values : callable
        [k, d] -> [k].
    exact : TransportResult
    fx, fy : ndarray [n], [m]
        Values at its points.
    noise : float
        Rounding error of a value.
    """
    plan, x, y = exact.plan, exact.problem.mu.points, exact.problem.nu.points
    start, end, at_start, at_end = x[plan.rows], y[plan.columns], fx[plan.rows], fy[plan.columns]
    length = np.linalg.norm(start - end, axis=1)
    rise = np.abs(at_start - at_end)
    moving = np.flatnonzero((length > 0) & (rise > CLEAR * noise))
    if not len(moving):
        return 0.0
    chosen = moving[np.argsort(rise[moving] / length[moving])[-CLIMBERS:]]
    start, end, at_start, at_end = start[chosen], end[chosen], at_start[chosen], at_end[chosen]
    steepest = float((rise[chosen] / length[chosen]).max())
    for _ in range(HALVINGS):
        middle = (start + end) / 2
        at_middle = values(middle)
        known = np.isfinite(at_middle)
        first = np.abs(at_middle - at_start) >= np.abs(at_end - at_middle)
        start, at_start = np.where(first[:, None], start, middle), np.where(first, at_start, at_middle)
        end, at_end = np.where(first[:, None], middle, end), np.where(first, at_middle, at_end)
        rise, length = np.abs(at_start - at_end), np.linalg.norm(start - end, axis=1)
        clear = known & (rise > CLEAR * noise) & (length > 0)
        if not clear.any():
            break
        start, end, at_start, at_end = start[clear], end[clear], at_start[clear], at_end[clear]
        steepest = max(steepest, float((rise[clear] / length[clear]).max()))
    return steepest
