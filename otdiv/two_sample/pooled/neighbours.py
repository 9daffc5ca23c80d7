"""Arcs between two groups of a pool, from each point to its nearest points of the other group (compiled)."""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel


@kernel()
def link_nearest(neighbour, is_source, count, linked):
    """Mark in ``linked`` [sources, targets] the arcs of every point to the ``count`` nearest of the other group."""
    size = len(is_source)
    place = np.empty(size, np.int32)
    n = m = 0
    for v in range(size):
        if is_source[v]:
            place[v] = n
            n += 1
        else:
            place[v] = m
            m += 1
    for v in range(size):
        found = 0
        for w in neighbour[v]:
            if found == count:
                break
            if is_source[w] != is_source[v]:
                found += 1
                if is_source[v]:
                    linked[place[v], place[w]] = True
                else:
                    linked[place[w], place[v]] = True
