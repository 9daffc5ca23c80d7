"""Binary heaps in compiled code: one whose keys may fall while nodes wait, and many heaps in one array.

The first holds nodes by a key that may change while the node waits (Dijkstra's algorithm).  The second holds whole
records side by side, one heap in each row of a graph, since the auction reads all fields of a record at once.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel


@kernel(borrows=True)
def sift_up(heap, key, place, v, value, k):
    """Put node v with this key into a heap, smallest key first, at position k or above.

    ``key`` has the keys by position, ``place`` the position of each node.
    """
    while k > 0:
        above = (k - 1) >> 1
        if key[above] <= value:
            break
        w = heap[above]
        heap[k], key[k], place[w] = w, key[above], k
        k = above
    heap[k], key[k], place[v] = v, value, k


@kernel(borrows=True)
def sift_down(heap, key, place, size, v, value, k):
    """Put node v with this key into a heap of ``size`` nodes, smallest key first, at position k or below."""
    while True:
        below = 2 * k + 1
        if below >= size:
            break
        if below + 1 < size and key[below + 1] < key[below]:
            below += 1
        if key[below] >= value:
            break
        w = heap[below]
        heap[k], key[k], place[w] = w, key[below], k
        k = below
    heap[k], key[k], place[v] = v, value, k


@kernel(borrows=True)
def push_record(values, labels, first, size, value, cost, k, u):
    """Put the record (value, cost; k, u) into the heap of ``size`` records at ``first``, largest value first."""
    p = np.uint64(first + size)
    while p > first:
        above = first + ((p - first - np.uint64(1)) >> np.uint64(1))
        if values[above, 0] >= value:
            break
        _copy_record(values, labels, above, p)
        p = above
    values[p, 0], values[p, 1], labels[p, 0], labels[p, 1] = value, cost, k, u


@kernel(borrows=True)
def replace_top(values, labels, first, size, value, cost, k, u):
    """Put the record into the heap in place of its top."""
    p, end = np.uint64(first), np.uint64(first + size)
    if p == end:
        return
    while True:
        below = p + (p - first) + np.uint64(1)
        if below >= end:
            break
        if below + np.uint64(1) < end and values[below + np.uint64(1), 0] > values[below, 0]:
            below += np.uint64(1)
        if values[below, 0] <= value:
            break
        _copy_record(values, labels, below, p)
        p = below
    values[p, 0], values[p, 1], labels[p, 0], labels[p, 1] = value, cost, k, u


@kernel(borrows=True)
def _copy_record(values, labels, p, to):
    values[to, 0], values[to, 1] = values[p, 0], values[p, 1]
    labels[to, 0], labels[to, 1] = labels[p, 0], labels[p, 1]
