"""InfoGAN on finitely many codes and points, exactly.

A code c of prior P(c) goes through a channel P(x | c), the generator with its noise integrated out.  The mutual
information I(c; x) is bounded from below by L_I, which any guess Q(c | x) of the code gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, as_rng, invalid, require_finite
from otdiv.divergences.information import entropy
from otdiv.divergences.joint import as_joint, mutual_information
from otdiv.divergences.pmf import as_pmf
from otdiv.gans.exact.discriminator import gan_loss, optimal_discriminator


@dataclass(frozen=True)
class InformationBound:
    """The variational lower bound of the mutual information.

    Attributes
    ----------
    value : float
        L_I = E log Q(c | x) + H(c), in nats; -inf where Q excludes a code that occurs; may be negative.
    information : float
        I(c; x).
    gap : float
        information - value = E_x KL(P(. | x) || Q(. | x)), at least 0; 0 exactly for Q = P(c | x).
    """

    value: float
    information: float
    gap: float


def joint_of_channel(prior: Any, channel: Any) -> Array:
    """P(c, x) = P(c) P(x | c).

    Parameters
    ----------
    prior : array_like [k]
        Pmf of the code.
    channel : array_like [k, n]
        P(x | c): a pmf over x in each row.

    Returns
    -------
    ndarray [k, n]

    Raises
    ------
    InvalidInput
        Not pmfs, or not one row for each code.

    Examples
    --------
    >>> joint_of_channel([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]]).tolist()
    [[0.45, 0.05], [0.05, 0.45]]
    """
    p = as_pmf("prior", prior)
    table = _as_conditional("channel", channel, rows=len(p))
    return p[:, None] * table


def posterior_of_code(joint: Any) -> Array:
    """P(c | x) = P(c, x) / P(x): the guess of the code that makes :func:`information_bound` tight.

    Parameters
    ----------
    joint : array_like [k, n]
        P(c, x).

    Returns
    -------
    ndarray [k, n]
        A pmf over c in each column; nan where P(x) = 0.

    Raises
    ------
    InvalidInput
        Not a joint pmf.

    Examples
    --------
    >>> posterior_of_code([[0.45, 0.05], [0.05, 0.45]]).round(12).tolist()
    [[0.9, 0.1], [0.1, 0.9]]
    """
    table = as_joint("joint", joint)
    total = np.broadcast_to(table.sum(axis=0), table.shape)
    return np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)


def information_bound(joint: Any, posterior: Any) -> InformationBound:
    """L_I(Q) = sum over c, x of P(c, x) log Q(c | x) + H(c) <= I(c; x).

    H(c) is fixed by the prior, so to maximise L_I over Q is to minimise a cross entropy.

    Parameters
    ----------
    joint : array_like [k, n]
        P(c, x).
    posterior : array_like [k, n]
        Q(c | x): a pmf over c in each column where P(x) > 0.

    Returns
    -------
    InformationBound

    Raises
    ------
    InvalidInput
        Not a joint pmf; Q of another shape, or columns that are no pmfs.

    Notes
    -----
    D. Barber and F. Agakov, The IM algorithm, 2003; X. Chen et al., InfoGAN, 2016.

    Examples
    --------
    >>> bound = information_bound([[0.45, 0.05], [0.05, 0.45]], [[0.8, 0.2], [0.2, 0.8]])
    >>> round(bound.value, 12), round(bound.gap, 12)
    (0.331374193134, 0.036690014035)
    """
    table = as_joint("joint", joint)
    q = _as_posterior(posterior, table)
    held = table > 0
    information = float(mutual_information(table))
    if (q[held] == 0).any():
        return InformationBound(-np.inf, information, np.inf)
    expected_log = float(np.sum(table[held] * np.log(q[held])))
    value = expected_log + float(entropy(table.sum(axis=1), normalize=True))
    columns = np.broadcast_to(table.sum(axis=0), table.shape)[held]
    gap = float(np.sum(table[held] * np.log(table[held] / columns / q[held])))
    return InformationBound(value, information, max(gap, 0.0))


def infogan_objective(
    p_r: Any,
    prior: Any,
    channel: Any,
    *,
    discriminator: Any = None,
    posterior: Any = None,
    weight: float = 1.0,
) -> float:
    """V(D, G) - weight L_I(G, Q), which G and Q minimise and D maximises.

    V is the GAN objective of :func:`otdiv.gans.gan_loss` with p_g(x) = sum over c of P(c) P(x | c).

    Parameters
    ----------
    p_r : array_like [n]
        Pmf of the data.
    prior : array_like [k]
    channel : array_like [k, n]
        P(x | c).
    discriminator : array_like [n], optional
        D(x) in [0, 1]; None is the best one.
    posterior : array_like [k, n], optional
        Q(c | x); None is the best one, with which L_I is the mutual information itself.
    weight : float
        Of the information, >= 0.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    InvalidInput
        As :func:`joint_of_channel`, :func:`information_bound` and :func:`otdiv.gans.gan_loss`; a negative weight.

    Examples
    --------
    >>> round(infogan_objective([0.5, 0.5], [0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]]), 12)
    -1.754358568288
    """
    if not 0.0 <= weight < np.inf:
        raise invalid("weight", "be a number >= 0", repr(weight), "0 leaves the traditional GAN.")
    joint = joint_of_channel(prior, channel)
    generated = joint.sum(axis=0)
    d = optimal_discriminator(p_r, generated, normalize=True) if discriminator is None else discriminator
    value = gan_loss(d, p_r, generated, normalize=True)
    information = float(mutual_information(joint)) if posterior is None else information_bound(joint, posterior).value
    return value - weight * information


def resampled_expectation(joint: Any, values: Any) -> float:
    """E f(x', y) for x ~ X, y ~ Y | x, x' ~ X | y: the same as E f(x, y).

    Parameters
    ----------
    joint : array_like [k, n]
        P(x, y), rows x.
    values : array_like [k, n]
        f(x, y).

    Returns
    -------
    float
        Summed over x, y and x' as the sampling goes.

    Raises
    ------
    InvalidInput
        Not a joint pmf; values of another shape, or not finite.

    Examples
    --------
    >>> round(resampled_expectation([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]], [[1, 4, -2], [0, 3, 7]]), 12)
    3.96
    """
    table = as_joint("joint", joint)
    f = as_float_array("values", values)
    if f.shape != table.shape:
        raise invalid(
            "values", f"have shape {table.shape}", f"shape {f.shape}", "Give f at each pair of the joint pmf."
        )
    require_finite("values", f)
    drawn_again = np.nan_to_num(posterior_of_code(table))  # P(x' | y); 0 where y never occurs
    return float(np.einsum("xy,ky,ky->", table, drawn_again, f))


def sample_channel(prior: Any, channel: Any, n: int, rng: int | np.random.Generator | None) -> tuple[Array, Array]:
    """n pairs (c, x): c ~ P(c), then x ~ P(x | c), as an InfoGAN draws its training pairs for Q.

    Parameters
    ----------
    prior : array_like [k]
    channel : array_like [k, n]
        P(x | c).
    n : int
    rng : int, Generator or None

    Returns
    -------
    codes, points : ndarray [n] of int

    Raises
    ------
    InvalidInput
        As :func:`joint_of_channel`; n not a positive integer.

    Examples
    --------
    >>> codes, points = sample_channel([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]], 5, 0)
    >>> bool((codes == points).all())
    True
    """
    if not (isinstance(n, int | np.integer) and n >= 1):
        raise invalid("n", "be a positive integer", repr(n), "Give the number of pairs.")
    generator = as_rng(rng)
    joint = joint_of_channel(prior, channel)
    p = joint.sum(axis=1)
    codes = generator.choice(len(p), size=n, p=p / p.sum())
    points = np.empty(n, dtype=np.int64)
    for c in np.unique(codes):
        drawn = codes == c
        points[drawn] = generator.choice(joint.shape[1], size=int(drawn.sum()), p=joint[c] / joint[c].sum())
    return codes, points


def _as_conditional(name: str, value: Any, rows: int) -> Array:
    table = as_float_array(name, value)
    if table.ndim != 2 or table.shape[0] != rows:
        raise invalid(
            name, f"have a row for each of the {rows} codes", f"shape {table.shape}", "Pass P(x | c) as [k, n]."
        )
    return np.stack([as_pmf(f"{name}[{k}]", row) for k, row in enumerate(table)])


def _as_posterior(value: Any, joint: Array) -> Array:
    q = as_float_array("posterior", value)
    if q.shape != joint.shape:
        raise invalid(
            "posterior", f"have shape {joint.shape}", f"shape {q.shape}", "Give Q(c | x) with a column for each x."
        )
    held = joint.sum(axis=0) > 0
    for x in np.flatnonzero(held):
        as_pmf(f"posterior[:, {x}]", q[:, x])
    return np.where(held, q, 1.0)
