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
    reached : ndarray [k]
        Distances of rows; inf for rows that are not reached.
    through : int64 ndarray [k]
        The column that a row is reached from.
    target, owner : int64 ndarray [k]
        Of an assignment.
    flow : int64 ndarray [m * n]
        Units from each source, by targets.
    supply, demand : int64 ndarray [k]
    f, g, b : ndarray [k]
        Potentials, and the target weights scaled to the mass of the sources.
    rows, columns : int64 ndarray [n * m]; of a flow that is being found, rows holds the senders of each target
    mass, price : ndarray [n * m]
        The arcs of a plan, their masses and costs.
    """

    costs: np.ndarray
    distance: np.ndarray
    masked: np.ndarray
    at: np.ndarray
    source: np.ndarray
    done: np.ndarray
    stack: np.ndarray
    reached: np.ndarray
    through: np.ndarray
    target: np.ndarray
    owner: np.ndarray
    flow: np.ndarray
    supply: np.ndarray
    demand: np.ndarray
    f: np.ndarray
    g: np.ndarray
    b: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    mass: np.ndarray
    price: np.ndarray


@kernel()
def allocate_workspace(n, m):
    """A workspace for problems of up to n sources and m targets."""
    k, pairs = max(n, m), n * m
    return Workspace(
        np.empty(pairs),
        np.empty(k),
        np.empty(k),
        np.empty(k),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(pairs, np.int64),
        np.empty(k, np.int64),
        np.empty(k, np.int64),
        np.empty(k),
        np.empty(k),
        np.empty(k),
        np.empty(pairs, np.int64),
        np.empty(pairs, np.int64),
        np.empty(pairs),
        np.empty(pairs),
    )
