"""Finite differences, the independent witness of every derivative in the lecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array


def slope(f: Callable[[float], float], at: float, step: float = 1e-5) -> float:
    """f'(at) by a central difference; the error is of order step**2."""
    return (f(at + step) - f(at - step)) / (2.0 * step)


def curvature(f: Callable[[float], float], at: float, step: float = 1e-4) -> float:
    """f''(at) by a second difference; the error is of order step**2."""
    return (f(at + step) - 2.0 * f(at) + f(at - step)) / step**2


def gradient(f: Callable[[Array], float], at: Array, step: float = 1e-5) -> Array:
    """Gradient of f at a point [n], one central difference for each coordinate."""
    steps = step * np.eye(len(at))
    return np.array([(f(at + e) - f(at - e)) / (2.0 * step) for e in steps])


def largest(deviation: Any) -> float:
    """The largest absolute entry."""
    return float(np.max(np.abs(deviation)))
