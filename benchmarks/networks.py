"""What a neural network adds to the candidates of the discriminator: KL of known truth in 10 and 20 dimensions.

shift   normal distributions, KL = 1: a linear ratio
ring    in a plane a ring of radius sqrt(2) against the normal distribution of the same mean and covariance
parity  three coordinates around +-1; in the first distribution their signs multiply to +1, and any two are independent

All other coordinates are standard normal in both, and all is turned by one random rotation.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

import numpy as np
from scipy import integrate, stats
from scipy.special import logsumexp

from otdiv.estimators import estimate_divergence

RADIUS, SPREAD, SPOT = math.sqrt(2), 0.15 * math.sqrt(2), 0.4
"""Of the ring and its radial sd, in the plane; sd of each group of the parity."""
SIGNS = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))


def shift(n: int, d: int, first: bool, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(n, d)) + first * math.sqrt(2 / d)


def ring(n: int, d: int, first: bool, rng: np.random.Generator) -> np.ndarray:
    z = rng.normal(size=(n, d))
    if first:
        angle, radius = rng.uniform(0, 2 * math.pi, n), rng.normal(RADIUS, SPREAD, n)
        z[:, 0], z[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return z


def parity(n: int, d: int, first: bool, rng: np.random.Generator) -> np.ndarray:
    z, sign = rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], size=(n, 3))
    if first:
        sign[:, 2] = sign[:, 0] * sign[:, 1]
    z[:, :3] = sign + SPOT * z[:, :3]
    return z


def ring_truth() -> float:
    """KL in the plane, as an integral over the radius; that it is negative has probability 1e-11."""

    def integrand(r: float) -> float:
        log_ratio = stats.norm.logpdf(r, RADIUS, SPREAD) - math.log(r) + r * r / 2  # less log(2 pi) on both sides
        return math.exp(stats.norm.logpdf(r, RADIUS, SPREAD)) * log_ratio

    return float(integrate.quad(integrand, 1e-9, RADIUS + 12 * SPREAD, limit=200)[0])


def parity_truth() -> float:
    """KL of the three coordinates by Gauss-Hermite quadrature around one of the four equal groups."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    grid = 1 + SPOT * np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 3)
    weight = np.prod(np.stack(np.meshgrid(weights, weights, weights, indexing="ij")), axis=0).ravel()
    exponent = -((grid[:, None, :] - SIGNS) ** 2).sum(axis=2) / (2 * SPOT**2)
    first = SIGNS.prod(axis=1) > 0
    log_ratio = logsumexp(exponent[:, first], axis=1) - math.log(4) - logsumexp(exponent, axis=1) + math.log(8)
    return float(weight @ log_ratio / weight.sum())


PAIRS: dict[str, tuple[Callable[..., np.ndarray], Callable[[], float]]] = {
    "shift": (shift, lambda: 1.0),
    "ring": (ring, ring_truth),
    "parity": (parity, parity_truth),
}


def run_networks(repetitions: int, sizes: tuple[int, ...] = (1000,)) -> int:
    """Print the table; returns how often the network makes the mean bias larger by more than two errors."""
    print(f"KL with and without a network among the classifiers, {repetitions} repetitions (± standard error)\n")
    heads = ("pair", "d", "n", "truth", "bias without", "bias with", "network chosen", "intervals hold", "seconds")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    worse = 0
    for (name, (draw, truth_of)), d, n in itertools.product(PAIRS.items(), (10, 20), sizes):
        truth, found, seconds = truth_of(), {False: [], True: []}, 0.0
        for seed in range(repetitions):
            rng = np.random.default_rng([seed, d, n])
            turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
            x, y = (draw(n, d, first, rng) @ turn for first in (True, False))
            for network in found:
                begin = time.perf_counter()
                found[network].append(estimate_divergence(x, y, lower_bound=False, network=network, rng=seed))
                seconds += network * (time.perf_counter() - begin) / repetitions
        cells, means, errors = [], {}, {}
        for network, estimates in found.items():
            bias = np.array([one.value for one in estimates]) - truth
            means[network] = abs(float(bias.mean()))
            errors[network] = float(bias.std(ddof=1)) / math.sqrt(repetitions)
            cells.append(f"{bias.mean():+.3f} ± {errors[network]:.3f}")
        chosen = sum("neural network" in one.reason for one in found[True])
        held = [sum(one.lower <= truth <= one.upper for one in estimates) for estimates in found.values()]
        worse += means[True] > means[False] + 2 * math.hypot(*errors.values())
        print(
            f"| {name} | {d} | {n} | {truth:.3f} | {cells[0]} | {cells[1]} | {chosen} of {repetitions} | "
            f"{held[0]} / {held[1]} | {seconds:.0f} |",
            flush=True,
        )
    return worse


if __name__ == "__main__":
    run_networks(10)
