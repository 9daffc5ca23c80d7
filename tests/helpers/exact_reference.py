"""An independent exact reference: the optimal transport value in exact integer arithmetic.

Successive shortest paths (Dijkstra with potentials) on Python integers; shares
no code with otdiv.  Square roots enter with 120 binary digits.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt, lcm

SCALE = 2**120


def exact_cost(x, y, cost: str) -> list[list[Fraction]]:
    """The true costs of float points; irrational ones are cut at 120 binary digits."""
    xs = [[Fraction(float(v)) for v in row] for row in x]
    ys = [[Fraction(float(v)) for v in row] for row in y]
    return [[_distance([p - q for p, q in zip(u, v, strict=True)], cost) for v in ys] for u in xs]


def _distance(gap: list[Fraction], cost: str) -> Fraction:
    if cost == "cityblock":
        return sum((abs(g) for g in gap), Fraction(0))
    if cost == "chebyshev":
        return max(abs(g) for g in gap)
    if cost == "discrete":
        return Fraction(int(any(gap)))
    square = sum((g * g for g in gap), Fraction(0))
    if cost == "sqeuclidean":
        return square
    if cost == "euclidean":
        return Fraction(isqrt(square.numerator * SCALE * SCALE // square.denominator), SCALE)
    raise ValueError(cost)


def exact_emd(a, b, costs) -> Fraction | None:
    """min sum plan c for row sums a and column sums b * (sum a / sum b); None if infeasible.

    A cost of None or float inf forbids the arc.
    """
    a, b = [Fraction(v) for v in a], [Fraction(v) for v in b]
    total_a, total_b = sum(a), sum(b)
    supply, demand = [v * total_b for v in a], [v * total_a for v in b]
    unit = lcm(*(v.denominator for v in supply + demand))
    table = [[None if c is None or c == float("inf") else Fraction(c) for c in row] for row in costs]
    grain = lcm(*(c.denominator for row in table for c in row if c is not None), 1)
    integers = [[None if c is None else int(c * grain) for c in row] for row in table]
    value = _min_cost_flow([int(v * unit) for v in supply], [int(v * unit) for v in demand], integers)
    return None if value is None else Fraction(value, unit * grain) / total_b


def _min_cost_flow(supply: list[int], demand: list[int], cost: list[list[int | None]]) -> int | None:
    n, m = len(supply), len(demand)
    lowest = min((c for row in cost for c in row if c is not None), default=0)
    flow = [[0] * m for _ in range(n)]
    u, v = [0] * n, [0] * m  # reduced cost c - lowest - u + v >= 0 on arcs, 0 on arcs with flow
    supply, demand = supply[:], demand[:]
    while any(supply):
        dist_s = [0 if s > 0 else None for s in supply]
        dist_t: list[int | None] = [None] * m
        from_s: list[int | None] = [None] * m
        from_t: list[int | None] = [None] * n
        done_s, done_t = [False] * n, [False] * m
        target = None
        while True:
            near = [(d, 0, i) for i, d in enumerate(dist_s) if d is not None and not done_s[i]]
            near += [(d, 1, j) for j, d in enumerate(dist_t) if d is not None and not done_t[j]]
            if not near:
                break
            d, side, k = min(near)
            if side == 0:
                done_s[k] = True
                for j in range(m):
                    if not done_t[j] and cost[k][j] is not None:
                        through = d + cost[k][j] - lowest + u[k] - v[j]
                        if dist_t[j] is None or through < dist_t[j]:
                            dist_t[j], from_s[j] = through, k
            else:
                done_t[k] = True
                if demand[k] > 0:
                    target = k
                    break
                for i in range(n):
                    if flow[i][k] > 0 and not done_s[i] and (dist_s[i] is None or d < dist_s[i]):
                        dist_s[i], from_t[i] = d, k
        if target is None:
            return None
        reach = dist_t[target]
        for i in range(n):
            u[i] += min(dist_s[i], reach) if dist_s[i] is not None and done_s[i] else reach
        for j in range(m):
            v[j] += min(dist_t[j], reach) if dist_t[j] is not None and done_t[j] else reach
        path, j = [], target
        while True:
            i = from_s[j]
            path.append((i, j, 1))
            if from_t[i] is None:
                break
            path.append((i, from_t[i], -1))
            j = from_t[i]
        amount = min([supply[path[-1][0]], demand[target]] + [flow[i][j] for i, j, way in path if way < 0])
        for i, j, way in path:
            flow[i][j] += way * amount
        supply[path[-1][0]] -= amount
        demand[target] -= amount
    return sum(flow[i][j] * cost[i][j] for i in range(n) for j in range(m) if flow[i][j])
