"""Assignment of equal masses one to one on a sparse set of arcs: its state, and the auction.

With all masses equal a plan is an assignment.  It is kept with potentials f, g that satisfy, on the arcs of
the graph,

    f_i + g_j <= c_ij on every arc,      c_ij <= f_i + g_j + eps on every assigned one,

and is optimal on these arcs when every source is assigned and eps = 0.

In the auction an unassigned source bids: it takes its best target from the source that holds it and lowers
g there until the target is only eps better than the second best (Bertsekas, Annals of Operations Research
14, 1988).  Bids are cheap and local, but the last few sources outbid one another many times; those are left
to a search for augmenting paths (:mod:`otdiv.network_flow.alternating_forest`).

In this only g falls and only f rises, each by no more than both conditions allow.  Where g is too low at a few
targets, at outliers say, all others have to fall by as much.  There unassigned targets bid for sources instead
(:func:`run_reverse_bids`), so that g rises at these few alone (Bertsekas and Castanon, Computational Optimization and
Applications 1, 1992).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.graph import CompressedRows, find_two_lowest, prefetch_arcs, prefetch_start

UNASSIGNED = -1
_AHEAD = 2
"""Bids before a source's own at which its arcs are fetched from memory, and again before that where they begin."""


class Assignment(NamedTuple):
    """An assignment, perhaps partial, with its potentials.

    Attributes
    ----------
    f, g : ndarray [n], [m]
    target : ndarray of int32 [n]
        Of each source; -1: the source is unassigned.
    cost : ndarray [n]
        Of the assigned arc.
    source : ndarray of int32 [m]
        Of each target; -1: the target is unassigned.
    """

    f: Array
    g: Array
    target: Array
    cost: Array
    source: Array


def empty_assignment(f: Array, g: Array) -> Assignment:
    """``target[i] = -1`` and ``source[j] = -1`` everywhere, with copies of the potentials."""
    n, m = len(f), len(g)
    target, source = np.full(n, UNASSIGNED, np.int32), np.full(m, UNASSIGNED, np.int32)
    return Assignment(f.copy(), g.copy(), target, np.zeros(n), source)


@kernel()
def restore_slackness(graph, assignment, eps):
    """Set f_i = min c - g over the arcs of i; assigned arcs above that by more than eps are unassigned.

    Returns the mean amount by which the second best arc of a source is above the best.
    """
    f, g, target, cost, source = assignment
    n = len(f)
    gaps = 0.0
    for i in range(n):
        best, second, _ = find_two_lowest(graph, g, i)
        f[i] = best
        if second < np.inf:
            gaps += (second - best) / n
        j = target[i]
        if j >= 0 and cost[i] - g[j] > best + eps:
            target[i], source[j] = UNASSIGNED, UNASSIGNED
    return gaps


@kernel()
def run_bids(graph, assignment, eps, few, most):
    """Let unassigned sources bid until at most ``few`` are left or ``most`` bids were made; returns the bids.

    f is not kept up to date; :func:`restore_slackness` does that.
    """
    start, heads, costs = graph
    f, g, target, cost, source = assignment
    n = len(f)
    active, outbid = np.empty(n, np.int32), np.empty(n, np.int32)
    count = 0
    for i in range(n):
        if target[i] < 0 and start[i] < start[i + 1]:
            active[count] = i
            count += 1
    bids = 0
    while count > few and bids < most:
        losers = 0
        for q in range(count):
            i = active[q]
            if q + 2 * _AHEAD < count:
                prefetch_start(graph, active[q + 2 * _AHEAD])
            if q + _AHEAD < count:
                prefetch_arcs(graph, active[q + _AHEAD])
            best, second, at = find_two_lowest(graph, g, i)
            j = heads[at]
            g[j] -= eps + (second - best if second < np.inf else 0.0)
            before = source[j]
            if before >= 0:
                target[before] = UNASSIGNED
                outbid[losers] = before
                losers += 1
            source[j], target[i], cost[i] = i, j, costs[at]
        bids += count
        active, outbid = outbid, active
        count = losers
    return bids


def run_reverse_bids(columns: CompressedRows, assignment: Assignment, eps: float, few: int, most: int) -> int:
    """As :func:`run_bids`, but unassigned targets bid for sources: g rises and f falls.

    ``columns`` has the arcs of the graph by target.  f has to be up to date when sources have bid before; g is, at the
    end.
    """
    f, g, target, cost, source = assignment
    by_target = Assignment(g, f, source, cost[source], target)
    bids = int(run_bids(columns, by_target, eps, few, most))
    restore_slackness(columns, by_target, np.inf)
    assigned = np.flatnonzero(target != UNASSIGNED)
    cost[assigned] = by_target.cost[target[assigned]]
    return bids
