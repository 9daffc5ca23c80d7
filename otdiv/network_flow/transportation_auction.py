"""Transport of any masses on a sparse set of arcs, optimal up to eps: an auction with several holders of a target.

The state is a flow, perhaps with mass still at its sources, and potentials f, g with

    f_i + g_j <= c_ij + eps on every arc,      c_ij <= f_i + g_j + eps on every arc in use.

A source with mass left sends all of it to its best target and raises f to the second
best.  A target with more than it needs lowers g until it is left by the source that is
the first to find a better target elsewhere, then by the next (Bertsekas and Castanon,
Annals of Operations Research 20, 1989).  Small remainders would fight long price wars;
so every now and then all prices fall at once by the distance, in units of eps, to the
targets that still need mass (:mod:`otdiv.network_flow.global_price_update`).

Between tolerances :func:`release` takes back what the next, smaller one does not allow.
Only g falls and only f rises.  Indices are unsigned: where they are not, numba asks in every
look whether they count from the end, which costs more than the look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.core.validation import Array
from otdiv.network_flow.global_price_update import lower_prices

_BIDS_BETWEEN_UPDATES = 2
"""Bids for each source between two updates of all prices."""


class Network(NamedTuple):
    """Arcs sorted by source, and once more by target.

    Attributes
    ----------
    start : ndarray of uint32 [n + 1]
        The arcs of source i are start[i] ... start[i + 1] - 1.
    tails, heads : ndarray of uint32 [arcs]
    costs : ndarray [arcs]
    into : ndarray of uint32 [m + 1]
        The arcs by_target[into[j]] ... by_target[into[j + 1] - 1] lead to target j.
    by_target, tails_in : ndarray of uint32 [arcs]
    costs_in : ndarray [arcs]
    """

    start: Array
    tails: Array
    heads: Array
    costs: Array
    into: Array
    by_target: Array
    tails_in: Array
    costs_in: Array


class Loads(NamedTuple):
    """Potentials f [n] and g [m], the flow on each arc, what is left at each source and missing at each target."""

    f: Array
    g: Array
    flow: Array
    left: Array
    missing: Array


def network_of(n: int, m: int, tails: Array, heads: Array, costs: Array) -> Network:
    """The network of arcs that are sorted by their source."""
    start, into = np.zeros(n + 1, np.uint32), np.zeros(m + 1, np.uint32)
    np.cumsum(np.bincount(tails, minlength=n), out=start[1:])
    np.cumsum(np.bincount(heads, minlength=m), out=into[1:])
    by_target = np.argsort(heads, kind="stable").astype(np.uint32)
    tails, heads = tails.astype(np.uint32), heads.astype(np.uint32)
    return Network(start, tails, heads, costs, into, by_target, tails[by_target], costs[by_target])


@njit(cache=True, nogil=True)
def release(network, loads, eps):  # type: ignore[no-untyped-def]
    """Set f_i = min c - g over the arcs of i; flow on arcs above that by more than eps goes back to its source.

    Returns the mean amount by which the second best arc is above the best.
    """
    start, _, heads, costs, _, _, _, _ = network
    f, g, flow, left, missing = loads
    n = len(f)
    gaps = 0.0
    for i in range(n):
        best = second = np.inf
        for k in range(start[i], start[i + 1]):
            value = costs[k] - g[heads[k]]
            second = min(second, max(value, best))
            best = min(value, best)
        f[i] = best
        if second < np.inf:
            gaps += (second - best) / n
        for k in range(start[i], start[i + 1]):
            if flow[k] > 0 and costs[k] - g[heads[k]] > best + eps:
                left[i] += flow[k]
                missing[heads[k]] += flow[k]
                flow[k] = 0
    return gaps


@njit(cache=True, nogil=True)
def auction(network, loads, eps, reach, few, most):  # type: ignore[no-untyped-def]
    """Bid until at most ``few`` sources have mass left, or until about ``most`` arcs were looked at.

    Ends too when an update of the prices finds that some mass cannot arrive unless they fall by more than
    ``reach`` times eps: then arcs are missing.  f is left behind; :func:`release` brings it up.

    Returns
    -------
    bids, looked : int
        Bids made, arcs looked at.
    short : bool
        Whether it ended for want of arcs.
    """
    start, tails, heads, costs, into, by_target, _, _ = network
    f, g, flow, left, missing = loads
    n, m = len(f), len(g)
    # the arcs in use at each target: a heap in the target's range, dearest at the price of when it was put there first
    level, held, holders = np.empty((len(costs), 2)), np.empty((len(costs), 2), np.uint32), np.zeros(m, np.uint32)
    for j in range(m):
        for q in range(into[j], into[j + 1]):
            k = by_target[q]
            if flow[k] > 0:
                _hold(level, held, into[j], holders[j], costs[k] - f[tails[k]], costs[k], k, tails[k])
                holders[j] += 1
    queue, waits = np.empty(n, np.uint32), np.zeros(n, np.bool_)
    head = size = 0
    for i in range(n):
        if left[i] > 0:
            queue[size], waits[i] = i, True
            size += 1
    bids = looked = since = 0
    while size > few and looked < most:
        if since >= _BIDS_BETWEEN_UPDATES * n:
            more, short = lower_prices(network, loads, eps, reach)
            looked += more
            since = 0
            if short:
                return bids, looked, True
        i = queue[head]
        head = head + 1 if head + 1 < n else 0
        size -= 1
        waits[i] = False
        while left[i] > 0 and looked < most:
            bids += 1
            since += 1
            looked += np.int64(start[i + 1] - start[i])
            best = second = np.inf
            at = start[i]
            for k in range(start[i], start[i + 1]):
                value = costs[k] - g[heads[k]]
                second = min(second, max(value, best))
                if value < best:
                    best, at = value, k
            j = heads[at]
            sent = left[i]
            left[i] = 0
            missing[j] -= sent
            f[i] = max(f[i], best if missing[j] >= 0 else (second if second < np.inf else best + eps))
            first = into[j]
            if flow[at] == 0:
                _hold(level, held, first, holders[j], costs[at] - f[i], costs[at], at, i)
                holders[j] += 1
            flow[at] += sent
            if missing[j] >= 0:
                continue
            while missing[j] < 0:
                _settle_top(level, held, first, holders[j], f)
                looked += 1
                k, u = held[first, 0], held[first, 1]
                g[j] = min(g[j], level[first, 0] - eps)
                sent = min(flow[k], -missing[j])
                flow[k] -= sent
                missing[j] += sent
                if flow[k] == 0:
                    holders[j] -= 1
                    last = first + holders[j]
                    _sink(level, held, first, holders[j], level[last, 0], level[last, 1], held[last, 0], held[last, 1])
                left[u] += sent
                if u != i and not waits[u]:
                    waits[u] = True
                    end = head + size
                    queue[end if end < n else end - n] = u
                    size += 1
            f[i] = min(f[i], costs[at] - g[j])
    return bids, looked, False


@njit(cache=True, nogil=True)
def _settle_top(level, held, first, size, f):  # type: ignore[no-untyped-def]
    """Bring the dearest arc to the top of a target's heap: arcs whose source has raised f since sink to their place."""
    while True:
        k, u, cost = held[first, 0], held[first, 1], level[first, 1]
        now = cost - f[u]
        if now >= level[first, 0]:
            level[first, 0] = now
            return
        _sink(level, held, first, size, now, cost, k, u)
        if held[first, 0] == k:
            return


