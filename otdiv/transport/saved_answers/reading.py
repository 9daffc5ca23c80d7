"""A saved answer as an answer again: the plan and the potentials of a certificate file, audited anew."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from otdiv.certificates.certificate import certify
from otdiv.core.options import DEFAULTS, RTOL
from otdiv.costs import Cost, MatrixCost, SparseCost, as_cost
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.verification.file import load_proof
from otdiv.verification.record import Proof


def load(path: str | Path, *, rtol: float = RTOL) -> TransportResult:
    """Read back what :meth:`TransportResult.save` wrote.

    Plan and potentials are those of the file; the interval is proved from them anew, so that nothing rests on what
    the file claims.  ``result.verify()`` checks it once more in exact arithmetic.

    Parameters
    ----------
    path : str or Path
        A certificate (.npz).
    rtol : float
        Relative gap at which the status is OPTIMAL.

    Returns
    -------
    TransportResult
        Its ``method`` is "saved".

    Raises
    ------
    InvalidInput
        No such file.
    CertificateRefused
        Not a certificate, a changed one, or arrays that make none.

    Examples
    --------
    >>> import otdiv, tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answer.npz"
    >>> otdiv.emd([0.0, 1.0], [2.0, 3.0]).save(file)
    >>> otdiv.load(file).value
    2.0
    """
    return audited(load_proof(path), Path(path).name, rtol)


def audited(proof: Proof, name: str, rtol: float) -> TransportResult:
    """The answer of a proof that was read from the file ``name``."""
    started = time.perf_counter()
    problem = _problem(proof)
    plan = Plan(proof.rows, proof.columns, proof.mass, (problem.n, problem.m))
    certificate = certify(problem, plan, (proof.f, proof.g), options=DEFAULTS)
    stats = {
        "reason": f"read from {name}",
        "rtol": rtol,
        "tried": (),
        "seconds": time.perf_counter() - started,
    }
    return TransportResult(problem, certificate, certificate.status(rtol), "saved", stats)


def _problem(proof: Proof) -> TransportProblem:
    """The problem that a proof is about."""
    n, m = len(proof.a), len(proof.b)
    if proof.cost not in ("matrix", "arcs"):
        mu, nu = DiscreteMeasure(proof.x, proof.a), DiscreteMeasure(proof.y, proof.b)
        return TransportProblem(mu, nu, as_cost(proof.cost))
    cost: Cost = MatrixCost(proof.costs)
    if proof.cost == "arcs":
        from scipy import sparse

        ends = proof.costs[:, 0].astype(np.intp), proof.costs[:, 1].astype(np.intp)
        cost = SparseCost(sparse.coo_array((proof.costs[:, 2], ends), shape=(n, m)))
    mu, nu = DiscreteMeasure(np.arange(float(n)), proof.a), DiscreteMeasure(np.arange(float(m)), proof.b)
    return TransportProblem(mu, nu, cost)
