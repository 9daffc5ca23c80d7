"""The problem that a certificate states: as plain arrays, and compared with the problem that someone asks about."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.errors import CertificateRefused
from otdiv.problem.transport_problem import TransportProblem
from otdiv.verification import Proof

_WHAT = {
    "cost": "the ground cost",
    "x": "the sources",
    "y": "the targets",
    "costs": "the cost matrix",
    "a": "the weights of the sources",
    "b": "the weights of the targets",
}


def problem_arrays(problem: TransportProblem) -> dict[str, Any]:
    """cost, x, y, costs, a, b as a :class:`Proof` holds them."""
    cost, arcs = problem.cost, problem.sparse
    given = cost.by_entries
    if arcs is not None:
        name, costs = "arcs", np.stack([arcs.rows, arcs.columns, arcs.values], axis=1)
    elif given:
        name, costs = "matrix", problem.costs()
    else:
        name, costs = cost.name, np.empty((0, 0))
    return {
        "cost": name,
        "x": np.empty((problem.n, 0)) if given else problem.mu.points,
        "y": np.empty((problem.m, 0)) if given else problem.nu.points,
        "costs": costs,
        "a": problem.mu.weights,
        "b": problem.nu.weights,
    }


def require_proof_of(proof: Proof, problem: TransportProblem) -> None:
    """Check that a proof is about this problem: the same measures and costs, bit by bit.

    Raises
    ------
    CertificateRefused
        Naming what differs.
    """
    for name, asked in problem_arrays(problem).items():
        stated = getattr(proof, name)
        if isinstance(asked, str):
            if stated != asked:
                raise CertificateRefused(f"{_WHAT[name]} of the certificate is {stated!r}; asked about is {asked!r}.")
        elif stated.shape != asked.shape:
            raise CertificateRefused(
                f"{_WHAT[name]} of the certificate have shape {stated.shape}; those asked about {asked.shape}."
            )
        elif not np.array_equal(stated, asked):
            k = int(np.flatnonzero((stated != asked).reshape(len(stated), -1).any(axis=1))[0])
            raise CertificateRefused(
                f"{_WHAT[name]} of the certificate are not those asked about; the first difference is in row {k}."
            )
