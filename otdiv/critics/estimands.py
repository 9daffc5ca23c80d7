"""The two questions a critic can be asked: the distance of these points, or of the laws behind them.

Each knows what to train on, what the trained critic then proves, and what the answer is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from otdiv.core.validation import Array, invalid
from otdiv.critics.auditing.diagnostics import slopes, spread
from otdiv.critics.auditing.verdict import Evidence, Verdict, judge
from otdiv.critics.choice import ConstraintChoice
from otdiv.critics.debias import Debiased, remove_bias
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.interval import (
    REFEREE_POINTS,
    REFEREES,
    Referee,
    bookkeeping,
    mean_difference,
    on_held_out,
    proved_on_points,
    referees,
)
from otdiv.critics.result import CriticEstimate
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.neural.constraints import CONSTRAINTS
from otdiv.neural.samples import Law
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve

EXACT_PAIRS = 4_000_000
"""Up to this many pairs the exact distance is computed beside the critic's."""
HELD_SHARE, WATCHED_SHARE = 0.25, 0.125
"""Shares of the points that the critic is not trained on, for the laws: for the answer, and to watch the training."""
SEEN_POINTS = 4096
"""Most seen points on which the seen value is taken."""
HELD_ENTRIES, HELD_POINTS = 2**24, 400_000
"""Most coordinates, and most points, of a held-out sample drawn from a sampler."""


@dataclass(frozen=True, eq=False)
class OfPoints:
    """The exact distance of two weighted point sets: W1(P_n, Q_n).

    Attributes
    ----------
    problem : TransportProblem
    exact : TransportResult or None
        The referee, where it was affordable.
    train : (Law, Law)
    """

    problem: TransportProblem
    exact: TransportResult | None
    train: tuple[Law, Law]

    @property
    def watched(self) -> tuple[Law, Law]:
        """The points themselves: to learn them by heart is what is asked."""
        return self.train

    @classmethod
    def of(cls, laws: tuple[Law, Law], problem: TransportProblem, exact: bool | None) -> OfPoints:
        """With the referee if asked for, or if nobody said and it is cheap."""
        wanted = problem.n * problem.m <= EXACT_PAIRS if exact is None else exact
        return cls(problem, solve(problem) if wanted else None, laws)

    def band(self, critic: FittedCritic) -> tuple[float, float]:
        """The proved interval as it stands."""
        proved = proved_on_points(critic, self.problem, _constant(critic))
        return proved.lower, proved.upper if self.exact is None else min(proved.upper, self.exact.upper)

    def answer(self, critic: FittedCritic, choice: ConstraintChoice) -> CriticEstimate:
        """The estimate: the larger of the critic's own value and what its c-transform proves."""
        mu, nu = self.problem.mu, self.problem.nu
        raw, error = mean_difference(critic, mu, nu)
        lower, upper = self.band(critic)
        books = _books(critic, mu.points, nu.points, raw)
        own = _own(critic, raw, books)
        value = max(own, lower)
        exact = None if self.exact is None else self.exact.value
        if exact is None:
            verdict = _unrefereed(value, lower, books)
        else:
            # what a c-transform or a proved constant gives is the value of a 1-Lipschitz function
            penalised = books is not None and own > lower
            verdict = judge(
                Evidence(
                    estimand="empirical",
                    value=raw if penalised else value,
                    error=error,
                    held_out=None,
                    exact=exact,
                    scale=spread(self.problem),
                    secant=slopes(self.problem, critic(mu.points), critic(nu.points))[0] if penalised else 1.0,
                    proved_lower=lower,
                    null_floor=0.0,
                    debiased=value if penalised else None,
                )
            )
        return CriticEstimate(
            value=value,
            lower=lower,
            upper=upper,
            raw=raw,
            own=own,
            estimand="empirical",
            exact=exact,
            null_floor=None,
            standard_error=error,
            lipschitz=critic.lipschitz,
            debiased=books,
            constraint=choice.constraint,
            reason=choice.reason,
            seed_values=(value,),
            verdict=verdict,
            critic=critic,
            seconds=critic.seconds,
        )


