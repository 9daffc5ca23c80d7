"""From numbers to a verdict: whether a critic's value is a distance, and what to do if not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from otdiv.critics.debias import Debiased

CLOSE = 0.05
"""Relative difference from the exact value up to which a critic agrees; higher accepts more critics."""
STEEP = 1.05
"""Slope above which a critic is not called 1-Lipschitz (networks are rarely exact); higher accepts more critics."""


LEAKED = 0.05
"""Share of held-out points that may be known ones (repeated rows of real tables); higher accepts more leaks."""
UNCHECKED = ("reference is biased", "unchecked")
"""Verdicts that neither confirm a value nor speak against it."""
ACCEPTED = ("agrees", *UNCHECKED)
"""Verdicts that do not speak against a value."""


@dataclass(frozen=True)
class Verdict:
    """A word, the sentence that explains it, and the next thing to try.

    Attributes
    ----------
    word : str
        "agrees", "underfit", "not a distance", "not 1-Lipschitz", "overfit", "reference is biased", or "unchecked".
    reason, remedy : str
    """

    word: str
    reason: str
    remedy: str

    @property
    def message(self) -> str:
        """Word, reason and remedy as sentences."""
        return f"Verdict: {self.word}. {self.reason} {self.remedy}"

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against the value."""
        return self.word in ACCEPTED

    @property
    def standing(self) -> str:
        """ "believed" (compared with an exact reference), "unchecked" (none could decide), or "not believed"."""
        if self.word in UNCHECKED:
            return "unchecked"
        return "believed" if self.accepted else "not believed"


@dataclass(frozen=True)
class Evidence:
    """The numbers a verdict rests on; see :class:`CriticReport`.

    ``scale`` is the spread of the points; ``corrected`` says that the number reported is the de-biased one already;
    ``exact_gap`` is the relative width of the interval in which the exact value is known, ``leaked`` the share of the
    held-out points that are among the others, ``constant`` a proved upper bound of the Lipschitz constant.
    """

    estimand: str
    value: float
    error: float
    held_out: float | None
    exact: float
    scale: float
    secant: float
    proved_lower: float
    null_floor: float
    debiased: float | None
    corrected: bool = False
    exact_gap: float = 0.0
    leaked: float = 0.0
    constant: float | None = None


def judge(e: Evidence) -> Verdict:
    """The first of these that holds: inflated by a penalty, too steep, overfit, reference biased, underfit, agrees."""
    if e.exact_gap > CLOSE:
        return Verdict(
            "unchecked",
            f"The exact value is known within {100 * e.exact_gap:.2g} % only.",
            "Pass fewer points, so that exact transport is affordable.",
        )
    steep = e.secant > STEEP
    too_high = e.value > e.exact + CLOSE * e.exact + 1e-9 * e.scale
    if e.debiased is not None and steep and abs(e.debiased - e.exact) <= CLOSE * e.exact:
        if too_high and not e.corrected:
            return Verdict(
                "not a distance",
                f"The value {e.value:.5g} is {e.value / e.exact:.3g} times the exact {e.exact:.5g}: "
                f"the penalty inflates it. De-biased it is {e.debiased:.5g}.",
                "Report the de-biased value, not the loss.",
            )
        return Verdict(
            "agrees",
            f"After removal of the penalty's bias the value is {e.debiased:.5g}, against exact {e.exact:.5g}.",
            "Report the de-biased value, not the loss.",
        )
    if steep and (too_high or e.value < (1 - CLOSE) * e.exact * e.secant):
        return _too_steep(e)
    if e.held_out is not None:
        # the standard error of the training value stands for that of the held-out one
        drop = e.value - e.held_out
        if drop > 3 * math.sqrt(2) * e.error and drop > 2 * CLOSE * e.value:
            return Verdict(
                "overfit",
                f"The value falls from {e.value:.5g} on these points to {e.held_out:.5g} on others: "
                "the critic has overfitted these points.",
                "Use more points, fewer parameters or an earlier stop; on these very points exact transport is better.",
            )
    if e.estimand == "population" and e.leaked > LEAKED:
        return Verdict(
            "unchecked",
            f"{100 * e.leaked:.3g} % of the held-out points are among those of the audit, so they show no overfitting.",
            "Hold out points that the critic was not trained on.",
        )
    least = e.exact - 2 * e.null_floor  # by the triangle inequality, in the mean: W1 of the distributions is no less
    if e.estimand == "population" and e.value + 3 * e.error < (1 - CLOSE) * least:
        return Verdict(
            "underfit",
            f"It finds {e.value:.5g}; the exact {e.exact:.5g} less the sampling error of both samples is {least:.5g}.",
            "Train longer or wider.",
        )
    if e.estimand == "population" and e.null_floor > 0.2 * e.exact and e.value < (1 - CLOSE) * e.exact:
        return Verdict(
            "reference is biased",
            f"Two halves of one sample are already {e.null_floor:.3g} apart, so the exact value {e.exact:.5g} of the "
            f"points is too large for the distributions; the critic's {e.value:.5g} lies below it, as it should.",
            "Trust the held-out value as a lower bound; take more points to narrow the bracket.",
        )
    if steep:
        return _too_steep(e)
    if e.value < (1 - CLOSE) * e.exact - 1e-9 * e.scale:
        share = e.value / e.exact if e.exact > 0 else 0.0
        if e.secant > 0 and e.value / e.secant >= (1 - CLOSE) * e.exact:
            reason = (
                f"Its steepest slope is only {e.secant:.4g}; divided by it the value would be {e.value / e.secant:.5g}."
            )
            return Verdict(
                "underfit", reason, "Divide by the slope, or let the constraint loose until the slope reaches 1."
            )
        return Verdict(
            "underfit",
            f"It finds {100 * share:.3g} % of the exact {e.exact:.5g}; its c-transform proves {e.proved_lower:.5g}.",
            "Train longer or wider; for fixed points use the c-transform of the critic, or exact transport.",
        )
    return Verdict(
        "agrees",
        f"Value {e.value:.5g} against exact {e.exact:.5g}, slopes at most {e.secant:.4g}.",
        "The value can be trusted up to this difference.",
    )


def judge_without_reference(
    value: float, lower: float, terms: Debiased | None, seconds: float | None = None
) -> Verdict:
    """A verdict without an exact reference value.

    Parameters
    ----------
    value, lower : float
        The estimate and its proved lower end.
    terms : Debiased or None
        Of a penalised critic.
    seconds : float, optional
        Predicted time of the exact value.
    """
    if terms is not None and not (terms.converged and terms.agree):
        return Verdict(
            "underfit",
            f"The training has not converged: the identity stands at {terms.identity:.3g} instead of 1, and the three "
            f"de-biased values differ by {100 * terms.spread:.2g} %.",
            "Train longer, or take another constraint.",
        )
    share = lower / value if value > 0 else 1.0
    return Verdict(
        "unchecked",
        ("No exact reference value was asked for" if seconds is None else f"Exact transport would take {seconds:.3g} s")
        + f"; {100 * share:.3g} % of the value is proved from below.",
        "Pass exact=True to compute it, or fewer points.",
    )


def _too_steep(e: Evidence) -> Verdict:
    repaired = e.value / e.secant
    proved = f" Proved: the constant is at most {e.constant:.4g}." if e.constant else ""
    return Verdict(
        "not 1-Lipschitz",
        f"Slopes reach {e.secant:.4g}, so the value {e.value:.5g} is on another scale than the exact {e.exact:.5g}.",
        f"Divide by the Lipschitz constant: {repaired:.5g} is a lower bound of W1 if {e.secant:.4g} is the constant."
        + proved,
    )
