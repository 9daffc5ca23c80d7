"""Both bounds of a small dense problem, every rounding error added outward.

    lower = sum a_i f_i + sum b_j g_j  <=  value  <=  sum c_ij plan_ij = upper

Sums of products carry their rounding errors along (Ogita, Rump and Oishi, Accurate sum and dot product, SIAM J.
Sci. Comput. 26, 2005, proposition 5.5): of k terms, the result is off by at most
u |result| + (k u)**2 sum|x_i y_i| / (1 - k u)**2, u = 2**-53.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.rounding import UNIT
from otdiv.network_flow.small.rows import reduced_row

_SPLIT = 2.0**27 + 1
UNDERFLOW = 1e-300
"""More than any product of factors below 1e130 in size loses by underflow, its error term included."""


@kernel(borrows=True)
def add_products(x, y, start):
    """Add the products x_i y_i to (sum, errors, sum of sizes, terms that are not 0)."""
    total, errors, size, terms = start
    for i in range(len(x)):
        p, q = x[i], y[i]
        product = p * q
        t = _SPLIT * p
        high_p = t - (t - p)
        low_p = p - high_p
        t = _SPLIT * q
        high_q = t - (t - q)
        low_q = q - high_q
        lost = low_p * low_q - (((product - high_p * high_q) - low_p * high_q) - high_p * low_q)
        s = total + product
        t = s - total
        errors += ((total - (s - t)) + (product - t)) + lost
        total = s
        size += abs(product)
        terms += (p != 0.0) & (q != 0.0)
    return total, errors, size, terms


@kernel(borrows=True)
def bounds_of_sum(sum_of_products):
    """Numbers lo <= the sum <= hi, in real arithmetic; both 0 where every product has a factor 0."""
    total, errors, size, terms = sum_of_products
    if terms == 0:
        return 0.0, 0.0
    middle = total + errors
    relative = (terms + 4.0) * UNIT
    error = 3 * UNIT * abs(middle) + 2 * relative * relative * size + terms * UNDERFLOW
    return middle - error, middle + error


@kernel(borrows=True)
def sum_of(x):
    """The sum of x, each addition with its error: off by at most 2 u of it for non-negative x."""
    total, errors = 0.0, 0.0
    for i in range(len(x)):
        s = total + x[i]
        t = s - total
        errors += (total - (s - t)) + (x[i] - t)
        total = s
    return total + errors


@kernel(borrows=True)
def feasible_f(costs, g, f, reduced):
    """f_i <= min_j (c_ij - g_j) in real arithmetic: the computed minimum, one float lower where it was rounded up.

    Rounding is monotone, so a difference whose computed value is above the minimum is not below it in real
    arithmetic; of those that are equal to it the rounding error says.
    """
    for i in range(len(costs)):
        least = reduced_row(costs[i], g, reduced)
        f[i] = least
        for j in range(len(g)):
            if reduced[j] == least:
                t = least - costs[i, j]
                if (costs[i, j] - (least - t)) - (g[j] + t) < 0.0:  # the error of costs - g, exactly
                    f[i] = np.nextafter(least, -np.inf)
                    break


@kernel(borrows=True)
def prove(a, b, f, g, mass, price, marginal_error, weights_error, relative, absolute, least, largest):
    """(lower, value, upper) from feasible potentials and the arcs of a plan.

    Parameters
    ----------
    a, b : ndarray [n], [m]
        Weights; b already scaled to the mass of a.
    f, g : ndarray [n], [m]
        f_i + g_j <= c_ij for the computed costs, in real arithmetic.
    mass, price : ndarray [k]
        Of the arcs of the plan: their masses, and the computed costs.
    marginal_error : float
        Bound on |row sums - a|_1 + |column sums - b|_1.
    weights_error : float
        Relative error of b.
    relative, absolute : float
        Of a computed cost.
    least, largest : float
        Among the computed costs.
    """
    steepest = 0.0
    for j in range(len(g)):
        steepest = max(steepest, abs(g[j]))
    total = sum_of(a) * (1 + 8 * UNIT)
    dual, _ = bounds_of_sum(add_products(b, g, add_products(a, f, (0.0, 0.0, 0.0, 0))))
    low, high = bounds_of_sum(add_products(mass, price, (0.0, 0.0, 0.0, 0)))
    off = relative * abs(dual) + weights_error * total * steepest + absolute * total
    lower = dual - off * (1 + 8 * UNIT) - 4 * UNIT * abs(dual)
    signed = least < 0
    size = abs(high)
    if signed:
        size = 0.0
        for k in range(len(mass)):
            size += mass[k] * abs(price[k])
        size *= 1 + (len(mass) + 4) * UNIT
    cost_bound = max(abs(least), abs(largest)) * (1 + 2 * relative) + absolute
    off = 2 * relative * size + absolute * total + marginal_error * cost_bound * (2.0 if signed else 1.0)
    upper = high + off * (1 + 8 * UNIT) + 4 * UNIT * abs(high) * (off > 0)
    if not signed:
        lower = max(lower, 0.0)
    value = min(max(0.5 * low + 0.5 * high, lower), upper)
    return lower, value, upper
