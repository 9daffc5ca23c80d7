"""Lecture items S73 to S76: the posteriors of a Bayesian GAN of two generators and two discriminators."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.gans import (
    discriminator_posterior,
    generator_posterior,
    marginal_discriminator_posterior,
    marginal_generator_posterior,
)
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows

DISCRIMINATORS = np.array([[0.8, 0.4], [0.3, 0.9]])
"""D_k(x) for x = 0, 1; a row for each discriminator."""
GENERATORS = np.array([[0, 1], [1, 0]])
"""G_k(z) = z xor k; a row for each generator."""
GENERATOR_PRIOR = np.array([0.6, 0.4])
DISCRIMINATOR_PRIOR = np.array([0.9, 0.1])
DATA = np.array([0, 0, 1])
COIN = np.array([0.5, 0.5])
"""Pmf of the noise z."""


def of_generator(theta_d: int, z: list[int]) -> Array:
    """p(theta_g | z, theta_d)."""
    return generator_posterior(DISCRIMINATORS[theta_d][GENERATORS[:, z]], GENERATOR_PRIOR)


def of_discriminator(z: list[int], prior: Array = DISCRIMINATOR_PRIOR) -> Array:
    """p(theta_d | z, X, theta_g = 0)."""
    return discriminator_posterior(DISCRIMINATORS[:, DATA], DISCRIMINATORS[:, GENERATORS[0, z]], prior)


def s73() -> Rows:
    """The generator's posterior, normalised (E102)."""
    for z, value in (([0], 3 / 4), ([1], 3 / 7), ([0, 0], 6 / 7), ([0, 1], 3 / 5), ([1, 1], 3 / 11)):
        posterior = of_generator(0, z)
        name = ", ".join(map(str, z))
        yield LectureRow("S73", f"p(theta_g = 0 | z = ({name}), theta_d = 0)", float(posterior[0]), value)
    yield LectureRow("S73", "E102: total of a posterior", float(of_generator(0, [0, 1]).sum()), 1.0)


def s74() -> Rows:
    """The discriminator's posterior needs its own prior, once (E103, E104)."""
    yield LectureRow(
        "S74", "p(theta_d = 0 | z = (0, 1), X, theta_g = 0)", float(of_discriminator([0, 1])[0]), 1024 / 1045
    )
    without = of_discriminator([0, 1], COIN)
    yield LectureRow("S74", "E103: the generator's prior instead, which cancels", float(without[0]), 1024 / 1213)
    twice = DISCRIMINATOR_PRIOR**2 / np.sum(DISCRIMINATOR_PRIOR**2)
    yield LectureRow(
        "S74", "E104: the prior once for each noise", float(of_discriminator([0, 1], twice)[0]), 3072 / 3079
    )


def s75() -> Rows:
    """Noise integrated out of the generator's posterior (E105, E106)."""
    for theta_d, value in ((0, 33 / 56), (1, 19 / 33)):
        scores = DISCRIMINATORS[theta_d][GENERATORS]
        computed = marginal_generator_posterior(scores, GENERATOR_PRIOR, COIN)
        yield LectureRow("S75", f"p(theta_g = 0 | theta_d = {theta_d}), one noise", float(computed[0]), value)
    scores = DISCRIMINATORS[0][GENERATORS]
    pair = marginal_generator_posterior(scores, GENERATOR_PRIOR, COIN, batch=2)
    yield LectureRow("S75", "p(theta_g = 0 | theta_d = 0), two noises", float(pair[0]), 897 / 1540)
    unnormalised = GENERATOR_PRIOR * (scores @ COIN)
    yield LectureRow(
        "S75", "E105: terms averaged before they are normalised", float(unnormalised[0] / unnormalised.sum()), 0.6
    )
    joint = GENERATOR_PRIOR @ scores * COIN
    yield LectureRow(
        "S75", "E106: p(z = 0 | theta_d = 0) if the product were a joint", float(joint[0] / joint.sum()), 8 / 15
    )


def s76() -> Rows:
    """Noise integrated out of the discriminator's posterior (E107)."""
    for z, value in ((0, 0.890434782609), (1, 0.994174757282)):
        yield LectureRow("S76", f"p(theta_d = 0 | z = {z}, X, theta_g = 0)", float(of_discriminator([z])[0]), value)
    marginal = marginal_discriminator_posterior(
        DISCRIMINATORS[:, DATA], DISCRIMINATORS[:, GENERATORS[0]], DISCRIMINATOR_PRIOR, COIN
    )
    yield LectureRow("S76", "p(theta_d = 0 | X, theta_g = 0)", float(marginal[0]), 55808 / 59225)
    mean = np.mean([of_discriminator([z]) for z in (0, 1)], axis=0)
    yield LectureRow("S76", "E107: the average over samples, largest difference", largest(mean - marginal), 0.0)


ITEMS: Items = {"S73": s73, "S74": s74, "S75": s75, "S76": s76}
