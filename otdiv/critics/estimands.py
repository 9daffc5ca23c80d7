"""The two estimands of a critic: the distance of these points, or of the distributions behind them.

Each states what to train on, what the trained critic then proves, and what the answer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array, invalid
from otdiv.critics.auditing.diagnostics import pooled_spread, slopes
from otdiv.critics.auditing.proved_constant import sharpened
from otdiv.critics.auditing.reference import affordable, predicted_seconds
from otdiv.critics.auditing.verdict import Evidence, judge, judge_without_reference
from otdiv.critics.choice import ConstraintChoice
from otdiv.critics.debias import Debiased, debiasing_terms
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.interval import (
    REFERENCE_POINTS,
    REFERENCE_SAMPLES,
    ExactReference,
    exact_reference,
    mean_difference,
    on_held_out,
    proved_on_points,
)
from otdiv.critics.result import CriticEstimate, interval_status
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.neural.constraints import CONSTRAINT_BY_NAME
from otdiv.neural.samples import Pair, SampledDistribution
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve

HELD_OUT_SHARE, VALIDATION_SHARE = 0.25, 0.125
"""Shares of the points that a critic of the distributions is not trained on: for the answer, and to measure the
progress of the training.  Larger ones narrow the interval and leave fewer points to train on."""
TRAINING_POINTS = 4096
"""Most training points on which the training value is computed, to compare it with the held-out one."""
HELD_OUT_ENTRIES, HELD_OUT_POINTS = 2**24, 400_000
"""Most coordinates, and most points, of a held-out sample drawn from a sampler; more of them narrow the interval."""

Measures = tuple[DiscreteMeasure, DiscreteMeasure]


@dataclass(frozen=True, eq=False)
class EmpiricalEstimand:
    """The exact distance of two weighted point sets: W1(P_n, Q_n).

    Attributes
    ----------
    problem : TransportProblem
    exact : TransportResult or None
        The reference, where it was affordable.
    train : (SampledDistribution, SampledDistribution)
    """

    problem: TransportProblem
    exact: TransportResult | None
    train: Pair

    @property
    def validation(self) -> Pair:
        """The points themselves: to memorise them is allowed here."""
        return self.train

    @classmethod
    def of(cls, distributions: Pair, problem: TransportProblem, exact: bool | None) -> EmpiricalEstimand:
        """With the exact reference if asked for; with None, if :func:`affordable` says so."""
        wanted = affordable(problem) if exact is None else exact
        return cls(problem, solve(problem) if wanted else None, distributions)

    def band(self, critic: FittedCritic) -> tuple[float, float]:
        """The proved interval as it stands."""
        proved = proved_on_points(critic, self.problem, critic.divisor)
        upper = proved.upper if self.exact is None else min(proved.upper, self.exact.upper)
        # the plan's end is rounded outward, the quotient V / L is known to 1e-12 only
        return min(proved.lower, upper), upper

    def answer(self, critic: FittedCritic, choice: ConstraintChoice) -> CriticEstimate:
        """The estimate: the larger of the critic value and what its c-transform proves."""
        mu, nu = self.problem.mu, self.problem.nu
        raw, error = mean_difference(critic, mu, nu)
        bounds = Bounds(*self.band(critic))
        terms = _debiasing_terms(critic, mu.points, nu.points, raw)
        critic_value = critic.correct(raw, terms)
        value = max(critic_value, bounds.lower)
        if self.exact is None:
            verdict = judge_without_reference(value, bounds.lower, terms, predicted_seconds(self.problem))
        else:
            # what a c-transform or a proved constant gives is the value of a 1-Lipschitz function
            penalised = terms is not None and critic_value > bounds.lower
            verdict = judge(
                Evidence(
                    estimand="empirical",
                    value=raw if penalised else value,
                    error=error,
                    held_out=None,
                    exact=self.exact.value,
                    scale=pooled_spread(self.problem),
                    secant=slopes(self.exact, critic(mu.points), critic(nu.points))[0] if penalised else 1.0,
                    proved_lower=bounds.lower,
                    null_floor=0.0,
                    debiased=value if penalised else None,
                    corrected=True,
                )
            )
        return CriticEstimate(
            value=value,
            bounds=bounds,
            status=interval_status(bounds, proved=True),
            raw=raw,
            critic_value=critic_value,
            estimand="empirical",
            exact=None if self.exact is None else self.exact.value,
            null_floor=None,
            standard_error=error,
            debiased=terms,
            verdict=verdict,
            **_common_fields(critic, choice, value),
        )


@dataclass(frozen=True, eq=False)
class PopulationEstimand:
    """The distance of the distributions that the points were drawn from: W1(P, Q).

    held-out value / L  <=  W1(P, Q)  <=  E EMD(P_n, Q_n), each with its standard error.

    Attributes
    ----------
    train, validation : (SampledDistribution, SampledDistribution)
        What the critic is trained on, and what its progress is measured on.
    held_out : (DiscreteMeasure, DiscreteMeasure)
        Points that no training uses.
    seen : (DiscreteMeasure, DiscreteMeasure)
        Some of the training points.
    reference : ExactReference or None
        Exact distances of small samples.
    """

    train: Pair
    validation: Pair
    held_out: Measures
    seen: Measures
    reference: ExactReference | None

    @property
    def upper(self) -> float:
        """Upper end of the interval."""
        return np.inf if self.reference is None else self.reference.upper

    @classmethod
    def of(cls, distributions: Pair, seed: int, exact: bool | None) -> PopulationEstimand:
        """Split points into training, validation and held-out ones; draw held-out points from samplers."""
        for one in distributions:
            if one.measure is not None and one.measure.n < 2 * REFERENCE_SAMPLES:
                raise invalid(
                    one.name,
                    f"have at least {2 * REFERENCE_SAMPLES} points to estimate the distance of its distribution",
                    f"{one.measure.n}",
                    "Ask for estimand='empirical'.",
                )
        rng = np.random.default_rng([seed, 3])
        parts = [one.split(HELD_OUT_SHARE, rng) for one in distributions]
        inner = [part[0].split(VALIDATION_SHARE / (1 - HELD_OUT_SHARE), rng) for part in parts]
        held_out = [_draw_affordable(part[1], HELD_OUT_POINTS, rng) for part in parts]
        seen = [_draw_affordable(part[0], TRAINING_POINTS, rng) for part in inner]
        reference = None
        if exact is not False:
            reference = exact_reference(
                *(one.blocks(REFERENCE_SAMPLES, REFERENCE_POINTS, rng) for one in distributions)
            )
        train, validation = ((inner[0][k], inner[1][k]) for k in (0, 1))
        return cls(train, validation, (held_out[0], held_out[1]), (seen[0], seen[1]), reference)

    def band(self, critic: FittedCritic) -> tuple[float, float]:
        """The interval as it stands."""
        return min(on_held_out(critic, self.seen, self.held_out, critic.divisor).lower, self.upper), self.upper

    def answer(self, critic: FittedCritic, choice: ConstraintChoice) -> CriticEstimate:
        """The estimate: the critic value on the held-out points."""
        held_out = on_held_out(critic, self.seen, self.held_out, critic.divisor)
        terms = _debiasing_terms(critic, self.held_out[0].points, self.held_out[1].points, held_out.value)
        critic_value = critic.correct(held_out.value, terms)
        value = max(0.0, critic_value)
        bounds = Bounds(min(held_out.lower, self.upper), self.upper)
        seen_value, seen_error = mean_difference(critic, *self.seen)
        if self.reference is None:
            verdict = judge_without_reference(value, held_out.lower, terms)
        else:
            verdict = judge(
                Evidence(
                    estimand="population",
                    value=critic.correct(seen_value, terms),
                    # root mean square: the seen points are fewer than those held out from a sampler
                    error=float(np.hypot(held_out.error, seen_error)) / np.sqrt(2),
                    held_out=value,
                    exact=self.reference.mean,
                    scale=self.reference.mean,
                    secant=1.0,
                    proved_lower=held_out.lower,
                    null_floor=self.reference.null_floor,
                    debiased=None,
                )
            )
        return CriticEstimate(
            value=value,
            bounds=bounds,
            status=interval_status(bounds, proved=False),
            raw=held_out.value,
            critic_value=critic_value,
            estimand="population",
            exact=None if self.reference is None else self.reference.mean,
            null_floor=None if self.reference is None else self.reference.null_floor,
            standard_error=held_out.error,
            debiased=terms,
            verdict=verdict,
            **_common_fields(critic, choice, value),
        )


def _common_fields(critic: FittedCritic, choice: ConstraintChoice, value: float) -> dict[str, Any]:
    """The fields of an estimate that do not depend on the estimand."""
    constant = critic.lipschitz
    if not CONSTRAINT_BY_NAME[critic.constraint].certified:  # only shown, and worth a second
        constant = sharpened(constant, critic.module.inner, critic.d)
    origin = {"constraint": choice.constraint, "reason": choice.reason, "lipschitz": constant}
    return {**origin, "seed_values": (value,), "critic": critic, "seconds": critic.seconds}


def _debiasing_terms(critic: FittedCritic, x: Array, y: Array, raw: float) -> Debiased | None:
    penalty = CONSTRAINT_BY_NAME[critic.constraint].penalty
    if penalty is None or critic.weight is None:
        return None

    def penalties(norms: Array) -> Array:
        return np.asarray(penalty(torch.from_numpy(norms)))

    rng = np.random.default_rng([critic.seed, 4])
    return debiasing_terms(critic, critic.gradient, x, y, raw, critic.weight, penalties, rng)


def _draw_affordable(distribution: SampledDistribution, most: int, rng: np.random.Generator) -> DiscreteMeasure:
    """The points of the distribution, or as many as are affordable where they are many or drawn."""
    if distribution.measure is not None and distribution.measure.n <= most:
        return distribution.measure
    d = distribution.draw(1, rng).shape[1]
    return DiscreteMeasure(distribution.draw(min(most, max(1000, HELD_OUT_ENTRIES // d)), rng))
