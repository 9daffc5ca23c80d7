"""Bayesian GAN with finitely many generators, discriminators and noises, exactly.

A generator is the more probable the better its points deceive the discriminator, a discriminator the better it
separates real points from generated ones; each with its own prior, and with the noise z integrated out.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy.special import logsumexp

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.divergences.pmf import as_pmf
from otdiv.gans.exact.discriminator import log, log1m

MOST_BATCHES = 1_000_000
"""Batches of noise over which a posterior is averaged by enumeration; more of them ask for sampling."""


def generator_posterior(scores: Any, prior: Any) -> Array:
    """p(theta_g | z, theta_d) proportional to p(theta_g) prod over i of D(G_theta_g(z_i)).

    Parameters
    ----------
    scores : array_like [k, n]
        D(G_k(z_i)) in [0, 1]: a row for each generator, a column for each noise of the batch.
    prior : array_like [k]
        Pmf over the generators.

    Returns
    -------
    ndarray [k]

    Raises
    ------
    InvalidInput
        Scores outside [0, 1] or of another shape; not a pmf; every generator excluded by a score of 0.

    Notes
    -----
    Y. Saatchi and A. G. Wilson, Bayesian GAN, NeurIPS 2017, equation 1.

    Examples
    --------
    >>> generator_posterior([[0.8], [0.4]], [0.6, 0.4]).round(12).tolist()
    [0.75, 0.25]
    """
    p = as_pmf("prior", prior)
    d = _as_scores("scores", scores, len(p))
    return _normalised(log(p) + log(d).sum(axis=1), "every generator has a point with score 0")


def discriminator_posterior(real_scores: Any, generated_scores: Any, prior: Any) -> Array:
    """p(theta_d | z, X, theta_g) proportional to p(theta_d) prod of D(x_i) prod of (1 - D(G(z_i))).

    The prior is that of the discriminator, once for the whole batch.

    Parameters
    ----------
    real_scores : array_like [k, n]
        D_k(x_i) in [0, 1] of the data: a row for each discriminator.
    generated_scores : array_like [k, m]
        D_k(G(z_i)) of the generated points.
    prior : array_like [k]
        Pmf over the discriminators.

    Returns
    -------
    ndarray [k]

    Raises
    ------
    InvalidInput
        As :func:`generator_posterior`.

    Notes
    -----
    Saatchi and Wilson 2017, equation 2.

    Examples
    --------
    >>> real = [[0.8, 0.8, 0.4], [0.3, 0.3, 0.9]]
    >>> discriminator_posterior(real, [[0.8, 0.4], [0.3, 0.9]], [0.9, 0.1]).round(12).tolist()
    [0.97990430622, 0.02009569378]
    """
    p = as_pmf("prior", prior)
    real = _as_scores("real_scores", real_scores, len(p))
    generated = _as_scores("generated_scores", generated_scores, len(p))
    evidence = log(real).sum(axis=1) + log1m(generated).sum(axis=1)
    return _normalised(log(p) + evidence, "every discriminator is wrong with certainty somewhere")


def marginal_generator_posterior(scores: Any, prior: Any, noise: Any, batch: int = 1) -> Array:
    """p(theta_g | theta_d) = E over batches z of p(theta_g | z, theta_d), each posterior normalised by itself.

    Parameters
    ----------
    scores : array_like [k, n]
        D(G_k(z)) for each of the n values of the noise.
    prior : array_like [k]
    noise : array_like [n]
        Pmf of the noise; it does not depend on the discriminator, which is an assumption of the model.
    batch : int
        Noises in a batch, drawn independently.

    Returns
    -------
    ndarray [k]

    Raises
    ------
    InvalidInput
        As :func:`generator_posterior`; more than a million batches.

    Notes
    -----
    Saatchi and Wilson 2017, equation 3.  The average of posteriors that are not normalised is another pmf.

    Examples
    --------
    >>> marginal_generator_posterior([[0.8, 0.4], [0.4, 0.8]], [0.6, 0.4], [0.5, 0.5]).round(12).tolist()
    [0.589285714286, 0.410714285714]
    """
    p, weights = as_pmf("prior", prior), as_pmf("noise", noise)
    d = _as_scores("scores", scores, len(p), columns=len(weights))
    return _over_batches(lambda z: generator_posterior(d[:, z], p), weights, batch, len(p))


def marginal_discriminator_posterior(
    real_scores: Any, generated_scores: Any, prior: Any, noise: Any, batch: int = 1
) -> Array:
    """p(theta_d | X, theta_g) = E over batches z of p(theta_d | z, X, theta_g).

    Parameters
    ----------
    real_scores : array_like [k, n]
        D_k(x_i) of the data.
    generated_scores : array_like [k, m]
        D_k(G(z)) for each of the m values of the noise.
    prior : array_like [k]
    noise : array_like [m]
        Pmf of the noise.
    batch : int
        Noises in a batch.

    Returns
    -------
    ndarray [k]

    Raises
    ------
    InvalidInput
        As :func:`marginal_generator_posterior`.

    Notes
    -----
    Saatchi and Wilson 2017, equation 4.

    Examples
    --------
    >>> scores = [[0.8, 0.4], [0.3, 0.9]]
    >>> real = [[0.8, 0.8, 0.4], [0.3, 0.3, 0.9]]
    >>> marginal_discriminator_posterior(real, scores, [0.9, 0.1], [0.5, 0.5]).round(12).tolist()
    [0.942304769945, 0.057695230055]
    """
    p, weights = as_pmf("prior", prior), as_pmf("noise", noise)
    real = _as_scores("real_scores", real_scores, len(p))
    d = _as_scores("generated_scores", generated_scores, len(p), columns=len(weights))
    return _over_batches(lambda z: discriminator_posterior(real, d[:, z], p), weights, batch, len(p))


def _over_batches(posterior: Any, noise: Array, batch: int, size: int) -> Array:
    """The mean of posterior(z) over all batches z of independent noises."""
    if not (isinstance(batch, int | np.integer) and batch >= 1):
        raise invalid("batch", "be a positive integer", repr(batch), "1 takes one noise at a time.")
    if len(noise) ** batch > MOST_BATCHES:
        raise invalid(
            "batch",
            f"leave at most {MOST_BATCHES} batches to average over",
            f"{len(noise)} ** {batch}",
            "Average posteriors of batches that you draw.",
        )
    mean = np.zeros(size)
    for z in product(np.flatnonzero(noise), repeat=batch):
        mean += np.prod(noise[list(z)]) * posterior(list(z))
    return mean


def _as_scores(name: str, value: Any, rows: int, columns: int | None = None) -> Array:
    d = as_float_array(name, value)
    if d.ndim != 2 or d.shape[0] != rows or (columns is not None and d.shape[1] != columns):
        wanted = f"shape ({rows}, {'n' if columns is None else columns})"
        raise invalid(name, f"have {wanted}", f"shape {d.shape}", "A row for each network, a column for each point.")
    if not ((d >= 0) & (d <= 1)).all():
        raise invalid(name, "lie in [0, 1]", f"from {d.min()} to {d.max()}", "Pass probabilities, not logits.")
    return d


def _normalised(log_weights: Array, excluded: str) -> Array:
    total = logsumexp(log_weights)
    if total == -np.inf:
        raise invalid("scores", "leave one network possible", excluded, "A posterior needs one of positive likelihood.")
    return np.asarray(np.exp(log_weights - total))
