"""Objectives of generative adversarial networks on batches, each a pure function of what the networks returned.

Every function returns a scalar to be minimised.  D = sigmoid(logits); x are real points, G(z) generated ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from otdiv.neural.constraints import two_sided


def discriminator_loss(real_logits: Tensor, generated_logits: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), minus the GAN objective; at least 2 log 2 - 2 JS.

    Parameters
    ----------
    real_logits, generated_logits : Tensor [n], [m]

    Returns
    -------
    Tensor
        In nats.
    """
    return F.softplus(-real_logits).mean() + F.softplus(generated_logits).mean()


def minimax_loss(generated_logits: Tensor) -> Tensor:
    """E log(1 - D(G(z))), the generator's part of the GAN objective; flat where D is sure.

    Parameters
    ----------
    generated_logits : Tensor [m]

    Returns
    -------
    Tensor
        At most 0.
    """
    return -F.softplus(generated_logits).mean()


def log_d_loss(generated_logits: Tensor) -> Tensor:
    """-E log D(G(z)) = E U(G(z)), U = -log D: the generator's loss with the -log D trick.

    Parameters
    ----------
    generated_logits : Tensor [m]

    Returns
    -------
    Tensor
        At least 0.
    """
    return F.softplus(-generated_logits).mean()


def critic_loss(real_values: Tensor, generated_values: Tensor) -> Tensor:
    """-(E f(x) - E f(G(z))): minus a lower bound of W1 where f is 1-Lipschitz.

    Parameters
    ----------
    real_values, generated_values : Tensor [n], [m]
        Of the critic f.

    Returns
    -------
    Tensor
        In units of the distance.
    """
    return generated_values.mean() - real_values.mean()


def wasserstein_loss(generated_values: Tensor) -> Tensor:
    """-E f(G(z)), the generator's part of the WGAN objective.

    Parameters
    ----------
    generated_values : Tensor [m]

    Returns
    -------
    Tensor
    """
    return -generated_values.mean()


def gradient_penalty(norms: Tensor) -> Tensor:
    """E (|grad f| - 1)^2.

    Parameters
    ----------
    norms : Tensor [k]
        |grad f| at points between real and generated ones.

    Returns
    -------
    Tensor
    """
    return two_sided(norms).mean()


def energy_loss(real_energies: Tensor, generated_energies: Tensor, norms: Tensor, weight: float) -> Tensor:
    """E U(x) - E U(G(z)) + weight E |grad U(x)|^2: the discriminator of an energy-based GAN.

    Parameters
    ----------
    real_energies, generated_energies : Tensor [n], [m]
    norms : Tensor [n]
        |grad U| at the real points.
    weight : float
        Positive; without the penalty there is no minimum.

    Returns
    -------
    Tensor
    """
    return real_energies.mean() - generated_energies.mean() + weight * norms.square().mean()


def entropic_generator_loss(generated_energies: Tensor, entropy: Tensor, weight: float) -> Tensor:
    """E U(G(z)) - weight H(G(z)), with an estimate of the entropy; weight 0 is the slide's form, which collapses.

    Parameters
    ----------
    generated_energies : Tensor [m]
    entropy : Tensor
        A lower bound of the entropy up to a constant: of a deterministic generator H(G(z)) moves with I(G(z); z).
    weight : float

    Returns
    -------
    Tensor
    """
    return generated_energies.mean() - weight * entropy


def shared_information(paired: Tensor, shuffled: Tensor) -> Tensor:
    """-E log(1 + exp(-T(x, z))) - E log(1 + exp(T(x, z'))): a lower bound of 2 JS(p(x, z) || p(x) p(z)) - 2 log 2.

    To be maximised; it rises with I(x; z) and stands for it, as its gradients are bounded.

    Parameters
    ----------
    paired, shuffled : Tensor [n]
        A statistic T of pairs (G(z), z), and of pairs with another z'.

    Returns
    -------
    Tensor
        In [-2 log 2, 0] at the best T.

    Notes
    -----
    R. D. Hjelm et al., Learning deep representations by mutual information estimation and maximization, 2019.
    """
    return -F.softplus(-paired).mean() - F.softplus(shuffled).mean()


def information_bound(log_q: Tensor, prior_entropy: float) -> Tensor:
    """L_I = E log Q(c | G(z, c)) + H(c) <= I(c; G(z, c)), to be maximised over G and Q.

    Parameters
    ----------
    log_q : Tensor [n]
        log Q of the code with which each point was generated.
    prior_entropy : float
        H(c) of the prior, in nats: log k for k equal codes.

    Returns
    -------
    Tensor
        At most H(c); may be negative.
    """
    return log_q.mean() + prior_entropy


def transport_loss(generated: Tensor, matched: Tensor) -> Tensor:
    """(1/n) sum |G(z_i) - x_sigma(i)|: W1 of two batches, sigma the optimal assignment, held fixed.

    By the envelope theorem its gradient is that of W1.

    Parameters
    ----------
    generated, matched : Tensor [n, d]
        ``matched[i]`` is where the optimal plan sends ``generated[i]``.

    Returns
    -------
    Tensor
        In units of the distance.
    """
    return ((generated - matched).square().sum(dim=1) + 1e-24).sqrt().mean()


def generator_log_posterior(
    generated_logits: Tensor, parameters: Iterable[Tensor], data_size: int, sd: float
) -> Tensor:
    """log p(theta_g | z, theta_d) + constant = N mean log D(G(z_i)) + log of a normal prior.

    Parameters
    ----------
    generated_logits : Tensor [m]
    parameters : iterable of Tensor
        theta_g.
    data_size : int
        N, the number of real points that the batch stands for.
    sd : float
        Of the prior.

    Returns
    -------
    Tensor
    """
    return data_size * F.logsigmoid(generated_logits).mean() + log_prior(parameters, sd)


def discriminator_log_posterior(
    real_logits: Tensor, generated_logits: Tensor, parameters: Iterable[Tensor], data_size: int, sd: float
) -> Tensor:
    """log p(theta_d | z, X, theta_g) + constant = N (mean log D(x_i) + mean log(1 - D(G(z_i)))) + log prior of theta_d.

    Parameters
    ----------
    real_logits, generated_logits : Tensor [n], [m]
    parameters : iterable of Tensor
        theta_d: the prior is that of the discriminator, and counts once.
    data_size : int
        N.
    sd : float
        Of the prior.

    Returns
    -------
    Tensor
    """
    likelihood = F.logsigmoid(real_logits).mean() + F.logsigmoid(-generated_logits).mean()
    return data_size * likelihood + log_prior(parameters, sd)


def log_prior(parameters: Iterable[Tensor], sd: float) -> Tensor:
    """-sum theta^2 / (2 sd^2), a normal prior up to its constant.

    Parameters
    ----------
    parameters : iterable of Tensor
    sd : float
        inf is a flat prior.

    Returns
    -------
    Tensor
    """
    squares = [parameter.square().sum() for parameter in parameters]
    if math.isinf(sd):
        return torch.zeros((), device=squares[0].device)
    return -torch.stack(squares).sum() / (2 * sd**2)
