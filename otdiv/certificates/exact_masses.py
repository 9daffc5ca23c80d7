"""The masses of a plan whose arcs form a forest, computed from the weights in whole numbers.

On a forest the weights determine every mass, from the leaves inwards.  A mass that
float64 does not hold is stored as two entries of the same arc, so that the plan's
marginals are the weights to some thirty digits, and mostly exactly.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

MOST_ARCS = 50_000
"""Arcs up to which masses are computed so: about a third of a second."""


def exact_masses(problem: TransportProblem, plan: Plan) -> tuple[Plan, float] | None:
    """The plan on the same arcs with the marginals a and b sum(a) / sum(b), in real arithmetic.

    Returns
    -------
    plan : Plan
        Some arcs stand twice: the rounded mass, and what rounding lost.
    error : float
        Bound on |row sums - a|_1 + |column sums - b|_1: what a tree's own weights do not balance.
    None
        Arcs that form a cycle.
    """
    digits = max(_digits(problem.mu.weights), _digits(problem.nu.weights))
    a, b = _whole(problem.mu.weights, digits), _whole(problem.nu.weights, digits)
    total_a, total_b = sum(a), sum(b)
    nodes = [weight * total_b for weight in a] + [weight * total_a for weight in b]
    masses = _from_leaves(plan, problem.n, list(nodes))
    if masses is None:
        return None
    units = total_b << digits  # of mass 1
    parts = [(i, j, part) for i, j, whole in _arcs(plan, masses) for part in _two_floats(max(0, whole), units)]
    rows, columns, stored = (list(values) for values in zip(*parts, strict=True)) if parts else ([], [], [])
    error = _error_of(nodes, units, [*rows, *(problem.n + j for j in columns)], stored * 2)
    found = Plan(np.array(rows, np.intp), np.array(columns, np.intp), np.array(stored), plan.shape)
    return found, error


def _arcs(plan: Plan, masses: list[int]) -> zip[tuple[int, int, int]]:
    return zip(plan.rows.tolist(), plan.columns.tolist(), masses, strict=True)


def _two_floats(numerator: int, denominator: int) -> list[float]:
    """At most two positive floats whose sum is at most the fraction, and equal to it to twice float64's digits."""
    found = []
    for _ in range(2):
        part = numerator / denominator  # Python rounds a quotient of whole numbers correctly
        top, bottom = part.as_integer_ratio()
        if top * denominator > numerator * bottom:
            part = math.nextafter(part, 0.0)
            top, bottom = part.as_integer_ratio()
        if part > 0.0:
            found.append(part)
        numerator, denominator = numerator * bottom - top * denominator, denominator * bottom
    return found


def _error_of(nodes: list[int], units: int, ends: list[int], masses: list[float]) -> float:
    """At least sum over nodes |weight - masses of its arcs|, 0 where that is; weights are multiples of 1 / units."""
    ratios = [mass.as_integer_ratio() for mass in masses]
    common = max((bottom for _, bottom in ratios), default=1)  # powers of 2: each divides the largest
    sent = [0] * len(nodes)
    for node, (top, bottom) in zip(ends, ratios, strict=True):
        sent[node] += top * (common // bottom)
    off = sum(abs(weight * common - of_arcs * units) for weight, of_arcs in zip(nodes, sent, strict=True))
    return math.nextafter(off / (units * common) * (1 + 4 * UNIT), math.inf) if off else 0.0


def _digits(weights: Array) -> int:
    """Binary digits after the point that hold every weight exactly."""
    least = float(weights[weights > 0].min())
    return max(0, 53 - math.frexp(least)[1])


def _whole(weights: Array, digits: int) -> list[int]:
    """The weights as whole multiples of 2**-digits."""
    ratios = (weight.as_integer_ratio() for weight in weights.tolist())
    return [top * ((1 << digits) // bottom) for top, bottom in ratios]


def _from_leaves(plan: Plan, n: int, left: list[int]) -> list[int] | None:
    """The mass of each arc, taken from the node that has no other arc left; None on a cycle or a repeated arc."""
    arcs_of: list[set[int]] = [set() for _ in left]
    ends = list(zip(plan.rows.tolist(), (plan.columns + n).tolist(), strict=True))
    for k, (i, j) in enumerate(ends):
        arcs_of[i].add(k)
        arcs_of[j].add(k)
    masses: list[int] = [0] * len(ends)
    leaves = [node for node, arcs in enumerate(arcs_of) if len(arcs) == 1]
    placed = 0
    while leaves:
        leaf = leaves.pop()
        if not arcs_of[leaf]:
            continue
        (k,) = arcs_of[leaf]
        i, j = ends[k]
        other = j if leaf == i else i
        masses[k] = left[leaf]
        left[other] -= left[leaf]
        for end in (i, j):
            arcs_of[end].discard(k)
        if len(arcs_of[other]) == 1:
            leaves.append(other)
        placed += 1
    return masses if placed == len(ends) else None
