"""Transport of any masses on a sparse set of arcs, optimal up to eps: an auction with several holders of a target.

The state is a flow, perhaps with mass still at its sources, and potentials f, g with

    f_i + g_j <= c_ij + eps on every arc,      c_ij <= f_i + g_j + eps on every arc in use.

A source with mass left sends all of it to its best target and raises f to the second
best.  A target with more than it needs lowers g until it is left by the source that is
the first to find a better target elsewhere, then by the next (Bertsekas and Castanon,
Annals of Operations Research 20, 1989).  Small remainders would fight long price wars;
so every now and then all prices fall at once by the distance, in units of eps, to the
targets that still need mass (:mod:`otdiv.transport.price_update`).

Between tolerances :func:`release` takes back what the next, smaller one does not allow.
Only g falls and only f rises.  Imports price_update, numba and errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.errors import Array
from otdiv.transport.price_update import lower_prices

_BIDS_BETWEEN_UPDATES = 2
"""Bids for each source between two updates of all prices."""


class Network(NamedTuple):
    """Arcs sorted by source, those of i being start[i] ... start[i + 1] - 1; by target, by_target[into[j] ...]."""

    start: Array
    tails: Array
    heads: Array
    costs: Array
    into: Array
    by_target: Array


class Loads(NamedTuple):
    """Potentials f [n] and g [m], the flow on each arc, what is left at each source and missing at each target."""

    f: Array
    g: Array
    flow: Array
    left: Array
    missing: Array


def network_of(n: int, m: int, tails: Array, heads: Array, costs: Array) -> Network:
    """The network of arcs that are sorted by their source."""
    start, into = np.zeros(n + 1, np.int64), np.zeros(m + 1, np.int64)
    np.cumsum(np.bincount(tails, minlength=n), out=start[1:])
    np.cumsum(np.bincount(heads, minlength=m), out=into[1:])
    return Network(start, tails, heads, costs, into, np.argsort(heads, kind="stable").astype(np.int32))


@njit(cache=True, nogil=True)
def release(network, loads, eps):  # type: ignore[no-untyped-def]
    """Set f_i = min c - g over the arcs of i; flow on arcs above that by more than eps goes back to its source.

    Returns the mean amount by which the second best arc is above the best.
    """
    start, _, heads, costs, _, _ = network
    f, g, flow, left, missing = loads
    n = len(f)
    gaps = 0.0
    for i in range(n):
        best = second = np.inf
        for k in range(start[i], start[i + 1]):
            value = costs[k] - g[heads[k]]
            if value < best:
                best, second = value, best
            elif value < second:
                second = value
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
def auction(network, loads, eps, reach, most):  # type: ignore[no-untyped-def]
    """Bid until no mass is left at its source, or until about ``most`` arcs were looked at.

    Ends too when an update of the prices finds that some mass cannot arrive unless they fall by more than
    ``reach`` times eps: then arcs are missing.  f is left behind; :func:`release` brings it up.

    Returns
    -------
    bids, looked : int
        Bids made, arcs looked at.
    short : bool
        Whether it ended for want of arcs.
    """
    start, tails, heads, costs, into, by_target = network
    f, g, flow, left, missing = loads
    n, m = len(f), len(g)
    # the arcs in use at each target: a heap in the target's range, dearest at the price of when it was put there first
    level, held, holders = np.empty(len(costs)), np.empty(len(costs), np.int32), np.zeros(m, np.int32)
    for j in range(m):
        for q in range(into[j], into[j + 1]):
            k = by_target[q]
            if flow[k] > 0:
                _hold(level, held, into[j], holders[j], costs[k] - f[tails[k]], k)
                holders[j] += 1
    queue, waits = np.empty(n, np.int32), np.zeros(n, np.bool_)
    head = size = 0
    for i in range(n):
        if left[i] > 0:
            queue[size], waits[i] = i, True
            size += 1
    bids = looked = since = 0
    while size > 0 and looked < most:
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
            looked += start[i + 1] - start[i]
            best = second = np.inf
            at = start[i]
            for k in range(start[i], start[i + 1]):
                value = costs[k] - g[heads[k]]
                if value < best:
                    best, second, at = value, best, k
                elif value < second:
                    second = value
            j = heads[at]
            sent = left[i]
            left[i] = 0
            missing[j] -= sent
            f[i] = max(f[i], best if missing[j] >= 0 else (second if second < np.inf else best + eps))
            if flow[at] == 0:
                _hold(level, held, into[j], holders[j], costs[at] - f[i], at)
                holders[j] += 1
            flow[at] += sent
            if missing[j] >= 0:
                continue
            while missing[j] < 0:
                k = _dearest(level, held, into[j], holders[j], costs, tails, f)
                looked += 1
                u = tails[k]
                g[j] = min(g[j], level[into[j]] - eps)
                sent = min(flow[k], -missing[j])
                flow[k] -= sent
                missing[j] += sent
                if flow[k] == 0:
                    holders[j] -= 1
                    last = into[j] + holders[j]
                    _sink(level, held, into[j], holders[j], level[last], held[last])
                left[u] += sent
                if u != i and not waits[u]:
                    waits[u] = True
                    end = head + size
                    queue[end if end < n else end - n] = u
                    size += 1
            f[i] = min(f[i], costs[at] - g[j])
    return bids, looked, False


@njit(cache=True, nogil=True)
def _dearest(level, held, first, size, costs, tails, f):  # type: ignore[no-untyped-def]
    """The arc on top of a target's heap, after those whose source has raised f since have sunk to their place."""
    while True:
        k = held[first]
        now = costs[k] - f[tails[k]]
        if now >= level[first]:
            level[first] = now
            return k
        _sink(level, held, first, size, now, k)
        if held[first] == k:
            return k


@njit(cache=True, nogil=True)
def _hold(level, held, first, size, value, k):  # type: ignore[no-untyped-def]
    """Put arc k into the heap, highest level first, that starts at ``first``."""
    p = size
    while p > 0:
        above = (p - 1) >> 1
        if level[first + above] >= value:
            break
        level[first + p], held[first + p] = level[first + above], held[first + above]
        p = above
    level[first + p], held[first + p] = value, k


@njit(cache=True, nogil=True)
def _sink(level, held, first, size, value, k):  # type: ignore[no-untyped-def]
    """Put arc k into the heap in place of its top."""
    p = 0
    while True:
        below = 2 * p + 1
        if below >= size:
            break
        if below + 1 < size and level[first + below + 1] > level[first + below]:
            below += 1
        if level[first + below] <= value:
            break
        level[first + p], held[first + p] = level[first + below], held[first + below]
        p = below
    if size > 0:
        level[first + p], held[first + p] = value, k
