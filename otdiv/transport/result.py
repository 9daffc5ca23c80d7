"""What is answered: a value with its plan, its potentials and its proof.

Imports duality.certificate, proof and below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.bounds import Bounds, Status
from otdiv.duality.certificate import Certificate
from otdiv.errors import Array
from otdiv.plan import Plan
from otdiv.problem import TransportProblem
from otdiv.proof import Proof, Verification, save_proof, verify


@dataclass(frozen=True, eq=False)
class TransportResult:
    """The answer to a transport problem.

    Attributes
    ----------
    problem : TransportProblem
        What was asked.
    certificate : Certificate
        The proof.
    status : Status
        OPTIMAL if the interval is as narrow as asked (or as float64 allows), else STOPPED.
    method : str
        Which method proposed the plan and the potentials.
    stats : mapping
        Why that method, what others were tried, iterations and messages.
    """

    problem: TransportProblem
    certificate: Certificate
    status: Status
    method: str
    stats: Mapping[str, Any]

    @property
    def value(self) -> float:
        """Cost of the plan: the optimal transport cost, in units of cost times mass."""
        return self.certificate.value

    @property
    def bounds(self) -> Bounds:
        """The proved interval."""
        return self.certificate.bounds

    @property
    def lower(self) -> float:
        """Proved lower bound, from the potentials."""
        return self.certificate.bounds.lower

    @property
    def upper(self) -> float:
        """Proved upper bound, from the plan."""
        return self.certificate.bounds.upper

    @property
    def gap(self) -> float:
        """upper - lower."""
        return self.certificate.bounds.gap

    @property
    def plan(self) -> Plan:
        """Feasible plan; ``plan.toarray()`` is the matrix [n, m]."""
        return self.certificate.plan

    @property
    def f(self) -> Array:
        """Potential on the sources [n]: f_i + g_j <= c_ij everywhere."""
        return self.certificate.f

    @property
    def g(self) -> Array:
        """Potential on the targets [m]."""
        return self.certificate.g

    @cached_property
    def slackness(self) -> float:
        """sum plan_ij (c_ij - f_i - g_j): the gap as complementary slackness sees it; 0 at an exact optimum."""
        plan = self.plan
        slack = self.problem.arc_costs(plan.rows, plan.columns) - self.f[plan.rows] - self.g[plan.columns]
        return float(np.maximum(slack, 0.0) @ plan.mass)

    @property
    def n(self) -> int:
        """Number of sources."""
        return self.problem.n

    @property
    def m(self) -> int:
        """Number of targets."""
        return self.problem.m

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.problem.d

    def proof(self) -> Proof:
        """The proof as plain arrays, ready to be saved or verified.

        Raises
        ------
        CertificateRefused
            For a cost that cannot be verified exactly (p-norms and powers).
        """
        cost, plan = self.problem.cost, self.plan
        given = cost.by_entries
        return Proof(
            cost="matrix" if given else cost.name,
            x=np.empty((self.n, 0)) if given else self.problem.mu.points,
            y=np.empty((self.m, 0)) if given else self.problem.nu.points,
            costs=self.problem.costs() if given else np.empty((0, 0)),
            a=self.problem.mu.weights,
            b=self.problem.nu.weights,
            rows=plan.rows.astype(np.int64),
            columns=plan.columns.astype(np.int64),
            mass=plan.mass,
            f=self.f,
            g=self.g,
            claimed=self.bounds,
            about=self.certificate.about,
        )

    def save(self, path: str | Path) -> None:
        """Write a certificate file (.npz) that ``otdiv verify`` checks from scratch.

        Raises
        ------
        InvalidInput
            A name that does not end in .npz.
        CertificateRefused
            A cost that cannot be verified exactly (p-norms and powers).
        """
        save_proof(path, self.proof())

    def verify(self, *, level: str = "auto") -> Verification:
        """Check this result's own proof from scratch; see :func:`otdiv.verify`."""
        return verify(self.proof(), level=level)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, ready for JSON."""
        return {
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "gap": self.gap,
            "slackness": self.slackness,
            "status": self.status.word,
            "method": self.method,
            "reason": self.stats["reason"],
            "n": self.n,
            "m": self.m,
            "d": self.d,
            "cost": self.problem.cost.name,
            "mass": self.problem.mu.mass,
            "mass_defect": self.problem.mass_defect,
            "level": self.certificate.level,
        }

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return (
            f"TransportResult(value={self.value:.10g}, proved in [{self.lower:.10g}, {self.upper:.10g}], "
            f"gap={self.gap:.2g}, status={self.status.word}, method={self.method!r}, n={self.n}, m={self.m})"
        )
