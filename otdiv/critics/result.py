"""The answer of a neural critic: a number, its interval, and what it is a number of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otdiv.core.bounds import Bounds, Status
from otdiv.core.results import HasBounds
from otdiv.core.text_tables import Table, json_number, number
from otdiv.critics.auditing.verdict import Verdict
from otdiv.critics.debias import Debiased
from otdiv.lipschitz import LipschitzBound

if TYPE_CHECKING:
    from otdiv.critics.fitted import FittedCritic

TIGHT = 1e-9
"""Relative width of a proved interval up to which it counts as closed."""


@dataclass(frozen=True, eq=False)
class CriticEstimate(HasBounds):
    """An estimate of W1 by a neural critic.

    Attributes
    ----------
    value : float
        The estimate, in the unit of the points.
    bounds : Bounds
        For estimand "empirical" a proved interval of the exact distance of these points; for "population"
        a 95 % confidence interval of the distance of the distributions; also as ``lower``, ``upper``, ``gap``.
    raw : float
        sum a f - sum b f of the critic as trained: what other programs print as the distance.
    critic_value : float
        The estimate without the c-transform of the points: raw over the proved Lipschitz constant, or the
        de-biased value.
    estimand : {"empirical", "population"}
    status : Status
        OPTIMAL where the interval is proved and closed, else STOPPED; see :func:`interval_status`.
    exact : float or None
        Exact distance of the points, where it was affordable (for "population": the mean of small samples,
        which is too large on average).
    null_floor : float or None
        Exact distance of two samples of the first distribution: the level at which a distance of 0 shows.
    standard_error : float
        Of the critic's value as an estimate of the distributions' distance.
    lipschitz : LipschitzBound or None
        Proved upper bound of the critic's constant.
    debiased : Debiased or None
        The three de-biased values of a penalised critic, and the convergence identity.
    constraint, reason : str
        The constraint and why it was taken.
    seed_values : tuple of float
        The estimates of all seeds; their spread is a diagnostic.
    verdict : Verdict
    critic : FittedCritic
    seconds : float
    """

    value: float
    bounds: Bounds
    raw: float
    critic_value: float
    estimand: str
    status: Status
    exact: float | None
    null_floor: float | None
    standard_error: float
    lipschitz: LipschitzBound | None
    debiased: Debiased | None
    constraint: str
    reason: str
    seed_values: tuple[float, ...]
    verdict: Verdict
    critic: FittedCritic = field(repr=False)
    seconds: float

    @property
    def device(self) -> str:
        """Where the critic was trained."""
        return self.critic.device

    @property
    def message(self) -> str:
        """The verdict as a sentence."""
        return self.verdict.message

    @property
    def nit(self) -> int:
        """Steps of the training."""
        return self.critic.steps

    @property
    def believed(self) -> bool:
        """Whether nothing speaks against the value: it agrees, or no unbiased reference was available."""
        return self.verdict.accepted

    def __float__(self) -> float:
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Everything but the critic, ready for JSON."""
        return {
            "estimate": self.value,
            "lower": self.lower,
            "upper": json_number(self.upper),
            "exact": self.exact,
            "raw": self.raw,
            "critic_value": self.critic_value,
            "estimand": self.estimand,
            "verdict": self.verdict.word,
            "verdict_reason": self.verdict.reason,
            "standing": self.verdict.standing,
            "constraint": self.constraint,
            "constraint_reason": self.reason,
            "lipschitz": None if self.lipschitz is None else self.lipschitz.value,
            "debiased": None
            if self.debiased is None
            else {k: json_number(v) for k, v in self.debiased.to_dict().items()},
            "null_floor": self.null_floor,
            "standard_error": self.standard_error,
            "seed_values": list(self.seed_values),
            "steps": self.critic.steps,
            "stopped": self.critic.stopped,
            "uses_of_draws": self.critic.uses,
            "device": self.device,
            "seconds": self.seconds,
        }

    def table(self, title: str = "Neural critic") -> Table:
        """The estimate and its diagnostics as a table."""
        population = self.estimand == "population"
        ends = f"[{number(self.lower, 8)}, {number(self.upper, 8)}]"
        rows = [
            ("estimate", number(self.value, 8), "W1 of the distributions" if population else "W1 of these points"),
            ("interval", ends, "95 % confidence" if population else "proved"),
            ("raw value", number(self.raw, 8), "sum a f - sum b f as trained"),
            ("critic value", number(self.critic_value, 8), "raw over the proved constant, or de-biased"),
        ]
        if self.exact is not None:
            meaning = "mean of small samples: too large" if population else "optimal plan, proved"
            rows.append(("exact", number(self.exact, 8), meaning))
        if self.null_floor is not None:
            rows.append(("null floor", number(self.null_floor, 8), "two samples of the first distribution"))
        if self.lipschitz is not None:
            rows.append(("Lipschitz", f"<= {number(self.lipschitz.value, 8)}", self.lipschitz.how))
        if self.debiased is not None:
            d = self.debiased
            rows.append(("de-biased", number(d.formula, 8), "lambda (sqrt(1 + 2 R / lambda) - 1)"))
            rows.append(("", number(d.by_penalty, 8), "R - 2 x penalty"))
            rows.append(("", number(d.by_slope, 8), "R / mean slope on the rays"))
            rows.append(
                ("identity", number(d.identity, 4), "R / (2 lambda E[(|grad f| - 1) |grad f|]); 1 at convergence")
            )
        if len(self.seed_values) > 1:
            rows.append(
                ("seeds", ", ".join(number(v, 6) for v in self.seed_values), "the one with the best bound is taken")
            )
        notes = (
            self.message,
            f"Constraint {self.constraint}: {self.reason}. {self.critic.steps} steps on {self.device}, "
            f"{self.seconds:.1f} s, ended by {self.critic.stopped}.{_reuse(self.critic.uses)}",
        )
        return Table(title, ("what", "value", "meaning"), rows, notes, (1,))

    def __repr__(self) -> str:
        return (
            f"CriticEstimate(value={self.value:.8g}, [{self.lower:.8g}, {self.upper:.8g}], {self.estimand}, "
            f"{self.constraint!r}, verdict={self.verdict.word!r})"
        )

    def _repr_html_(self) -> str:
        return self.table().html()


def _reuse(uses: float | None) -> str:
    return "" if uses is None or uses <= 1 else f" Each drawn point served {uses:.2g} times in the training."


def interval_status(bounds: Bounds, *, proved: bool) -> Status:
    """OPTIMAL for a proved interval whose ends agree to 1e-9 of the upper one, else STOPPED."""
    return Status.OPTIMAL if proved and bounds.gap <= TIGHT * abs(bounds.upper) else Status.STOPPED
