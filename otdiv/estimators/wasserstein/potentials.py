"""Functions f, g with f(x) + g(y) <= |x - y|^p for all points of space, learnt from some of the points.

Each gives E f(X) + E g(Y) <= W_p^p for every P and Q; evaluated on points that it was not learnt from, the mean is an
estimate of a lower bound without bias.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import sqrtm

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array
from otdiv.costs import Euclidean
from otdiv.transport.solve import emd

Function = Callable[[Array], Array]
Pair = tuple[Function, Function]
_METRIC = Euclidean()


def transport_potential(x: Array, y: Array) -> Pair:
    """The optimal potential of the training points, extended to space by half of its two extreme extensions."""
    f, g = emd(x, y).potentials

    def u(z: Array) -> Array:
        values = np.empty(len(z))
        for rows in row_blocks(len(z), len(x) + len(y)):
            above = (_METRIC.matrix(z[rows], y) - g).min(axis=1)
            below = (f - _METRIC.matrix(z[rows], x)).max(axis=1)
            values[rows] = (above + below) / 2
        return values

    return u, lambda z: -u(z)


def along_direction(x: Array, y: Array) -> Pair:
    """The potential on the line of the projections to the difference of means."""
    step = x.mean(axis=0) - y.mean(axis=0)
    length = float(np.linalg.norm(step))
    direction = step / length if length > 0 else np.eye(x.shape[1])[0]
    # rounding may leave |direction| above 1 by an ulp
    return _on_line(x, y, lambda z: z @ direction * (1 - 1e-12))


def along_radius(x: Array, y: Array) -> Pair:
    """The potential on the line of the distances from the pooled mean."""
    centre = (x.mean(axis=0) + y.mean(axis=0)) / 2
    return _on_line(x, y, lambda z: np.linalg.norm(z - centre, axis=1))


def _on_line(x: Array, y: Array, coordinate: Function) -> Pair:
    """u(t) with u' = (G - F) in standard errors, between -1 and 1, of a 1-Lipschitz coordinate t."""
    a, b = np.sort(coordinate(x)), np.sort(coordinate(y))
    t = np.unique(np.concatenate([a, b]))
    ahead_x = np.searchsorted(a, t[:-1], side="right") / len(a)
    ahead_y = np.searchsorted(b, t[:-1], side="right") / len(b)
    spread = np.sqrt(ahead_x * (1 - ahead_x) / len(a) + ahead_y * (1 - ahead_y) / len(b))
    slope = np.clip((ahead_y - ahead_x) / np.maximum(spread, 1e-300), -1.0, 1.0)
    values = np.concatenate([[0.0], np.cumsum(slope * np.diff(t))])

    def u(z: Array) -> Array:
        return np.interp(coordinate(z), t, values)

    return u, lambda z: -u(z)


def shift_potentials(x: Array, y: Array) -> Pair:
    """For p = 2: the potentials of a translation; their mean is at most the squared distance of the means."""
    return _affine(x.mean(axis=0), y.mean(axis=0), np.eye(x.shape[1]), np.eye(x.shape[1]))


def affine_potentials(x: Array, y: Array) -> Pair:
    """For p = 2: the potentials of the optimal map between normal distributions of the same moments."""
    s, t = (np.atleast_2d(np.cov(z.T)) for z in (x, y))
    spread = float(np.trace(s) + np.trace(t))
    if spread == 0:
        return shift_potentials(x, y)
    ridge = 1e-6 * spread / len(s) * np.eye(len(s))  # any positive A will do; a singular covariance has no inverse
    root = np.real(sqrtm(s + ridge))
    inverse = np.linalg.inv(root)
    a = inverse @ np.real(sqrtm(root @ (t + ridge) @ root)) @ inverse
    a = (a + a.T) / 2
    return _affine(x.mean(axis=0), y.mean(axis=0), a, np.linalg.inv(a))


def _affine(centre_x: Array, centre_y: Array, a: Array, inverse: Array) -> Pair:
    """From 2 u . v <= u' A u + v' A^-1 v for the centred points u = x - centre_x, v = y - centre_y."""
    step = centre_x - centre_y
    half = float(step @ step) / 2

    def quadratic(w: Array, matrix: Array) -> Array:
        return (w * w).sum(axis=1) - ((w @ matrix) * w).sum(axis=1)

    def f(z: Array) -> Array:
        return quadratic(z - centre_x, a) + 2 * (z - centre_x) @ step + half

    def g(z: Array) -> Array:
        return quadratic(z - centre_y, inverse) - 2 * (z - centre_y) @ step + half

    return f, g


LEARNERS: dict[int, dict[str, Callable[[Array, Array], Pair]]] = {
    1: {"transport": transport_potential, "direction": along_direction, "radius": along_radius},
    2: {"shift": shift_potentials, "affine": affine_potentials},
}
"""For each p, the functions that learn potentials."""
