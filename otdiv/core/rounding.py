"""Sums of floats with a proved bound on their rounding error.

Everything that becomes a bound goes through here.

With u = 2**-53, a sum of k terms in numpy's pairwise order is off by at most
(19 + log2 k) u sum|x_i| (Higham, Accuracy and Stability of Numerical
Algorithms, section 4.2); ``PAIRWISE`` covers every k below 2**40.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Terms = Sequence[tuple[np.ndarray, np.ndarray]]

UNIT = 2.0**-53
PAIRWISE = 64
_EXACT_BELOW = 4096
_SPLIT = 2.0**27 + 1
_UNDERFLOW = 1e-300


def total(x: np.ndarray) -> float:
    """Sum of x: correctly rounded for short arrays, pairwise for long ones."""
    return math.fsum(x.tolist()) if x.size < _EXACT_BELOW else float(np.sum(x))


def sum_error(x_abs_total: float) -> float:
    """Bound on the error of :func:`total`, given the sum of |x|."""
    return (PAIRWISE + 2) * UNIT * x_abs_total


def dot_bounds(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Numbers lo <= sum x_i y_i <= hi, the sum taken in real arithmetic.

    Short arrays go through error-free products (Dekker) and an exact sum, so
    that lo and hi are neighbouring floats; long ones carry the a-priori bound.
    """
    return dots_bounds([(x, y)])[0]


def dots_bounds(*sums: Terms) -> list[tuple[float, float]]:
    """The same for several sums, each over one or more pairs (x, y); short ones share their products."""
    sizes = [sum(x.size for x, _ in terms) for terms in sums]
    if max(sizes) < _EXACT_BELOW:
        x = np.concatenate([x for terms in sums for x, _ in terms])
        y = np.concatenate([y for terms in sums for _, y in terms])
        top_x, top_y = float(np.abs(x).max(initial=0.0)), float(np.abs(y).max(initial=0.0))
        if max(top_x, top_y, top_x * top_y) < 1e280:
            products = x * y
            rounded, errors = products.tolist(), _product_errors(x, y, products).tolist()
            found, first = [], 0
            for size in sizes:
                part = slice(first, first + size)
                found.append(_around(math.fsum(rounded[part] + errors[part]), x[part], y[part]))
                first += size
            return found
    if len(sums) > 1:
        return [dots_bounds(terms)[0] for terms in sums]
    if len(sums[0]) > 1:
        lows, highs = zip(*(dot_bounds(x, y) for x, y in sums[0]), strict=True)
        return [(math.nextafter(math.fsum(lows), -math.inf), math.nextafter(math.fsum(highs), math.inf))]
    products = np.multiply(*sums[0][0])
    middle = float(np.sum(products))
    spread = (PAIRWISE + 2) * UNIT * float(np.sum(np.abs(products))) + products.size * 5e-324
    return [(middle - spread, middle + spread)]


def _around(middle: float, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The floats about a correctly rounded sum of products."""
    if middle == 0.0 and not np.any((x != 0) & (y != 0)):
        return 0.0, 0.0
    # products below 1e-290 lose their error terms to underflow: less than _UNDERFLOW in all
    return math.nextafter(middle - _UNDERFLOW, -math.inf), math.nextafter(middle + _UNDERFLOW, math.inf)


def _product_errors(x: np.ndarray, y: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The exact difference x_i y_i - fl(x_i y_i) of each product."""
    t = _SPLIT * x
    xh = t - (t - x)
    xl = x - xh
    t = _SPLIT * y
    yh = t - (t - y)
    yl = y - yh
    return xl * yl - (((products - xh * yh) - xl * yh) - xh * yl)


def below(x: np.ndarray) -> np.ndarray:
    """The next float below each entry: a downward rounding of a rounded result."""
    return np.nextafter(x, -np.inf)


def accurate_dots_bounds(*sums: Terms) -> list[tuple[float, float]]:
    """As :func:`dots_bounds`, within a few units in the last place whatever cancels, and at any scale.

    Both factors are scaled by powers of two, products and sums carry their rounding errors along (Ogita, Rump and
    Oishi, Accurate sum and dot product, 2005), and so only errors of errors are left: u**2 sum|x_i y_i|.
    """
    found = []
    for terms in sums:
        x, y = (np.concatenate([np.asarray(pair[side], dtype=np.float64) for pair in terms]) for side in (0, 1))
        kept = (x != 0) & (y != 0)
        x, y = x[kept], y[kept]
        if not x.size:
            found.append((0.0, 0.0))
            continue
        up_x, up_y = (-math.frexp(float(np.abs(v).max()))[1] for v in (x, y))
        x, y = np.ldexp(x, up_x), np.ldexp(y, up_y)  # the largest are near 1
        products = x * y
        middle, error = _accurate_total(products, _product_errors(x, y, products))
        error += products.size * _TINY
        found.append(
            (_scaled(middle - error, -up_x - up_y, -math.inf), _scaled(middle + error, -up_x - up_y, math.inf))
        )
    return found


_TINY = 2.0**-1060
"""What a product of factors of at most 1 may lose by underflow, its error term and the scaling included."""


def _accurate_total(x: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The sum of x and errors, and a bound on what is lost: halves are added with the error of each addition."""
    total, size = float(np.sum(errors)), float(np.sum(np.abs(errors)))
    while x.size > 1:
        half = x.size // 2
        a, b, rest = x[:half], x[half : 2 * half], x[2 * half :]
        s = a + b
        t = s - a
        lost = (a - (s - t)) + (b - t)
        total, size = total + float(np.sum(lost)), size + float(np.sum(np.abs(lost)))
        x = np.concatenate([s, rest])
    middle = float(x[0]) + total
    return middle, 2 * UNIT * abs(middle) + 4 * PAIRWISE * UNIT * size


def _scaled(value: float, power: int, towards: float) -> float:
    """value 2**power, rounded in one direction."""
    value = math.nextafter(value, towards)
    try:
        return math.nextafter(math.ldexp(value, power), towards)
    except OverflowError:
        beyond = math.copysign(math.inf, value)
        return beyond if beyond == towards else math.nextafter(beyond, 0.0)
