"""Ten kinds of grey images [size, size] for benchmarks/images.py, all from a generator of random numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_SIGMA = {"one blob": (1, 0.05, 0.2), "blobs": (6, 0.03, 0.12)}
"""How many Gaussians, and between what their widths are, as shares of the side."""
_DECAY = {"rough field": 1.0, "field": 2.0, "smooth field": 3.5}
"""Exponent with which the amplitudes of a random field fall with the frequency."""


def _places(size: int) -> np.ndarray:
    return np.indices((size, size)) / size


def _gaussians(size: int, rng: np.random.Generator, count: int, least: float, most: float) -> np.ndarray:
    total = np.zeros((size, size))
    for _ in range(count):
        middle, width = rng.uniform(size=2), rng.uniform(least, most)
        squares = ((_places(size) - middle[:, None, None]) ** 2).sum(axis=0)
        total += rng.uniform(0.5, 1) * np.exp(-squares / (2 * width**2))
    return total


def _field(size: int, rng: np.random.Generator, decay: float) -> np.ndarray:
    """exp of a Gaussian field."""
    frequencies = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size) * size] * 2, indexing="ij"))
    values = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * (1 + frequencies) ** -decay).real
    return np.exp(values / values.std())


def _cauchy(size: int, rng: np.random.Generator) -> np.ndarray:
    total = np.zeros((size, size))
    for _ in range(3):
        middle, width = rng.uniform(size=2), rng.uniform(0.01, 0.1)
        total += (width**2 + ((_places(size) - middle[:, None, None]) ** 2).sum(axis=0)) ** -1.5
    return total / total.max()


def _strokes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Six curves of the second degree, black on white."""
    image = np.zeros((size, size))
    t = np.linspace(0, 1, 8 * size)[:, None]
    for _ in range(6):
        p, q, r = rng.uniform(size=(3, 2))
        steps = (((1 - t) ** 2 * p + 2 * t * (1 - t) * q + t**2 * r) * size).astype(int)
        for i, j in np.ndindex(*[max(1, size // 32)] * 2):
            image[tuple(np.minimum(steps + [i, j], size - 1).T)] = 1
    return image


def _shapes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Five rectangles and ellipses of whole grey values."""
    image = np.zeros((size, size))
    for _ in range(5):
        middle, half = rng.uniform(0.1, 0.9, (2, 1, 1)), rng.uniform(0.03, 0.2, (2, 1, 1))
        away = np.abs(_places(size) - middle) / half
        inside = away.max(axis=0) < 1 if rng.random() < 0.5 else (away**2).sum(axis=0) < 1
        image[inside] = rng.integers(64, 256)
    return image


def _spots(size: int, rng: np.random.Generator) -> np.ndarray:
    """Counted photons of forty bright spots, as under a microscope; most of the image is 0."""
    return rng.poisson(20 * _gaussians(size, rng, 40, 0.005, 0.02) + 0.05).astype(float)


CLASSES: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "noise": lambda size, rng: rng.uniform(size=(size, size)),
    **{name: (lambda size, rng, s=sizes: _gaussians(size, rng, *s)) for name, sizes in _SIGMA.items()},
    **{name: (lambda size, rng, d=decay: _field(size, rng, d)) for name, decay in _DECAY.items()},
    "Cauchy": _cauchy,
    "strokes": _strokes,
    "shapes": _shapes,
    "spots": _spots,
}


def pair(name: str, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two images of one class."""
    rng = np.random.default_rng([size, seed, list(CLASSES).index(name)])
    return CLASSES[name](size, rng), CLASSES[name](size, rng)
