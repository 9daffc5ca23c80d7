"""A plan whose arcs join atoms of exactly equal weights: these are then its masses, without any rounding."""

from __future__ import annotations

from otdiv.core.compilation import kernel


@kernel()
def has_exact_masses(a, b, error, count, work):
    """Whether the plan delivers a onto b sum(a) / sum(b) in real arithmetic, its masses made the weights themselves.

    The flow is one of whole units, to which weights are rounded: a plan that costs nothing may leave out an atom of
    less than a unit, and then the optimum is not 0.

    Parameters
    ----------
    a, b : ndarray [n], [m]
    error : float
        Bound on |row sums - a|_1 + |column sums - b|_1; 0 for an assignment.
    count : int
        Arcs of the plan.
    work : Workspace
        Holds the plan; its whole weights are lost.
    """
    if error == 0.0:
        return True
    rows, columns, left, needed = work.rows, work.columns, work.supply, work.demand
    waiting = 0
    for i in range(len(a)):
        left[i] = a[i] > 0
        waiting += left[i]
    for j in range(len(b)):
        needed[j] = b[j] > 0
        waiting += needed[j]
    for arc in range(count):
        i, j = rows[arc], columns[arc]
        if a[i] != b[j] or left[i] == 0 or needed[j] == 0:
            return False
        left[i] = needed[j] = 0
        waiting -= 2
    if waiting > 0:
        return False
    for arc in range(count):
        work.mass[arc] = a[rows[arc]]
    return True
