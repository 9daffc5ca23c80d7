"""The masses of a plan whose arcs form a large forest, computed from the weights with twice float64's digits.

As :mod:`otdiv.certificates.exact_masses`, in time proportional to the arcs.  A number is held as an unevaluated sum of
two floats, high + low; sums and products carry their rounding errors along (Dekker, A floating-point technique for
extending the available precision, Numerische Mathematik 18, 1971).  Nothing is proved here: the marginals of the plan
that comes out are measured by the auditor.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.trees.forest_order import list_leaves_first
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

_SPLIT = 2.0**27 + 1
"""Dekker's factor, by which a float is cut into two halves of its digits."""


def compensated_masses(problem: TransportProblem, plan: Plan) -> Plan | None:
    """The plan on the same arcs with the marginals a and b sum(a) / sum(b) to some thirty digits.

    Some arcs stand twice: the rounded mass, and what rounding lost.  None: arcs that form a cycle.
    """
    high, low = np.zeros((2, problem.n + problem.m))
    high[: problem.n] = problem.mu.weights
    _scale(problem.nu.weights, *_total(problem.mu.weights), *_total(problem.nu.weights), high, low, problem.n)
    arcs, leaves = list_leaves_first(problem.n, problem.m, plan.rows, plan.columns)
    if len(arcs) < len(plan):
        return None
    masses, rests = np.zeros((2, len(plan)))
    _masses_in_order(problem.n, plan.rows, plan.columns, arcs, leaves, high, low, masses, rests)
    rows, columns, mass = (np.concatenate(two) for two in ([plan.rows] * 2, [plan.columns] * 2, [masses, rests]))
    kept = mass > 0
    return Plan(rows[kept], columns[kept], mass[kept], plan.shape)


def _total(weights: Array) -> tuple[float, float]:
    high = math.fsum(weights.tolist())
    return high, math.fsum([*weights.tolist(), -high])


@kernel()
def _scale(weights, total_a, rest_a, total_b, rest_b, high, low, first):
    """weights_j * (total_a + rest_a) / (total_b + rest_b), from place ``first`` on."""
    ratio = total_a / total_b
    product, error = _product(ratio, total_b)
    rest = ((total_a - product) - error + rest_a - ratio * rest_b) / total_b
    for j in range(len(weights)):
        product, error = _product(weights[j], ratio)
        high[first + j], low[first + j] = _sum(product, error + weights[j] * rest)


@kernel()
def _masses_in_order(n, rows, columns, arcs, leaves, high, low, masses, rests):
    """The mass of each arc: what its leaf has; ``high + low`` [n + m] become what is left at the nodes."""
    for e in range(len(arcs)):
        k, v = arcs[e], leaves[e]
        w = rows[k] + n + columns[k] - v
        mass, rest = max(high[v], 0.0), low[v] if high[v] > 0.0 else 0.0
        if rest < 0.0:
            lowered = np.nextafter(mass, 0.0)
            rest += mass - lowered
            mass = lowered
        masses[k], rests[k] = mass, max(rest, 0.0)
        total, error = _sum(high[w], -high[v])
        high[w], low[w] = _sum(total, error + (low[w] - low[v]))


@kernel()
def _sum(x, y):
    """x + y, and its rounding error (Knuth)."""
    total = x + y
    of_y = total - x
    return total, (x - (total - of_y)) + (y - of_y)


@kernel()
def _product(x, y):
    """x * y, and its rounding error (Dekker)."""
    product = x * y
    cut_x, cut_y = _SPLIT * x, _SPLIT * y
    x1 = cut_x - (cut_x - x)
    y1 = cut_y - (cut_y - y)
    x2, y2 = x - x1, y - y1
    return product, ((x1 * y1 - product) + x1 * y2 + x2 * y1) + x2 * y2
