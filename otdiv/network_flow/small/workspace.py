"""The arrays that one thread uses again for each small problem."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel


class Workspace(NamedTuple):
    """For problems of up to n sources and m targets, k = max(n, m).

    Attributes
    ----------
    costs : ndarray [n * m]
    distance, masked, at : ndarray [k]
        Of a search: distances of columns, g with -inf for columns that are done, distances of those.
    source, done, stack : int64 ndarray [k]
        Of a search: the row that a column is reached from, columns that are done, rows that wait.
    target, owner : int64 ndarray [k]
        Of an assignment.
    supply, demand : int64 ndarray [k]
    f, g, b : ndarray [k]
        Potentials, and the target weights scaled to the mass of the sources.
    parent, mark : int32 ndarray [n + m]
    source_path, target_path : uint32 ndarray [n + m]
    flow : int64 ndarray [n + m]
    cost, potential : ndarray [n + m]
        Of a spanning tree, see :class:`otdiv.network_flow.trees.spanning_tree.Basis`.
    rows, columns : int64 ndarray [n + m]
    mass, price : ndarray [n + m]
        The arcs of a plan, their masses and costs.
    stop : int64 ndarray [1]
        Set to 1 by another thread where the search is to end; a flow is then a plan that is not the cheapest.
    """

    costs: np.ndarray
    distance: np.ndarray
    masked: np.ndarray
    at: np.ndarray
    source: np.ndarray
    done: np.ndarray
    stack: np.ndarray
    target: np.ndarray
    owner: np.ndarray
    supply: np.ndarray
    demand: np.ndarray
    f: np.ndarray
    g: np.ndarray
    b: np.ndarray
    parent: np.ndarray
    mark: np.ndarray
    source_path: np.ndarray
    target_path: np.ndarray
    flow: np.ndarray
    cost: np.ndarray
    potential: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    mass: np.ndarray
    price: np.ndarray
    stop: np.ndarray


@kernel()
def allocate_workspace(n, m, pairs, stop):
    """A workspace for problems of up to n sources and m targets, with room for the costs of so many pairs."""
    k = max(n, m)
    return Workspace(
        np.empty(pairs),
        np.empty(k),
        np.empty(k),
        np.empty(k),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k),
        np.empty(k),
        np.empty(k),
        np.empty(n + m, np.int32),
        np.empty(n + m, np.int32),
        np.empty(n + m, np.uint32),
        np.empty(n + m, np.uint32),
        np.empty(n + m, np.int64),
        np.empty(n + m),
        np.empty(n + m),
        np.empty(n + m, np.int64),
        np.empty(n + m, np.int64),
        np.empty(n + m),
        np.empty(n + m),
        stop,
    )
