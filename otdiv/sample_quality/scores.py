"""Scores of a model's own outputs: how well an energy separates, how much a code tells about a sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid, require_finite
from otdiv.estimators.estimate import Estimate, check_confidence, normal_quantile

_LEAST = 2
"""Values of which a standard error can be taken."""


def energy_auroc(energy_real: Any, energy_other: Any, *, confidence: float = 0.95) -> Estimate:
    """Area under the ROC curve of an energy: P(E(other) > E(real)) + P(E(other) = E(real)) / 2.

    1 where every real point has less energy than every other one, 1/2 where the energy says nothing.

    Parameters
    ----------
    energy_real : array_like [n]
        Energies of real points; low is likely.
    energy_other : array_like [m]
        Energies of other points, such as uniform noise or generated ones.
    confidence : float

    Returns
    -------
    Estimate
        With the standard error of DeLong.

    Raises
    ------
    InvalidInput
        Fewer than two energies a side, NaN or infinity.

    Notes
    -----
    The interval is value +- z standard errors within [0, 1].  Where no pair is out of order the standard error is 0
    and says nothing; there min(n, m) pairs without a common point bound the error by binomial tails.

    References
    ----------
    E. DeLong, D. DeLong and D. Clarke-Pearson, Comparing the areas under two or more correlated receiver operating
    characteristic curves, Biometrics 44, 1988.

    Examples
    --------
    >>> energy_auroc([0.0, 1.0], [1.0, 2.0]).value
    0.875
    """
    real, other = _values("energy_real", energy_real), _values("energy_other", energy_other)
    check_confidence(confidence)
    n, m = len(real), len(other)
    above_real, above_other = _share_above(other, real), 1.0 - _share_above(real, other)
    value = float(above_real.mean())
    error = math.sqrt(above_real.var(ddof=1) / n + above_other.var(ddof=1) / m)
    reach = normal_quantile(confidence) * error
    lower, upper = max(0.0, value - reach), min(1.0, value + reach)
    if error == 0.0 and value in (0.0, 1.0):
        tail = ((1.0 - confidence) / 2) ** (1.0 / min(n, m))
        lower, upper = (tail, 1.0) if value == 1.0 else (0.0, 1.0 - tail)
    return Estimate(
        name="P(E(other) > E(real))",
        value=value,
        standard_error=error,
        lower=lower,
        upper=upper,
        confidence=confidence,
        method="ranks",
        reason="no model of the energies is needed",
        assumption="independent points, enough of them for a normal mean",
        n=n,
        m=m,
        ceiling=1.0,
    )


def mutual_information_bound(log_q: Any, entropy: float, *, confidence: float = 0.95) -> Estimate:
    """InfoGAN's lower bound of the mutual information of code and sample: L_I = E log Q(c | G(z, c)) + H(c) <= I(c; G).

    Parameters
    ----------
    log_q : array_like [n]
        Logarithm of the probability that Q gives to the code which made each sample, in nats; samples drawn anew.
    entropy : float
        H(c) of the code's prior in nats: log 10 for ten equally likely categories.
    confidence : float

    Returns
    -------
    Estimate
        In nats.  Its mean is a lower bound of I(c; G) for every Q; the interval is about that mean.

    Raises
    ------
    InvalidInput
        Fewer than two values, NaN or infinity.

    References
    ----------
    X. Chen et al., InfoGAN: interpretable representation learning by information maximizing generative adversarial
    nets, NeurIPS 2016.

    Examples
    --------
    >>> round(mutual_information_bound(np.log([0.9, 0.9, 0.9, 0.9]), np.log(10)).value, 4)
    2.1972
    """
    logs = _values("log_q", log_q)
    check_confidence(confidence)
    prior = float(as_float_array("entropy", entropy))
    if not math.isfinite(prior):
        raise invalid("entropy", "be finite", repr(entropy), "Give H(c) of the code's prior, in nats.")
    value, error = float(logs.mean()) + prior, float(logs.std(ddof=1)) / math.sqrt(len(logs))
    reach = normal_quantile(confidence) * error
    return Estimate(
        name="E log Q(c | x) + H(c)",
        value=value,
        standard_error=error,
        lower=value - reach,
        upper=value + reach,
        confidence=confidence,
        method="mean of log Q",
        reason="its mean is at most the mutual information, whatever Q",
        assumption="independent codes and samples, enough of them for a normal mean",
        n=len(logs),
        m=len(logs),
        ceiling=math.inf,
    )


def _share_above(values: Array, points: Array) -> Array:
    """For every point [n] the share of values above it, equal ones counted half."""
    ascending = np.sort(values)
    low, high = (np.searchsorted(ascending, points, side=side) for side in ("left", "right"))
    return 1.0 - (low + high) / (2.0 * len(values))


def _values(name: str, values: Any) -> Array:
    array = as_float_array(name, values)
    if array.ndim != 1 or array.size < _LEAST:
        raise invalid(name, f"have shape [n] with n >= {_LEAST}", f"shape {array.shape}", "One value for each point.")
    require_finite(name, array)
    return array
