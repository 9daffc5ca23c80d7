"""What every test returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from otdiv.core.bounds import Bounds
from otdiv.core.text_tables import json_number, number
from otdiv.two_sample.arguments import as_level

USUAL_LEVEL = 0.05
"""Probability of a false alarm that most tests are run at; a result says so when it cannot be reached."""


@dataclass(frozen=True)
class TestResult:
    """A statistic of two samples and its p-value.

    Attributes
    ----------
    statistic : float
        Of the samples as given; ``meaning`` says what it is.
    p_value : float
        The probability, if both samples come from one distribution, of a division as extreme as the observed one:
        (1 + number of permuted statistics >= the observed one) / (1 + B).  Valid for every n and m.
    method : str
        The name of the test.
    n, m : int
        Sizes of the samples.
    permutations : int
        B; where ``exhaustive``, the number of all other divisions.
    exhaustive : bool
        Whether every division of the pool was evaluated.
    least_p_value : float
        The smallest p-value that was possible.
    meaning : str
        The statistic in words, with its unit.
    reason : str
        Why this method was chosen, where a choice was asked for.
    bounds : Bounds or None
        A proved interval about the statistic, where it is an optimum.
    gap : float or None
        Where permuted statistics are optima: the largest difference between cost of the plan and value of the
        potentials among all of them; None where they come from a formula.
    """

    __test__ = False  # for pytest, which collects classes by their name

    statistic: float
    p_value: float
    method: str
    n: int
    m: int
    permutations: int
    exhaustive: bool
    least_p_value: float
    meaning: str
    reason: str = ""
    bounds: Bounds | None = None
    gap: float | None = None

    def reject(self, level: float = USUAL_LEVEL) -> bool:
        """Whether p_value <= level: that both come from one distribution is rejected.

        Parameters
        ----------
        level : float
            Probability of a false alarm.

        Returns
        -------
        bool
            False, too, where ``least_p_value`` exceeds the level, so that no data could have been rejected.

        Raises
        ------
        InvalidInput
            If the level does not lie between 0 and 1.
        """
        return self.p_value <= as_level(level)

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        fields = asdict(self) | {"statistic": json_number(self.statistic)}
        fields["bounds"] = None if self.bounds is None else [self.bounds.lower, self.bounds.upper]
        return fields

    def __str__(self) -> str:
        divisions = f"all {self.permutations + 1} divisions" if self.exhaustive else f"{self.permutations} permutations"
        lines = [
            f"{self.method}: p = {number(self.p_value, 4)}, statistic {number(self.statistic, 6)} ({self.meaning})",
            f"n = {self.n}, m = {self.m}, {divisions}",
        ]
        if self.bounds is not None:
            ends = number(self.bounds.lower, 12), number(self.bounds.upper, 12)
            lines.append(f"the statistic is proved to lie in [{ends[0]}, {ends[1]}]")
        if self.gap is not None:
            lines.append(f"permuted values are optimal within {number(max(self.gap, 0.0), 2)}")
        if self.least_p_value > USUAL_LEVEL:
            lines.append(
                f"no data of this size can give p below {number(self.least_p_value, 4)}: "
                f"level {USUAL_LEVEL:g} cannot be reached; use more points or permutations"
            )
        if self.reason:
            lines.append(f"chosen because {self.reason}")
        return "\n".join(lines)
