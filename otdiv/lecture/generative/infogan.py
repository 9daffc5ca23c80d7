"""Lecture items S66 to S72: InfoGAN, mutual information and its variational bound."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import softmax

from otdiv.core.validation import Array
from otdiv.divergences import conditional_entropy, cross_entropy, entropy, kl, mutual_information
from otdiv.gans import (
    infogan_objective,
    information_bound,
    joint_of_channel,
    optimal_discriminator,
    posterior_of_code,
    resampled_expectation,
    sample_channel,
)
from otdiv.lecture.record import Items, LectureRow, Rows

JOINT = np.array([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]])
"""P(c, x), rows c."""
CODES = np.array([0.5, 0.5])
DRAWS = 200_000


def flipped(share: float) -> Array:
    """The channel that flips a bit with this probability."""
    return np.array([[1 - share, share], [share, 1 - share]])


def s66() -> Rows:
    """V - lambda I for x = c xor z."""
    for flip, value in ((0.1, -1.754358568288), (0.0, -3 * math.log(2)), (0.5, -2 * math.log(2))):
        computed = infogan_objective(CODES, CODES, flipped(flip))
        yield LectureRow("S66", f"V - I at D*, a bit flipped with probability {flip:g}", computed, value)
    guess = infogan_objective(CODES, CODES, flipped(0.1), posterior=flipped(0.2))
    yield LectureRow("S66", "E95: V - L_I with a Q that flips .2", guess, -2 * math.log(2) - 0.331374193134)


def s67() -> Rows:
    """Information of channels, and of uncorrelated variables (E96, E97)."""
    for flip, value in ((0.5, 0.0), (0.1, 0.368064207168), (0.0, math.log(2))):
        computed = mutual_information(joint_of_channel(CODES, flipped(flip)))
        yield LectureRow("S67", f"I(c; x), a bit flipped with probability {flip:g}", computed, value)
    square = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]) / 3  # rows X = -1, 0, 1; columns X^2 = 0, 1
    x, y = np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0])
    covariance = float(x @ square @ y - (x @ square.sum(axis=1)) * (square.sum(axis=0) @ y))
    yield LectureRow("S67", "E96: covariance of X and X^2", covariance, 0.0)
    yield LectureRow("S67", "E96: their information", mutual_information(square), 0.636514168295)
    yield LectureRow("S67", "E96: H(X^2)", entropy(square.sum(axis=0)), 0.636514168295)
    # two standard normal variables on a fine grid: the information is -log(1 - rho^2)/2, small for a small rho
    z = np.linspace(-8.0, 8.0, 801)
    rho = 0.1
    density = np.exp(-(z[:, None] ** 2 - 2 * rho * np.outer(z, z) + z[None] ** 2) / (2 * (1 - rho**2)))
    information = mutual_information(density, normalize=True)
    yield LectureRow("S67", "E97: information of normal variables, rho = .1", information, -0.5 * math.log(1 - rho**2))


def s68() -> Rows:
    """Entropies of a joint pmf."""
    code, point = JOINT.sum(axis=1), JOINT.sum(axis=0)
    given_point, given_code = conditional_entropy(JOINT, given=1), conditional_entropy(JOINT, given=0)
    information = mutual_information(JOINT)
    yield LectureRow("S68", "H(c)", entropy(code), 0.610864302055)
    yield LectureRow("S68", "H(x)", entropy(point), 1.073620139225)
    yield LectureRow("S68", "H(c, x)", entropy(JOINT.ravel()), 1.423287145193)
    yield LectureRow("S68", "H(c | x)", given_point, 0.349667005969)
    yield LectureRow("S68", "H(x | c)", given_code, 0.812422843138)
    yield LectureRow("S68", "I(c; x)", information, 0.261197296086)
    yield LectureRow("S68", "H(c) - H(c | x)", entropy(code) - given_point, 0.261197296086)
    yield LectureRow("S68", "H(x) - H(x | c)", entropy(point) - given_code, 0.261197296086)
    p, q = np.array([0.3, 0.7]), np.array([0.5, 0.5])
    yield LectureRow("S68", "cross entropy of (.3, .7) and (.5, .5)", cross_entropy(p, q), 0.693147180560)
    yield LectureRow("S68", "H + KL", entropy(p) + kl(p, q), 0.693147180560)


def s69() -> Rows:
    """L_I <= I, with the gap."""
    noisy = joint_of_channel(CODES, flipped(0.1))
    for flip, value, gap in (
        (0.2, 0.331374193134, 0.036690014035),
        (0.1, 0.368064207168, 0.0),
        (0.5, 0.0, 0.368064207168),
    ):
        bound = information_bound(noisy, flipped(flip))
        yield LectureRow("S69", f"L_I, bit flipped .1, Q flips {flip:g}", bound.value, value)
        yield LectureRow("S69", f"gap, bit flipped .1, Q flips {flip:g}", bound.gap, gap)
    rough = np.array([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]])
    bound = information_bound(JOINT, rough)
    yield LectureRow("S69", "L_I of the joint pmf, a rough Q", bound.value, 0.242909174400)
    yield LectureRow("S69", "its gap", bound.gap, 0.018288121686)
    posterior = posterior_of_code(JOINT)
    per_point = sum(float(JOINT[:, x].sum()) * kl(posterior[:, x], rough[:, x], normalize=True) for x in range(3))
    yield LectureRow("S69", "E98: E_x KL(P(. | x) || Q(. | x))", per_point, 0.018288121686)
    yield LectureRow("S69", "L_I with the posterior", information_bound(JOINT, posterior).value, 0.261197296086)
    yield LectureRow(
        "S69", "L_I with a uniform Q", information_bound(JOINT, np.full((2, 3), 0.5)).value, -0.082282878505
    )


def _monte_carlo(flip: float, guess: float) -> tuple[float, float]:
    """Estimate of L_I by drawing c, then x, and its standard error."""
    codes, points = sample_channel(CODES, flipped(flip), DRAWS, 0)
    scores = np.log(flipped(guess)[codes, points])
    return float(scores.mean()) + math.log(2), float(scores.std() / math.sqrt(DRAWS))


def s70() -> Rows:
    """L_I by drawing the code first."""
    value = information_bound(JOINT, [[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]]).value
    log_q = np.log([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]])
    by_codes = sum(float(JOINT[c].sum()) * float(JOINT[c] / JOINT[c].sum() @ log_q[c]) for c in range(2))
    yield LectureRow("S70", "L_I, over x first", value, 0.242909174400)
    yield LectureRow("S70", "L_I, over c first", by_codes + float(entropy(JOINT.sum(axis=1))), 0.242909174400)
    estimate, error = _monte_carlo(0.1, 0.2)
    outside = abs(estimate - 0.331374193134) > 4 * error
    yield LectureRow("S70", f"estimate from {DRAWS} draws outside 4 standard errors", outside, 0, 0)


def s71() -> Rows:
    """Drawing x again given y changes no expectation (E99, E100)."""
    f = np.array([[1.0, 4.0, -2.0], [0.0, 3.0, 7.0]])
    independent = float(JOINT.sum(axis=1) @ f @ JOINT.sum(axis=0))
    yield LectureRow("S71", "E f(x', y), x' drawn again given y", resampled_expectation(JOINT, f), 3.96)
    yield LectureRow("S71", "E f(x, y)", float(np.sum(JOINT * f)), 3.96)
    yield LectureRow("S71", "E99: the same with x and y independent", independent, 2.805)


def s72() -> Rows:
    """The procedure on a channel: draw z and c, x = G(z, c), D, Q (E101)."""
    codes, points = sample_channel(CODES, flipped(0.1), DRAWS, 0)
    generated = np.bincount(points, minlength=2) / DRAWS
    estimate, error = _monte_carlo(0.1, 0.2)
    yield LectureRow(
        "S72", "share of x = 1 outside 4 standard errors of 1/2", abs(generated[1] - 0.5) > 2 / math.sqrt(DRAWS), 0, 0
    )
    d = optimal_discriminator(CODES, generated)
    yield LectureRow("S72", "D* further than .005 from 1/2", float(np.abs(d - 0.5).max()) > 0.005, 0, 0)
    yield LectureRow(
        "S72", "mean log Q + log 2 outside 4 standard errors", abs(estimate - 0.331374193134) > 4 * error, 0, 0
    )
    counts = np.zeros((2, 2))
    np.add.at(counts, (codes, points), 1.0 / DRAWS)
    logits = np.zeros((2, 2))
    for _ in range(200):  # E101: the update of Q = softmax(logits), gradient ascent on L_I
        logits += 4.0 * (counts - counts.sum(axis=0) * softmax(logits, axis=0))
    q = softmax(logits, axis=0)
    bound = information_bound(counts, q)
    yield LectureRow("S72", "E101: gap of L_I after updates of Q", bound.gap, 0.0)


ITEMS: Items = {"S66": s66, "S67": s67, "S68": s68, "S69": s69, "S70": s70, "S71": s71, "S72": s72}
