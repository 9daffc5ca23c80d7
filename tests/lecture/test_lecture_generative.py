"""Lecture items S64 to S76: energy-based generators, InfoGAN and Bayesian GAN, and the slides' slips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from otdiv import lecture
from otdiv.divergences import conditional_entropy, entropy, kl, mutual_information
from otdiv.errors import InvalidInput
from otdiv.gans import (
    discriminator_posterior,
    energy_on_line,
    free_energy,
    generator_posterior,
    gibbs,
    infogan_objective,
    information_bound,
    joint_of_channel,
    log_partition,
    marginal_discriminator_posterior,
    marginal_generator_posterior,
    optimal_gan_loss,
    posterior_of_code,
    resampled_expectation,
    sample_channel,
)

JOINT = np.array([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]])
D = np.array([[0.8, 0.4], [0.3, 0.9]])


def holds(item: str, count: int) -> None:
    """Every row of the item agrees, and none has gone missing."""
    rows = lecture.rows([item])
    assert len(rows) == count
    assert [row for row in rows if not row.ok] == []


def random_joint(rng: np.random.Generator) -> np.ndarray:
    shape = rng.integers(1, 6, size=2)
    table = rng.dirichlet(np.full(shape.prod(), 0.5)).reshape(shape)
    table[table < 0.01] = 0.0
    return table / table.sum()


# --- energies ---------------------------------------------------------------------------------------


def test_s64_energy_with_a_gradient_penalty():
    holds("S64", 9)
    # another pair, by adaptive quadrature: data of density 2 - 2x, model uniform
    best = energy_on_line(lambda x: 2 - x, lambda x: 2 * x - x**2 / 2 - x / 2, lambda x: x, (0.0, 1.0), weight=3.0)
    gap = lambda x: x / 2 - x**2 / 2  # noqa: E731
    value = -quad(lambda x: gap(x) ** 2 / (2 - x), 0, 1)[0] / 12
    assert best.value == pytest.approx(value, rel=1e-12)
    assert best.real - best.generated == pytest.approx(2 * value, rel=1e-12)


def test_e93_without_penalty_where_the_data_are_not_there_is_no_minimum():
    rows = [row for row in lecture.rows(["S64"]) if row.name.startswith("E93")]
    assert [row.computed for row in rows] == [-0.25, -2.5, -25.0]
    with pytest.raises(InvalidInput, match="fall without end"):
        energy_on_line(lambda x: (x < 0.5) * 2.0, lambda x: np.minimum(2 * x, 1), lambda x: x, (0, 1), weight=1.0)
    with pytest.raises(InvalidInput, match="unbounded"):
        energy_on_line(np.ones_like, lambda x: x, lambda x: x**2, (0, 1), weight=0.0)
    with pytest.raises(InvalidInput, match="generated_cdf must be 0 at the left end"):
        energy_on_line(np.ones_like, lambda x: x, lambda x: x / 2, (0, 1), weight=1.0)
    with pytest.raises(InvalidInput, match="interval must go"):
        energy_on_line(np.ones_like, lambda x: x, lambda x: x, (1, 0), weight=1.0)


def test_s65_generator_with_its_entropy():
    holds("S65", 10)
    rng = np.random.default_rng(3)
    for _ in range(20):
        energy = rng.normal(size=6) * 3
        q = gibbs(energy)
        assert q.sum() == pytest.approx(1, abs=1e-14)
        assert free_energy(energy, q) == pytest.approx(-log_partition(energy), abs=1e-12)
        # free energy exceeds its minimum by KL(r || q)
        r = rng.dirichlet(np.ones(6))
        assert free_energy(energy, r) == pytest.approx(-log_partition(energy) + kl(r, q), abs=1e-12)
    found = minimize(lambda a: free_energy([0.0, 1.0, 2.0], np.exp(a), normalize=True), np.zeros(3), tol=1e-12)
    assert found.fun == pytest.approx(-0.407605964444, abs=1e-9)
    assert gibbs([0.0, 2000.0]).tolist() == [1.0, 0.0]


def test_e94_without_entropy_the_generator_collapses():
    energy = [3.0, -1.0, 2.0]
    at_the_minimum = free_energy(energy, [0, 1, 0], entropy_weight=0.0)
    assert at_the_minimum == -1.0
    assert free_energy(energy, gibbs(energy), entropy_weight=0.0) > at_the_minimum
    with pytest.raises(InvalidInput, match="entropy_weight"):
        free_energy(energy, [0, 1, 0], entropy_weight=-1.0)
    with pytest.raises(InvalidInput, match="energy must have shape"):
        gibbs([[0.0]])


# --- information ------------------------------------------------------------------------------------


def test_s66_infogan_objective():
    holds("S66", 4)
    rng = np.random.default_rng(1)
    for _ in range(20):
        channel, prior, p_r = rng.dirichlet(np.ones(4), size=3), rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))
        by_hand = optimal_gan_loss(p_r, prior @ channel) - 2.5 * mutual_information(prior[:, None] * channel)
        assert infogan_objective(p_r, prior, channel, weight=2.5) == pytest.approx(by_hand, abs=1e-12)
        assert infogan_objective(p_r, prior, channel, weight=2.5, discriminator=np.full(4, 0.3)) < by_hand
        guess = rng.dirichlet(np.ones(3), size=4).T
        assert infogan_objective(p_r, prior, channel, posterior=guess, weight=2.5) >= by_hand


def test_e95_the_objective_with_its_bound():
    value = infogan_objective([0.5, 0.5], [0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]], posterior=[[0.8, 0.2], [0.2, 0.8]])
    assert value == pytest.approx(-2 * math.log(2) - 0.331374193134, abs=1e-12)
    with pytest.raises(InvalidInput, match="weight"):
        infogan_objective([0.5, 0.5], [0.5, 0.5], np.eye(2), weight=-1)


def test_s67_information_is_low_when_independent():
    holds("S67", 7)
    rng = np.random.default_rng(2)
    product = np.outer(rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4)))
    assert mutual_information(product) == pytest.approx(0, abs=1e-15)


def test_e96_uncorrelated_is_not_independent():
    square = np.array([[0, 1], [1, 0], [0, 1]]) / 3
    assert np.array([-1, 0, 1]) @ square @ [0, 1] == 0
    assert mutual_information(square) == pytest.approx(entropy([1 / 3, 2 / 3]), abs=1e-12)


def test_e97_correlated_is_positive_not_high():
    rows = [row for row in lecture.rows(["S67"]) if row.name.startswith("E97")]
    assert 0 < rows[0].computed < 0.006


def test_s68_identities_of_entropies():
    holds("S68", 10)
    rng = np.random.default_rng(4)
    for _ in range(50):
        joint = random_joint(rng)
        rows, columns, both = (entropy(p, normalize=True) for p in (joint.sum(1), joint.sum(0), joint.ravel()))
        assert conditional_entropy(joint, 0) == pytest.approx(both - rows, abs=1e-12)
        assert conditional_entropy(joint, 1) == pytest.approx(both - columns, abs=1e-12)
        assert mutual_information(joint) == pytest.approx(rows + columns - both, abs=1e-12)
        assert mutual_information(joint.T) == pytest.approx(mutual_information(joint), abs=1e-14)
    assert conditional_entropy(JOINT, 1, base=2) == pytest.approx(0.349667005969 / math.log(2), abs=1e-11)
    with pytest.raises(InvalidInput, match="given"):
        conditional_entropy(JOINT, 2)
    with pytest.raises(InvalidInput, match="joint must have two axes"):
        mutual_information([0.5, 0.5])
    with pytest.raises(InvalidInput, match="joint"):
        mutual_information([[0.5, 0.4]])


def test_s69_variational_bound():
    holds("S69", 11)
    rng = np.random.default_rng(5)
    for _ in range(50):
        joint = random_joint(rng)
        guess = rng.dirichlet(np.ones(len(joint)), size=joint.shape[1]).T
        bound = information_bound(joint, guess)
        assert bound.value <= mutual_information(joint) + 1e-12
        assert bound.gap == pytest.approx(bound.information - bound.value, abs=1e-12)
        tight = information_bound(joint, posterior_of_code(joint))
        assert tight.gap == pytest.approx(0, abs=1e-14)
    assert information_bound(np.eye(2) / 2, [[0, 0], [1, 1]]).value == -math.inf
    with pytest.raises(InvalidInput, match=r"posterior\[:, 1\]"):
        information_bound(JOINT, [[0.5, 0.9, 0.5], [0.5, 0.5, 0.5]])
    with pytest.raises(InvalidInput, match="posterior must have shape"):
        information_bound(JOINT, [[0.5], [0.5]])


def test_e98_the_entropy_of_the_code_is_constant():
    # so the difference of two bounds is a difference of cross entropies
    first, second = np.full((2, 3), 0.5), np.array([[0.7, 0.2, 0.1], [0.3, 0.8, 0.9]])
    cross = [-float(np.sum(JOINT * np.log(q))) for q in (first, second)]
    bounds = [information_bound(JOINT, q).value for q in (first, second)]
    assert bounds[0] - bounds[1] == pytest.approx(cross[1] - cross[0], abs=1e-14)
    assert bounds[0] < 0


def test_s70_bound_by_sampling():
    holds("S70", 3)
    codes, points = sample_channel([0.3, 0.7], JOINT / JOINT.sum(axis=1, keepdims=True), 50_000, 7)
    counts = np.zeros((2, 3))
    np.add.at(counts, (codes, points), 1)
    # five standard errors in six cells: a false alarm in 300 000 seeds
    assert np.all(abs(counts / 50_000 - JOINT) < 5 * np.sqrt(JOINT / 50_000))
    with pytest.raises(InvalidInput, match="n must be"):
        sample_channel([1.0], [[1.0]], 0, 0)


def test_s71_sampling_lemma():
    holds("S71", 3)
    rng = np.random.default_rng(6)
    for _ in range(20):
        joint = random_joint(rng)
        f = rng.normal(size=joint.shape)
        assert resampled_expectation(joint, f) == pytest.approx(np.sum(joint * f), abs=1e-12)
    with pytest.raises(InvalidInput, match="values must have shape"):
        resampled_expectation(JOINT, [1.0])


def test_e99_and_e100_the_pair_is_drawn_from_the_joint_pmf():
    f = np.array([[1.0, 4.0, -2.0], [0.0, 3.0, 7.0]])
    assert resampled_expectation(JOINT, f) == pytest.approx(3.96, abs=1e-12)
    assert JOINT.sum(1) @ f @ JOINT.sum(0) == pytest.approx(2.805, abs=1e-12)


def test_s72_and_e101_the_procedure_ends_with_updates():
    holds("S72", 4)


def test_channels_are_checked():
    with pytest.raises(InvalidInput, match="channel must have a row for each of the 2 codes"):
        joint_of_channel([0.5, 0.5], [[1.0, 0.0]])
    with pytest.raises(InvalidInput, match=r"channel\[1\]"):
        joint_of_channel([0.5, 0.5], [[1.0, 0.0], [0.5, 0.6]])


# --- posteriors -------------------------------------------------------------------------------------


def test_s73_generator_posterior():
    holds("S73", 6)
    rng = np.random.default_rng(8)
    scores, prior = rng.uniform(size=(4, 5)), rng.dirichlet(np.ones(4))
    by_hand = prior * scores.prod(axis=1)
    assert generator_posterior(scores, prior) == pytest.approx(by_hand / by_hand.sum(), abs=1e-13)
    # a product of ten thousand scores underflows, its logarithm does not
    many = generator_posterior(np.tile([[0.5], [0.4999]], 10_000), [0.5, 0.5])
    assert many[1] / many[0] == pytest.approx((0.4999 / 0.5) ** 10_000, rel=1e-9)


def test_e102_the_normaliser():
    assert generator_posterior([[0.2], [0.1]], [0.5, 0.5]).sum() == pytest.approx(1, abs=1e-15)
    with pytest.raises(InvalidInput, match="every generator has a point with score 0"):
        generator_posterior([[0.0], [0.0]], [0.5, 0.5])
    with pytest.raises(InvalidInput, match="scores must lie in"):
        generator_posterior([[1.5], [0.0]], [0.5, 0.5])
    with pytest.raises(InvalidInput, match="scores must have shape"):
        generator_posterior([[0.5]], [0.5, 0.5])


def test_s74_discriminator_posterior():
    holds("S74", 3)


def test_e103_the_generators_prior_cancels():
    real, fake = D[:, [0, 0, 1]], D[:, [0, 1]]
    correct = discriminator_posterior(real, fake, [0.9, 0.1])
    cancelled = discriminator_posterior(real, fake, [0.5, 0.5])
    assert correct[0] == pytest.approx(1024 / 1045, abs=1e-14)
    assert cancelled[0] == pytest.approx(1024 / 1213, abs=1e-14)


def test_e104_the_prior_counts_once():
    real = D[:, [0, 0, 1]]
    one, two = (discriminator_posterior(real, np.full((2, k), 0.5), [0.9, 0.1]) for k in (1, 2))
    assert one == pytest.approx(two, abs=1e-14)  # scores of 1/2 say nothing, however many they are


def test_s75_marginal_generator_posterior():
    holds("S75", 5)
    scores = np.array([[0.8, 0.4, 0.5], [0.4, 0.8, 0.1]])
    noise = np.array([0.2, 0.5, 0.3])
    mean = sum(w * generator_posterior(scores[:, [z]], [0.6, 0.4]) for z, w in enumerate(noise))
    assert marginal_generator_posterior(scores, [0.6, 0.4], noise) == pytest.approx(mean, abs=1e-14)
    # Monte Carlo of batches of 3, 5 standard errors
    rng = np.random.default_rng(9)
    draws = [generator_posterior(scores[:, rng.choice(3, 3, p=noise)], [0.6, 0.4])[0] for _ in range(4000)]
    exact = marginal_generator_posterior(scores, [0.6, 0.4], noise, batch=3)[0]
    assert abs(np.mean(draws) - exact) < 5 * np.std(draws) / math.sqrt(4000)
    with pytest.raises(InvalidInput, match="batch must leave"):
        marginal_generator_posterior(scores, [0.6, 0.4], noise, batch=20)
    with pytest.raises(InvalidInput, match="batch must be"):
        marginal_generator_posterior(scores, [0.6, 0.4], noise, batch=0)


def test_e105_terms_are_normalised_before_they_are_averaged():
    exact = marginal_generator_posterior([[0.8, 0.4], [0.4, 0.8]], [0.6, 0.4], [0.5, 0.5])
    assert exact[0] == pytest.approx(33 / 56, abs=1e-14)
    assert abs(exact[0] - 0.6) > 0.01


def test_e106_noise_independent_of_the_discriminator_is_an_assumption():
    row = next(row for row in lecture.rows(["S75"]) if row.name.startswith("E106"))
    assert row.computed == pytest.approx(0.64 / 1.2) and row.computed != 0.5


def test_s76_and_e107_marginal_discriminator_posterior():
    holds("S76", 4)
    exact = marginal_discriminator_posterior(D[:, [0, 0, 1]], D[:, [0, 1]], [0.9, 0.1], [0.25, 0.75])
    parts = [discriminator_posterior(D[:, [0, 0, 1]], D[:, [z]], [0.9, 0.1]) for z in (0, 1)]
    assert exact == pytest.approx(0.25 * parts[0] + 0.75 * parts[1], abs=1e-14)
