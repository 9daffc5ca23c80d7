"""Conditional entropy and mutual information of a joint pmf."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.divergences.kl_js import kl
from otdiv.divergences.pmf import DivergenceValue, as_pmf, log_of_base
from otdiv.divergences.terms import add_up


def as_joint(name: str, value: Any, *, normalize: bool = False) -> Array:
    """A joint pmf [k, n]: entries >= 0 of total 1.

    Raises
    ------
    InvalidInput
        Not two axes, or not a pmf.
    """
    table = as_float_array(name, value)
    if table.ndim != 2 or 0 in table.shape:
        raise invalid(
            name,
            "have two axes, one for each variable",
            f"shape {table.shape}",
            "Pass P(c, x) with a row for each c and a column for each x.",
        )
    return as_pmf(name, table.ravel(), normalize=normalize).reshape(table.shape)


def conditional_entropy(
    joint: Any, given: int = 0, *, base: float | None = None, normalize: bool = False
) -> DivergenceValue:
    """H(Y | X) = -sum over x, y of p(x, y) log p(y | x) = H(X, Y) - H(X), in [0, H(Y)].

    Parameters
    ----------
    joint : array_like [k, n]
        p(row, column), of mass 1 within 1e-9.
    given : {0, 1}
        The axis of X, the variable that is known: 0, the rows; 1, the columns.
    base : float, optional
        Base of the logarithm, above 1; None is e, the result then in nats.
    normalize : bool
        Divide ``joint`` by its mass first.

    Returns
    -------
    DivergenceValue
        0 where X determines Y.

    Raises
    ------
    InvalidInput
        Not a joint pmf, or another axis.

    Notes
    -----
    T. Cover and J. Thomas, Elements of information theory, 2006, section 2.2.

    Examples
    --------
    >>> round(conditional_entropy([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]], given=1), 12)
    0.349667005969
    """
    if given not in (0, 1):
        raise invalid("given", "be 0 (rows known) or 1 (columns known)", repr(given), "Name the axis that is known.")
    unit = log_of_base(base)
    table = as_joint("joint", joint, normalize=normalize)
    known = np.broadcast_to(table.sum(axis=1 - given, keepdims=True), table.shape)
    held = table > 0
    terms = table[held] * np.log(table[held] / known[held])
    return DivergenceValue(max(-add_up(terms), 0.0) / unit, "H(Y | X)")


def mutual_information(joint: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """I(X; Y) = KL(p(x, y) || p(x) p(y)) = H(Y) - H(Y | X) = H(X) - H(X | Y).

    Symmetric; 0 exactly when X and Y are independent.  Uncorrelated variables may have any information: X uniform
    on {-1, 0, 1} and Y = X^2 have covariance 0 and share all of H(Y).

    Parameters
    ----------
    joint : array_like [k, n]
        p(row, column), of mass 1 within 1e-9.
    base : float, optional
        Base of the logarithm, above 1; None is e, the result then in nats.
    normalize : bool
        Divide ``joint`` by its mass first.

    Returns
    -------
    DivergenceValue
        In [0, min(H(X), H(Y))].

    Raises
    ------
    InvalidInput
        Not a joint pmf.

    Notes
    -----
    T. Cover and J. Thomas, Elements of information theory, 2006, section 2.3.

    Examples
    --------
    >>> round(mutual_information([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]]), 12)
    0.261197296086
    """
    table = as_joint("joint", joint, normalize=normalize)
    independent = np.outer(table.sum(axis=1), table.sum(axis=0))
    value = kl(table.ravel(), independent.ravel(), base=base, normalize=True)
    return DivergenceValue(float(value), "I(X; Y)")