@dataclass(frozen=True, eq=False)
class OfLaws:
    """The distance of the laws that the points were drawn from: W1(P, Q).

    held-out value / L  <=  W1(P, Q)  <=  E EMD(P_n, Q_n), each with its standard error.

    Attributes
    ----------
    train, watched : (Law, Law)
        What the critic is trained on, and what its progress is measured on.
    held : (DiscreteMeasure, DiscreteMeasure)
        Points that the critic does not see.
    seen : (DiscreteMeasure, DiscreteMeasure)
        Some of those that it sees.
    referee : Referee or None
        Exact distances of small samples.
    """

    train: tuple[Law, Law]
    watched: tuple[Law, Law]
    held: tuple[DiscreteMeasure, DiscreteMeasure]
    seen: tuple[DiscreteMeasure, DiscreteMeasure]
    referee: Referee | None

    @property
    def upper(self) -> float:
        """Upper end of the interval."""
        return np.inf if self.referee is None else self.referee.upper

    @classmethod
    def of(cls, laws: tuple[Law, Law], seed: int, exact: bool | None) -> OfLaws:
        """Split points into seen and held-out ones; draw held-out points from samplers."""
        for law in laws:
            if law.measure is not None and law.measure.n < 2 * REFEREES:
                raise invalid(
                    law.name,
                    f"have at least {2 * REFEREES} points to speak of its law",
                    f"{law.measure.n}",
                    "Ask for estimand='empirical'.",
                )
        rng = np.random.default_rng([seed, 3])
        parts = [law.split(HELD_SHARE, rng) for law in laws]
        inner = [part[0].split(WATCHED_SHARE / (1 - HELD_SHARE), rng) for part in parts]
        held = [_sample(part[1], HELD_POINTS, rng) for part in parts]
        seen = [_sample(part[0], SEEN_POINTS, rng) for part in inner]
        referee = None if exact is False else referees(*(law.blocks(REFEREES, REFEREE_POINTS, rng) for law in laws))
        train, watched = ((inner[0][k], inner[1][k]) for k in (0, 1))
        return cls(train, watched, (held[0], held[1]), (seen[0], seen[1]), referee)

    def band(self, critic: FittedCritic) -> tuple[float, float]:
        """The interval as it stands."""
        return on_held_out(critic, self.seen, self.held, _constant(critic)).lower, self.upper

    def answer(self, critic: FittedCritic, choice: ConstraintChoice) -> CriticEstimate:
        """The estimate: the critic's own value on points that it has not seen."""
        held = on_held_out(critic, self.seen, self.held, _constant(critic))
        books = _books(critic, self.held[0].points, self.held[1].points, held.value)
        own = _own(critic, held.value, books)
        value = max(0.0, own)
        seen_value, seen_error = mean_difference(critic, *self.seen)
        if self.referee is None:
            verdict = _unrefereed(value, held.lower, books)
        else:
            verdict = judge(
                Evidence(
                    estimand="population",
                    value=_own(critic, seen_value, books),
                    # root mean square: the seen points are fewer than those held out from a sampler
                    error=float(np.hypot(held.error, seen_error)) / np.sqrt(2),
                    held_out=value,
                    exact=self.referee.mean,
                    scale=self.referee.mean,
                    secant=1.0,
                    proved_lower=held.lower,
                    null_floor=self.referee.null_floor,
                    debiased=None,
                )
            )
        return CriticEstimate(
            value=value,
            lower=min(held.lower, self.upper),
            upper=self.upper,
            raw=held.value,
            own=own,
            estimand="population",
            exact=None if self.referee is None else self.referee.mean,
            null_floor=None if self.referee is None else self.referee.null_floor,
            standard_error=held.error,
            lipschitz=critic.lipschitz,
            debiased=books,
            constraint=choice.constraint,
            reason=choice.reason,
            seed_values=(value,),
            verdict=verdict,
            critic=critic,
            seconds=critic.seconds,
        )


def _constant(critic: FittedCritic) -> float | None:
    """A bound by which it makes sense to divide; the norms of a penalised critic have a product far too large."""
    penalised = CONSTRAINTS[critic.constraint].penalty is not None
    return None if critic.lipschitz is None or penalised else critic.lipschitz.value


def _own(critic: FittedCritic, raw: float, books: Debiased | None) -> float:
    if books is not None:
        assert critic.weight is not None
        return remove_bias(max(raw, 0.0), critic.weight)
    constant = _constant(critic)
    return raw if constant is None else raw / max(constant, 1e-300)


def _books(critic: FittedCritic, x: Array, y: Array, raw: float) -> Debiased | None:
    penalty = CONSTRAINTS[critic.constraint].penalty
    if penalty is None or critic.weight is None:
        return None

    def penalties(norms: Array) -> Array:
        return np.asarray(penalty(torch.from_numpy(norms)))

    rng = np.random.default_rng([critic.seed, 4])
    return bookkeeping(critic, critic.gradient, x, y, raw, critic.weight, penalties, rng)


def _sample(law: Law, most: int, rng: np.random.Generator) -> DiscreteMeasure:
    """The points of the law, or as many as are affordable where they are many or drawn."""
    if law.measure is not None and law.measure.n <= most:
        return law.measure
    d = law.draw(1, rng).shape[1]
    return DiscreteMeasure(law.draw(min(most, max(1000, HELD_ENTRIES // d)), rng))


def _unrefereed(value: float, lower: float, books: Debiased | None) -> Verdict:
    """A verdict without an exact referee."""
    if books is not None and not (books.converged and books.spread <= 0.05):
        return Verdict(
            "underfit",
            f"The training has not converged: the identity stands at {books.identity:.3g} instead of 1, and the three "
            f"de-biased values differ by {100 * books.spread:.2g} %.",
            "Train longer, or take another constraint.",
        )
    share = lower / value if value > 0 else 1.0
    return Verdict(
        "unchecked",
        f"No exact distance was affordable as a referee; {100 * share:.3g} % of the value is proved from below.",
        "Pass exact=True to wait for the referee, or fewer points.",
    )
