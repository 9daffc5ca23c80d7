"""Transport of any masses on a sparse set of arcs, optimal up to eps, by the auction for transportation problems.

The state is a pseudoflow, which may leave mass at its sources, with potentials f, g such that

    f_i + g_j <= c_ij + eps on every arc,      c_ij <= f_i + g_j + eps on every arc with flow.

A source with mass left sends all of it to its best target and raises f to the second best.  A target with
more than it needs lowers g until the source that finds a better target first withdraws, then the next
(Bertsekas and Castanon, Annals of Operations Research 20, 1989).  Small remainders of mass would be outbid
many times; so at intervals all prices fall at once by the distance, in units of eps, to the targets that
still need mass (:mod:`otdiv.network_flow.global_price_update`).

In this only g falls and only f rises.  Where g is too low at a few targets, at outliers say, all others have to fall
by as much, which takes many bids of each source.  Both conditions treat sources and targets alike, so that targets in
need may bid too (:func:`run_reverse_auction`): then g rises at these few alone (Bertsekas and Castanon, Computational
Optimization and Applications 1, 1992).

Between tolerances :func:`restore_slackness` takes back the flow that the next, smaller one does not allow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.global_price_update import lower_prices
from otdiv.network_flow.graph import TwoWayRows, find_two_lowest, transpose
from otdiv.network_flow.heap import push_record, replace_top

_BIDS_BETWEEN_UPDATES = 2
"""Bids per source between two updates of all prices.  More: fewer updates, longer price wars."""


class Pseudoflow(NamedTuple):
    """Potentials, and a flow that may not have delivered all mass.

    Attributes
    ----------
    f, g : ndarray [n], [m]
    flow : ndarray of int64 [arcs]
    excess : ndarray of int64 [n]
        Mass left at each source.
    deficit : ndarray of int64 [m]
        Mass missing at each target.
    """

    f: Array
    g: Array
    flow: Array
    excess: Array
    deficit: Array


@kernel()
def restore_slackness(graph, pseudoflow, eps):
    """Set f_i = min c - g over the arcs of i; flow on arcs above that by more than eps returns to its source.

    Returns the mean amount by which the second best arc of a source is above the best.
    """
    rows, _, _, _ = graph
    start, heads, costs = rows
    f, g, flow, excess, deficit = pseudoflow
    n = len(f)
    gaps = 0.0
    for i in range(n):
        best, second, _ = find_two_lowest(rows, g, i)
        f[i] = best
        if second < np.inf:
            gaps += (second - best) / n
        for k in range(start[i], start[i + 1]):
            if flow[k] > 0 and costs[k] - g[heads[k]] > best + eps:
                excess[i] += flow[k]
                deficit[heads[k]] += flow[k]
                flow[k] = 0
    return gaps


@kernel()
def _raise_potentials(graph, pseudoflow):
    """Raise f_i to min c - g over the arcs of i where it is lower, which leaves all flow where it is."""
    rows, _, _, _ = graph
    f, g, _, _, _ = pseudoflow
    for i in range(len(f)):
        best, _, _ = find_two_lowest(rows, g, i)
        f[i] = max(f[i], best)


@kernel()
def run_auction(graph, pseudoflow, eps, max_drop, few, most):
    """Bid until at most ``few`` sources have mass left, or until about ``most`` arcs were scanned.

    Ends too when an update of the prices finds that some mass cannot be delivered unless prices fall by more
    than ``max_drop`` times eps: then arcs are missing.  f is brought up to date, raised to min c - g, at the end
    alone.  An update takes it as it is, and where it is too low, flow may end on arcs above the best of its source by
    more than eps; to bring f up to date before takes a fifth more time and saves as many pivots.

    Returns
    -------
    bids, scanned : int
        Bids made, arcs scanned.
    arcs_missing : bool
    """
    rows, tails, columns, numbers = graph
    start, heads, costs = rows
    into = columns.start
    f, g, flow, excess, deficit = pseudoflow
    n, m = len(f), len(g)
    # arcs with flow to each target: a heap in the target's row, most expensive at the prices of their last visit first
    levels, held, holders = np.empty((len(costs), 2)), np.empty((len(costs), 2), np.uint32), np.zeros(m, np.uint32)
    for j in range(m):
        for q in range(into[j], into[j + 1]):
            k = numbers[q]
            if flow[k] > 0:
                push_record(levels, held, into[j], holders[j], costs[k] - f[tails[k]], costs[k], k, tails[k])
                holders[j] += 1
    queue, queued = np.empty(n, np.uint32), np.zeros(n, np.bool_)
    head = size = 0
    for i in range(n):
        if excess[i] > 0:
            queue[size], queued[i] = i, True
            size += 1
    bids = scanned = since = 0
    arcs_missing = False
    while size > few and scanned < most:
        if since >= _BIDS_BETWEEN_UPDATES * n:
            more, arcs_missing = lower_prices(graph, pseudoflow, eps, max_drop)
            scanned += more
            since = 0
            if arcs_missing:
                break
        i = queue[head]
        head = head + 1 if head + 1 < n else 0
        size -= 1
        queued[i] = False
        while excess[i] > 0 and scanned < most:
            bids += 1
            since += 1
            scanned += np.int64(start[i + 1] - start[i])
            best, second, at = find_two_lowest(rows, g, i)
            j = heads[at]
            sent = excess[i]
            excess[i] = 0
            deficit[j] -= sent
            f[i] = max(f[i], best if deficit[j] >= 0 else (second if second < np.inf else best + eps))
            first = into[j]
            if flow[at] == 0:
                push_record(levels, held, first, holders[j], costs[at] - f[i], costs[at], at, i)
                holders[j] += 1
            flow[at] += sent
            if deficit[j] >= 0:
                continue
            while deficit[j] < 0:
                _update_top(levels, held, first, holders[j], f)
                scanned += 1
                k, u = held[first, 0], held[first, 1]
                g[j] = min(g[j], levels[first, 0] - eps)
                sent = min(flow[k], -deficit[j])
                flow[k] -= sent
                deficit[j] += sent
                if flow[k] == 0:
                    holders[j] -= 1
                    last = first + holders[j]
                    replace_top(
                        levels, held, first, holders[j], levels[last, 0], levels[last, 1], held[last, 0], held[last, 1]
                    )
                excess[u] += sent
                if u != i and not queued[u]:
                    queued[u] = True
                    end = head + size
                    queue[end if end < n else end - n] = u
                    size += 1
            f[i] = min(f[i], costs[at] - g[j])
    _raise_potentials(graph, pseudoflow)
    return bids, scanned, arcs_missing


def run_reverse_auction(
    graph: TwoWayRows, pseudoflow: Pseudoflow, eps: float, max_drop: int, few: int, most: int
) -> tuple[int, int, bool]:
    """As :func:`run_auction` with sources and targets exchanged: targets in need bid, g rises and f falls."""
    f, g, flow, excess, deficit = pseudoflow
    by_target = Pseudoflow(g, f, flow[graph.numbers], deficit, excess)
    found: tuple[int, int, bool] = run_auction(transpose(graph), by_target, eps, max_drop, few, most)
    flow[graph.numbers] = by_target.flow
    return found


@kernel(borrows=True)
def _update_top(levels, held, first, size, f):
    """Bring the most expensive arc to the top of a target's heap; arcs whose source has raised f since move down."""
    while True:
        k, u, cost = held[first, 0], held[first, 1], levels[first, 1]
        now = cost - f[u]
        if now >= levels[first, 0]:
            levels[first, 0] = now
            return
        replace_top(levels, held, first, size, now, cost, k, u)
        if held[first, 0] == k:
            return