@njit(cache=True, nogil=True)
def _hold(level, held, first, size, value, cost, k, u):  # type: ignore[no-untyped-def]
    """Put arc k of source u into the heap that starts at ``first``, highest level first."""
    p = np.uint64(first + size)
    while p > first:
        above = first + ((p - first - np.uint64(1)) >> np.uint64(1))
        if level[above, 0] >= value:
            break
        _copy(level, held, above, p)
        p = above
    level[p, 0], level[p, 1], held[p, 0], held[p, 1] = value, cost, k, u


@njit(cache=True, nogil=True)
def _sink(level, held, first, size, value, cost, k, u):  # type: ignore[no-untyped-def]
    """Put arc k of source u into the heap in place of its top."""
    p, end = np.uint64(first), np.uint64(first + size)
    if p == end:
        return
    while True:
        below = p + (p - first) + np.uint64(1)
        if below >= end:
            break
        if below + np.uint64(1) < end and level[below + np.uint64(1), 0] > level[below, 0]:
            below += np.uint64(1)
        if level[below, 0] <= value:
            break
        _copy(level, held, below, p)
        p = below
    level[p, 0], level[p, 1], held[p, 0], held[p, 1] = value, cost, k, u


@njit(cache=True, nogil=True)
def _copy(level, held, p, to):  # type: ignore[no-untyped-def]
    level[to, 0], level[to, 1], held[to, 0], held[to, 1] = level[p, 0], level[p, 1], held[p, 0], held[p, 1]
