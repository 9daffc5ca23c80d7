"""One door to all tests, and the choice between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otdiv.core.validation import as_rng, check_choice
from otdiv.two_sample.arguments import as_pool
from otdiv.two_sample.cell_tests import js_test
from otdiv.two_sample.classifier import classifier_test
from otdiv.two_sample.kernel_tests import energy_test, mmd_test
from otdiv.two_sample.result import TestResult
from otdiv.two_sample.wasserstein import capped_wasserstein_test, wasserstein_test

METHODS = ("auto", "wasserstein", "capped wasserstein", "energy", "mmd", "classifier", "js")
_TESTS = {
    "wasserstein": wasserstein_test,
    "capped wasserstein": capped_wasserstein_test,
    "energy": energy_test,
    "mmd": mmd_test,
    "classifier": classifier_test,
    "js": js_test,
}
LARGE_POOL = 5_000
"""Points above which all pairs are not compared: 1000 permutations of 20 kernels would take a minute and more."""


def two_sample_test(x: Any, y: Any, method: str = "auto", *, permutations: int = 999, rng: Any = None) -> TestResult:
    """Test whether two samples come from one distribution.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    method : {"auto", "wasserstein", "capped wasserstein", "energy", "mmd", "classifier", "js"}
        "auto" chooses by size alone, never by p-values: "mmd", aggregated over bandwidths, up to 5 000 points in
        all, and "js" above.
    permutations : int
        B.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        With the choice in ``method`` and its ``reason``.

    Raises
    ------
    InvalidInput
        NaN or infinity, fewer than two points, different columns or dimensions, weights that differ, or an unknown
        method.

    Examples
    --------
    >>> print(two_sample_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], "energy", rng=0))
    energy: p = 0.02857, statistic 3.67423 (energy distance, in the square root of the unit of the points)
    n = 4, m = 4, all 70 divisions
    """
    check_choice("method", method, METHODS)
    pool, generator, reason = as_pool(x, y), as_rng(rng), ""
    if method == "auto":
        method, reason = _choose(pool.size)
    result = _TESTS[method](x, y, permutations=permutations, rng=generator)
    return replace(result, reason=reason)


def _choose(size: int) -> tuple[str, str]:
    if size <= LARGE_POOL:
        return "mmd", "aggregated over kernels and bandwidths it needs no scale, and all pairs can be compared"
    return "js", f"{size} points are too many to compare all pairs under permutations; counts in cells take one pass"
