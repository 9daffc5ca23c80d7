"""The answer to a transport problem: a value with its plan, its potentials and its proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.certificates.certificate import Certificate
from otdiv.core.bounds import Bounds, Status
from otdiv.core.results import HasBounds
from otdiv.core.text_tables import Table, number
from otdiv.core.validation import Array, invalid
from otdiv.potentials.c_transform import PotentialFunction
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.stated_problem import problem_arrays
from otdiv.verification import Proof, Verification, save_proof, verify

if TYPE_CHECKING:
    from otdiv.potentials.gradients import Gradients
    from otdiv.potentials.uniqueness import Uniqueness


def sentence_of(status: Status, bounds: Bounds, stats: Mapping[str, Any]) -> str:
    """The status as a sentence that fits the interval, the gap that was asked for, and what keeps the ends apart."""
    asked = stats.get("rtol", 0.0), stats.get("atol", 0.0)
    return status.sentence(bounds, *asked, rounding_decides=stats.get("rounding_decides", False))


@dataclass(frozen=True, eq=False)
class TransportResult(HasBounds):
    """The answer to a transport problem.

    Attributes
    ----------
    problem : TransportProblem
        What was asked.
    certificate : Certificate
        The proof.
    status : Status
        OPTIMAL if the interval is as narrow as asked (or as float64 allows); OPTIMAL_NEARBY if it is, and is about
        weights within ``certificate.marginal_error`` of those given, or if the plan moves roundings of the weights
        only; else STOPPED.
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
    def bounds(self) -> Bounds:  # type: ignore[override]
        """The proved interval: lower from the potentials, upper from the plan."""
        return self.certificate.bounds

    @property
    def message(self) -> str:
        """The status as a sentence, about which weights if not about those given, and what the method reported."""
        proof, reported = self.certificate, self.stats.get("message", "")
        nearby = (
            ""
            if proof.exact_weights
            else f"With forbidden or sentinel arcs the last bit of a weight can decide: the interval is about weights "
            f"within {proof.marginal_error:.2g} of those given."
        )
        return " ".join(part for part in (self.status_sentence, nearby, reported) if part)

    @property
    def status_sentence(self) -> str:
        """The status as a sentence that fits the gap that was asked for."""
        return sentence_of(self.status, self.bounds, self.stats)

    @property
    def nit(self) -> int:
        """Iterations of the method: pivots and bids of our own, pivots of the linear program; 0 if unknown."""
        return int(sum(self.stats.get(name, 0) for name in ("pivots", "bids", "iterations")))

    @property
    def seconds(self) -> float:
        """Time of the solve with its audit; NaN for a record that was put together by hand."""
        return float(self.stats.get("seconds", float("nan")))

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

    @property
    def potentials(self) -> tuple[Array, Array]:
        """(f, g)."""
        return self.f, self.g

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

    @cached_property
    def gradients(self) -> Gradients:
        """Derivatives of the value in the weights and in the points; see :class:`Gradients`."""
        from otdiv.potentials.gradients import gradients

        return gradients(self.problem, self.plan, self.f, self.g)

    def slackness_table(self, most: int = 40) -> Table:
        """Complementary slackness arc by arc: mass moves only where c - f - g = 0; the products add up to the gap.

        Parameters
        ----------
        most : int
            How many arcs at most, those of largest mass x slack first, then of largest mass.
        """
        plan = self.plan
        costs = self.problem.arc_costs(plan.rows, plan.columns)
        slack = costs - self.f[plan.rows] - self.g[plan.columns]
        order = np.lexsort((-plan.mass, -np.maximum(slack, 0.0) * plan.mass))[:most]
        rows = [
            (
                str(plan.rows[k]),
                str(plan.columns[k]),
                number(plan.mass[k], 6),
                number(costs[k], 6),
                number(self.f[plan.rows[k]] + self.g[plan.columns[k]], 6),
                f"{slack[k]:.1e}",
                f"{plan.mass[k] * slack[k]:.1e}",
            )
            for k in order
        ]
        headers = ("from", "to", "mass", "cost", "f + g", "slack", "mass x slack")
        left_out = f" ({len(plan) - len(order)} more arcs)" if len(plan) > len(order) else ""
        note = f"Sum of all products {self.slackness:.1e}, gap {self.gap:.1e}{left_out}."
        return Table("Complementary slackness", headers, rows, (note,), tuple(range(7)))

    @cached_property
    def uniqueness(self) -> Uniqueness:
        """Whether the plan and the potentials are the only optimal ones; one search over all pairs."""
        from otdiv.potentials.uniqueness import uniqueness  # loads scipy.sparse

        return uniqueness(self.problem, self.plan, self.f, self.g)

    def potential_functions(self) -> tuple[PotentialFunction, PotentialFunction]:
        """f and g as functions of the whole space (c-transform extension), for costs of points.

        f(x) = min_j c(x, y_j) - g_j, and g(y) = min_i c(x_i, y) - f_i.  Each satisfies the constraint
        against the other's sample; for a metric cost f is 1-Lipschitz and (f, -f) is feasible everywhere.

        Raises
        ------
        InvalidInput
            For a cost matrix, which knows no other points.
        """
        cost = self.problem.cost
        if cost.shape is not None:
            raise invalid(
                "cost", "be a function of points", "a matrix", "Potentials of a matrix live on its labels only."
            )
        x, y = self.problem.mu.points, self.problem.nu.points
        return PotentialFunction(y, self.g, cost), PotentialFunction(x, self.f, cost, reverse=True)

    def proof(self) -> Proof:
        """The proof as plain arrays, ready to be saved or verified.

        Raises
        ------
        CertificateRefused
            For a cost that cannot be verified exactly (p-norms and powers).
        """
        plan = self.plan
        return Proof(
            **problem_arrays(self.problem),
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
            "status": self.status.label,
            "method": self.method,
            "reason": self.stats.get("reason", ""),
            "n": self.n,
            "m": self.m,
            "d": self.d,
            "cost": self.problem.cost.name,
            "mass": self.problem.mu.mass,
            "mass_defect": self.problem.mass_defect,
            "about": self.certificate.about,
            "marginal_error": self.certificate.marginal_error,
            "level": self.certificate.level,
        }

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return (
            f"TransportResult(value={self.value:.10g}, proved in [{self.lower:.10g}, {self.upper:.10g}], "
            f"gap={self.gap:.2g}, status={self.status.label}, method={self.method!r}, n={self.n}, m={self.m})"
        )
