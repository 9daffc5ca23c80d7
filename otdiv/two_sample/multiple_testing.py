"""p-values of several tests, adjusted so that together they keep one error rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, check_choice, invalid

ADJUSTMENTS = ("holm", "benjamini-hochberg")


def adjust_p_values(p: Any, method: str = "holm") -> Array:
    """Adjusted p-values: rejecting those at most alpha keeps an error rate of alpha over all tests.

    Parameters
    ----------
    p : array_like [k]
        p-values of k tests, each between 0 and 1.
    method : {"holm", "benjamini-hochberg"}
        "holm": the probability of any false rejection is at most alpha, however the tests depend on one another;
        with p sorted, the adjusted value is max over i <= j of min(1, (k - i + 1) p_(i)).
        "benjamini-hochberg": the expected share of false rejections among all is at most alpha, for independent or
        positively dependent tests; min over i >= j of min(1, k p_(i) / i).

    Returns
    -------
    ndarray [k]
        In the order of ``p``.

    Raises
    ------
    InvalidInput
        Not a list of numbers between 0 and 1, or an unknown method.

    References
    ----------
    S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6, 1979.
    Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Stat. Soc. B 57, 1995.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = as_float_array("p", p)
    check_choice("method", method, ADJUSTMENTS)
    if values.ndim != 1 or len(values) == 0:
        raise invalid("p", "have shape [k] with k >= 1", f"shape {values.shape}", "Pass the p-values as one list.")
    if not np.all((values >= 0) & (values <= 1)):
        raise invalid("p", "hold numbers between 0 and 1", str(values), "Pass p-values, not statistics.")
    if method == "benjamini-hochberg":
        from scipy.stats import false_discovery_control

        return np.asarray(false_discovery_control(values, method="bh"), dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.arange(len(values), 0, -1) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted
