"""Lecture items S1 to S3 and S8 to S16: the GAN objective, its optimal discriminator, and the -log D trick."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, softmax

from otdiv.core.validation import Array
from otdiv.divergences import js, kl, kl_integrand_nonnegative, kl_reverse
from otdiv.gans import (
    gan_loss,
    kl_minus_2js,
    log_d_identity,
    non_saturating_loss,
    non_saturating_slope,
    optimal_discriminator,
    optimal_gan_loss,
    posterior_real,
    saturating_loss,
    saturating_slope,
    softmax_gradient,
)
from otdiv.lecture.examples import GENERATED, REAL, gaussian_pair, three_points
from otdiv.lecture.finite_differences import curvature, gradient, largest, slope
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.transport.solve import emd

CRITIC = np.array([0.8, 0.5, 0.3])  # a discriminator that is not the best one
LOG2 = math.log(2.0)


def expected_log(d: Array, p: Array) -> float:
    """E_p log D."""
    return -non_saturating_loss(d, p)


def s01() -> Rows:
    """The objective, with the generated points drawn as x or as G(z)."""
    noise = DiscreteMeasure.from_pmf(np.arange(5.0), [0.1, 0.1, 0.2, 0.25, 0.35])
    generator = np.array([0, 0, 1, 2, 2])
    p_g = noise.push_forward(lambda z: generator[z.astype(int)]).weights
    in_z = expected_log(CRITIC, REAL) + saturating_loss(CRITIC[generator], noise.weights)
    yield LectureRow("S1", "G#p_z - (.2, .2, .6), largest entry", largest(p_g - GENERATED), 0.0)
    yield LectureRow("S1", "L(D, G), expectation over x ~ p_g", gan_loss(CRITIC, REAL, p_g), -1.2348324756523)
    yield LectureRow("S1", "L(D, G), expectation over z ~ p_z", in_z, -1.2348324756523)


def s02() -> Rows:
    """The strictest critic, and the divergence it measures."""
    best = gan_loss(optimal_discriminator(REAL, GENERATED), REAL, GENERATED)
    draws = np.random.default_rng(0).uniform(1e-6, 1 - 1e-6, size=(2000, 3))
    beaten = sum(gan_loss(d, REAL, GENERATED) > best for d in draws)
    yield LectureRow("S2", "L(D*)", best, -1.205162661209)
    yield LectureRow("S2", "L((.8, .5, .3))", gan_loss(CRITIC, REAL, GENERATED), -1.234832475652)
    yield LectureRow("S2", "L(1/2)", gan_loss(np.full(3, 0.5), REAL, GENERATED), -2 * LOG2)
    yield LectureRow("S2", "how many of 2000 random D beat D*", beaten, 0, 0)
    yield LectureRow("S2", "sup L + 2 log 2 = 2 JS", best + 2 * LOG2, 0.181131699911)


def s03() -> Rows:
    """U = -log D: three forms of one expression, unbounded as a problem for D (E2)."""
    noise, generator = np.array([0.1, 0.1, 0.2, 0.25, 0.35]), np.array([0, 0, 1, 2, 2])
    energy = -np.log(CRITIC)
    forms = {
        "E_r log D - E_g log D": expected_log(CRITIC, REAL) - expected_log(CRITIC, GENERATED),
        "-(E_r U - E_g U)": -float(energy @ REAL - energy @ GENERATED),
        "-(E_r U - E_z U(G(z)))": -float(energy @ REAL - energy[generator] @ noise),
    }
    for name, value in forms.items():
        yield LectureRow("S3", name, value, 0.345331338280)
    real, generated = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    for delta, value in ((1e-2, 1.842068074395), (1e-10, 9.210340371976), (1e-100, 92.103403719762)):
        d = np.array([delta, 1.0])
        growing = expected_log(d, real) - expected_log(d, generated)
        yield LectureRow("S3", f"E2: E_r log D - E_g log D at D = ({delta:g}, 1)", growing, value)
    yield LectureRow("S3", "E2: the original sup there", optimal_gan_loss(real, generated), -1.182795910961)
    mu, nu = three_points()
    g = emd(mu, nu).g
    lipschitz = np.min(np.abs(mu.points - nu.points.T) - g, axis=1)  # McShane: U(x) = min_y d(x, y) - g(y)
    value = float(lipschitz @ (REAL - GENERATED))
    yield LectureRow("S3", "E2: min of E_r U - E_g U over Lip(U) <= 1", value, -0.7)


def s08() -> Rows:
    """D* is stationary, and a maximum, of J[D] = sum p_r log D + p_g log(1 - D)."""
    best, eta = optimal_discriminator(REAL, GENERATED), np.array([0.3, -0.2, 0.1])

    def along(t: float) -> float:
        return gan_loss(best + t * eta, REAL, GENERATED)

    yield LectureRow("S8", "dJ at D* along (.3, -.2, .1)", slope(along, 0.0, 1e-4), 0.0, 1e-8)
    yield LectureRow("S8", "E9: d2J at D* along (.3, -.2, .1)", curvature(along, 0.0), -0.4347, 1e-6)


def s09() -> Rows:
    """D* = p_r / (p_r + p_g), the posterior of "real" in the equal mixture."""
    for name, computed, value in zip("012", optimal_discriminator(REAL, GENERATED), (5 / 7, 3 / 5, 1 / 4), strict=True):
        yield LectureRow("S9", f"D*({name})", float(computed), value)
    mixture = 0.5 * REAL + 0.5 * GENERATED
    posterior = 0.5 * REAL / mixture
    yield LectureRow("S9", "D* - posterior", largest(optimal_discriminator(REAL, GENERATED) - posterior), 0.0)
    points = np.array([-1.0, 0.0, 1.0])
    real, generated = gaussian_pair(points)
    d = posterior_real(real, generated)
    for x, computed, value in zip(points, d, (0.880797077978, 0.5, 0.119202922022), strict=True):
        yield LectureRow("S9", f"D*({x:g}) for N(-1, 1), N(1, 1)", float(computed), value)


def s10() -> Rows:
    """L(G, D*) = 2 JS - 2 log 2."""
    best = optimal_discriminator(REAL, GENERATED)
    yield LectureRow("S10", "L(G, D*)", gan_loss(best, REAL, GENERATED), -1.205162661209)
    yield LectureRow("S10", "2 JS - 2 log 2", optimal_gan_loss(REAL, GENERATED), -1.205162661209)
    yield LectureRow("S10", "E_r log D*", expected_log(best, REAL), -0.598742677664)
    yield LectureRow("S10", "E_g log(1 - D*)", saturating_loss(best, GENERATED), -0.606419983545)
    x = np.linspace(-12.0, 12.0, 2401)
    real, generated = gaussian_pair(x)
    middle = (real + generated) / 2
    halves = kl_integrand_nonnegative(real, middle) + kl_integrand_nonnegative(generated, middle)
    quadrature = float(np.trapezoid(halves, x)) / 2
    yield LectureRow("S10", "JS of N(-1, 1), N(1, 1)", quadrature, 0.336830820347)
    yield LectureRow("S10", "L(G, D*) of N(-1, 1), N(1, 1)", 2 * quadrature - 2 * LOG2, -0.712632720426)
    rng = np.random.default_rng(0)
    pairs = rng.dirichlet(np.ones(5), size=(1000, 2))
    worst = max(abs(gan_loss(optimal_discriminator(p, q), p, q) - optimal_gan_loss(p, q)) for p, q in pairs)
    yield LectureRow("S10", "both sides on 1000 random pairs, largest difference", worst, 0.0, 1e-10)


def s11() -> Rows:
    """The two generator losses: slopes in the logit of one sign, values of two (E12)."""
    for a, saturating, other in (
        (-5.0, -0.006692850924, -0.993307149076),
        (0.0, -0.5, -0.5),
        (5.0, -0.993307149076, -0.006692850924),
    ):
        yield LectureRow("S11", f"d/da log(1 - D) at a = {a:g}", float(saturating_slope(a)), saturating)
        yield LectureRow("S11", f"d/da (-log D) at a = {a:g}", float(non_saturating_slope(a)), other)
        ratio = float(non_saturating_slope(a) / saturating_slope(a))
        d = float(expit(a))
        yield LectureRow("S11", f"ratio of the slopes, (1 - D) / D, at a = {a:g}", ratio, (1 - d) / d)
    for d, saturating, other in ((0.5, -LOG2, LOG2), (0.1, -0.105360515658, 2.302585092994)):
        yield LectureRow("S11", f"E12: log(1 - D) at D = {d}", saturating_loss([d], [1.0]), saturating)
        yield LectureRow("S11", f"E12: -log D at D = {d}", non_saturating_loss([d], [1.0]), other)
    best = optimal_discriminator(REAL, GENERATED)
    yield LectureRow("S11", "E12: E_g log(1 - D*)", saturating_loss(best, GENERATED), -0.606419983545)
    yield LectureRow("S11", "E12: E_g(-log D*)", non_saturating_loss(best, GENERATED), 1.001236188749)


def s12() -> Rows:
    """E_g log(1 - D*) = -E_r log D* + 2 JS - 2 log 2."""
    best, optimum = optimal_discriminator(REAL, GENERATED), optimal_gan_loss(REAL, GENERATED)
    yield LectureRow("S12", "left side", saturating_loss(best, GENERATED), -0.606419983545)
    yield LectureRow("S12", "right side", -expected_log(best, REAL) + optimum, -0.606419983545)
    printed = -expected_log(best, GENERATED) + optimum
    yield LectureRow("S12", "E13: right side as printed, with E_g", printed, -0.203926472460)


def s13() -> Rows:
    """KL(p_g || p_r) = E_g log((1 - D*) / D*)."""
    best = optimal_discriminator(REAL, GENERATED)
    log_odds = saturating_loss(best, GENERATED) - expected_log(best, GENERATED)
    yield LectureRow("S13", "KL(p_g || p_r)", kl(GENERATED, REAL), 0.394816205204)
    yield LectureRow("S13", "E_g log((1 - D*) / D*)", log_odds, 0.394816205204)
    printed = saturating_loss(best, GENERATED) - float(best @ GENERATED)
    yield LectureRow("S13", "E14: as printed, with E_g D*", printed, -1.019277126402)


def s14() -> Rows:
    """E_g(-log D*) = KL(p_g || p_r) - 2 JS + 2 log 2 + E_r log D*."""
    sides = log_d_identity(REAL, GENERATED)
    yield LectureRow("S14", "left side", sides.loss, 1.001236188749)
    yield LectureRow("S14", "right side", sides.right, 1.001236188749)
    yield LectureRow("S14", "KL(p_g || p_r)", sides.kl, 0.394816205204)
    yield LectureRow("S14", "2 JS", 2 * sides.js, 0.181131699911)
    yield LectureRow("S14", "E_r log D*", sides.real_term, -0.598742677664)
    printed = -float(optimal_discriminator(REAL, GENERATED) @ GENERATED)
    yield LectureRow("S14", "E16: left side as printed, E_g(-D*)", printed, -0.412857142857)


def s15() -> Rows:
    """What the -log D generator follows: the gradient of KL - 2 JS = 2 KL(m || p_r)."""
    theta, best = np.log(GENERATED), optimal_discriminator(REAL, GENERATED)
    targets = {
        "-log D*, D* fixed": (-0.1329527904, -0.0980821130, 0.2310349034),
        "log(1 - D*), D* fixed": (-0.1292685970, -0.0619741497, 0.1912427466),
        "KL(p_g || p_r)": (-0.2622213874, -0.1600562627, 0.4222776501),
        "E_r log D*, not 0 (E17)": (-0.0602857, -0.0374286, 0.0977143),
    }
    fixed = softmax_gradient(-np.log(best), GENERATED)
    saturating = softmax_gradient(np.log1p(-best), GENERATED)
    of_kl = gradient(lambda t: kl_reverse(REAL, softmax(t)), theta)
    of_real_term = gradient(lambda t: log_d_identity(REAL, softmax(t)).real_term, theta)
    for (name, target), found in zip(targets.items(), (fixed, saturating, of_kl, of_real_term), strict=True):
        for k in range(3):
            yield LectureRow("S15", f"gradient[{k}] of {name}", float(found[k]), target[k], 1e-7)
    of_kl_2js = gradient(lambda t: kl_minus_2js(REAL, softmax(t)), theta)
    of_2js = gradient(lambda t: 2 * js(REAL, softmax(t)), theta)
    yield LectureRow("S15", "grad E(-log D*) - grad(KL - 2 JS)", largest(fixed - of_kl_2js), 0.0, 1e-7)
    yield LectureRow("S15", "grad E log(1 - D*) - grad 2 JS", largest(saturating - of_2js), 0.0, 1e-7)
    yield LectureRow("S15", "grad KL . grad 2 JS, opposing", float(of_kl @ of_2js), 0.124573879278, 1e-7)
    yield from _kl_minus_2js_values()


def _kl_minus_2js_values() -> Rows:
    """KL - 2 JS = 2 KL(m || p_r): dropping a mode is cheap, junk is not (E17, E19)."""
    middle = (REAL + GENERATED) / 2
    yield LectureRow("S15", "KL - 2 JS", kl(GENERATED, REAL) - 2 * js(REAL, GENERATED), 0.213684505294)
    yield LectureRow("S15", "2 KL(m || p_r)", 2 * kl(middle, REAL), 0.213684505294)
    pairs = np.random.default_rng(1).dirichlet(np.ones(5), size=(1000, 2))
    worst = max(abs(kl_minus_2js(r, g) - (kl(g, r) - 2 * js(r, g))) for r, g in pairs)
    yield LectureRow("S15", "both on 1000 random pairs, largest difference", worst, 0.0, 1e-10)
    one, two, tiny = [1.0, 0.0], [0.5, 0.5], [1 - 1e-6, 1e-6]
    yield LectureRow("S15", "E19: price of a dropped mode", kl_minus_2js(two, one), 0.261624071882)
    yield LectureRow("S15", "E19: price of junk where p_r = 1e-6", kl_minus_2js(tiny, two), 5.783099206644)
    yield LectureRow("S15", "E19: price of junk where p_r = 0", kl_minus_2js(one, two), math.inf)
    cases = {"p_r": REAL, "EX": GENERATED, "(.98, .01, .01)": [0.98, 0.01, 0.01], "(.01, .01, .98)": [0.01, 0.01, 0.98]}
    for (name, p_g), value in zip(cases.items(), (-LOG2, -0.598743, -0.562190, -0.374729), strict=True):
        term = log_d_identity(REAL, p_g).real_term
        yield LectureRow("S15", f"E17: E_r log D* at p_g = {name}", term, value, 1e-6)


def s16() -> Rows:
    """The optimum over both players: p_g = p_r, D* = 1/2, L = -2 log 2."""
    yield LectureRow("S16", "L(G*, D*)", optimal_gan_loss(REAL, REAL), -2 * LOG2)
    yield LectureRow("S16", "D* - 1/2", largest(optimal_discriminator(REAL, REAL) - 0.5), 0.0)

    def loss(theta: Array) -> float:
        return optimal_gan_loss(REAL, softmax(theta))

    def descent(theta: Array) -> Array:
        p_g = softmax(theta)
        return softmax_gradient(np.log1p(-optimal_discriminator(REAL, p_g)), p_g)

    found = minimize(loss, np.log(GENERATED), jac=descent, method="BFGS", options={"gtol": 1e-9})
    yield LectureRow("S16", "min over softmax p_g of L(G, D*)", float(found.fun), -2 * LOG2)
    yield LectureRow("S16", "p_g at the minimum - p_r", largest(softmax(found.x) - REAL), 0.0, 1e-6)


ITEMS: Items = {
    "S1": s01,
    "S2": s02,
    "S3": s03,
    "S8": s08,
    "S9": s09,
    "S10": s10,
    "S11": s11,
    "S12": s12,
    "S13": s13,
    "S14": s14,
    "S15": s15,
    "S16": s16,
}
