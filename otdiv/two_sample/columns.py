"""One test for every column, with p-values adjusted for their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.text_tables import Table, number
from otdiv.core.validation import as_rng, check_choice
from otdiv.costs import Euclidean
from otdiv.two_sample.arguments import Pool, as_level, as_permutations, as_pool
from otdiv.two_sample.choice import METHODS, two_sample_test
from otdiv.two_sample.multiple_testing import ADJUSTMENTS, adjust_p_values
from otdiv.two_sample.permutations import draw_divisions
from otdiv.two_sample.result import TestResult
from otdiv.two_sample.wasserstein import run_on_divisions


@dataclass(frozen=True)
class ColumnTest:
    """The test of one column.

    Attributes
    ----------
    name : str
        Of the column; its number where the input has no names.
    effect : float
        The statistic in units of the column's pooled standard deviation where it is a distance in the unit of the
        points ("wasserstein", "capped wasserstein"); else the statistic itself.
    adjusted_p : float
        The p-value, adjusted for the number of columns.
    test : TestResult
    """

    name: str
    effect: float
    adjusted_p: float
    test: TestResult

    @property
    def statistic(self) -> float:
        """Of the column, in the unit of the test."""
        return self.test.statistic

    @property
    def p_value(self) -> float:
        """Of the column alone."""
        return self.test.p_value


@dataclass(frozen=True)
class ColumnTests:
    """The tests of all columns, the clearest difference first.

    Attributes
    ----------
    rows : tuple of ColumnTest
        By adjusted p-value, then p-value, then effect from large to small.
    method, adjustment : str
    """

    rows: tuple[ColumnTest, ...]
    method: str
    adjustment: str

    def __iter__(self) -> Iterator[ColumnTest]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> ColumnTest:
        return next(row for row in self.rows if row.name == check_choice("name", name, self.names))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of the rows."""
        return tuple(row.name for row in self.rows)

    def rejected(self, level: float = 0.05) -> tuple[str, ...]:
        """The columns whose adjusted p-value is at most the level."""
        return tuple(row.name for row in self.rows if row.adjusted_p <= as_level(level))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [
            {"name": row.name, "effect": row.effect, "adjusted_p": row.adjusted_p, **row.test.to_dict()}
            for row in self.rows
        ]
        return {"method": self.method, "adjustment": self.adjustment, "rows": rows}

    def __str__(self) -> str:
        cells = [
            [
                row.name,
                number(row.statistic, 5),
                number(row.effect, 4),
                number(row.p_value, 4),
                number(row.adjusted_p, 4),
            ]
            for row in self.rows
        ]
        headers = ["column", "statistic", "effect", "p", f"p ({self.adjustment})"]
        least = max(row.test.least_p_value for row in self.rows)
        notes = []
        if least * len(self.rows) > 0.05 and self.adjustment == "holm":
            smallest = f"With {len(self.rows)} columns no adjusted p can be below {least * len(self.rows):.2g}"
            notes.append(f"{smallest}: use more permutations.")
        return Table(f"{self.method}, column by column", headers, cells, notes, numeric=(1, 2, 3, 4)).text()


def column_tests(
    x: Any,
    y: Any,
    method: str = "wasserstein",
    *,
    adjustment: str = "holm",
    permutations: int = 999,
    rng: Any = None,
) -> ColumnTests:
    """Test every column by itself, and rank the columns.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    method : str
        As in :func:`two_sample_test`.
    adjustment : {"holm", "benjamini-hochberg"}
        See :func:`adjust_p_values`.
    permutations : int
        B.  The smallest p-value is 1 / (1 + B), so many columns need many permutations.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    ColumnTests

    Raises
    ------
    InvalidInput
        As :func:`two_sample_test`, or an unknown adjustment.

    Examples
    --------
    >>> x = [[k, 10.0 - k] for k in range(10)]
    >>> y = [[a, b + 30.0] for a, b in x]
    >>> column_tests(x, y, rng=0).names
    ('1', '0')
    """
    check_choice("method", method, METHODS)
    check_choice("adjustment", adjustment, ADJUSTMENTS)
    pool, generator = as_pool(x, y), as_rng(rng)
    divisions = None
    if method == "wasserstein":  # all columns on the same divisions, which take longer to draw than to evaluate
        divisions = draw_divisions(pool.n, pool.m, as_permutations(permutations), generator)
    results = []
    for column in pool.points.T:
        if divisions is None:
            x, y = column[: pool.n], column[pool.n :]
            results.append(two_sample_test(x, y, method, permutations=permutations, rng=generator))
        else:
            one = Pool(np.ascontiguousarray(column[:, None]), pool.n, pool.m, ("",))
            results.append(run_on_divisions(one, divisions, method, np.array([np.inf]), Euclidean()))
    adjusted = adjust_p_values([result.p_value for result in results], adjustment)
    spread = pool.points.std(axis=0)
    rows = []
    for k, result in enumerate(results):
        in_unit = "wasserstein" in result.method and spread[k] > 0
        effect = result.statistic / float(spread[k]) if in_unit else result.statistic
        rows.append(ColumnTest(pool.names[k], effect, float(adjusted[k]), result))
    rows.sort(key=lambda row: (row.adjusted_p, row.p_value, -row.effect))
    return ColumnTests(tuple(rows), method, adjustment)
