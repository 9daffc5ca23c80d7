"""Distributions with known modes, on which generative models are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array, check_choice, readonly

Draw = Callable[[int, np.random.Generator], Array]
"""(n, rng) -> points [n, d]."""


@dataclass(frozen=True, eq=False)
class ModalData:
    """A distribution whose modes are known: by centres and a spread, or by a classifier.

    Attributes
    ----------
    name : str
    about : str
        What the distribution is, in a line.
    d : int
        Dimension of the points.
    modes : int
        Number of modes, all of one weight.
    draw : callable
        (n, rng) -> independent points [n, d].
    draw_balanced : callable
        (n, rng) -> points [n, d], the same number of each mode within 1: a reference without noise in the weights.
    centres : ndarray [modes, d] or None
    sd : float or None
        Standard deviation of a mode in each coordinate.
    classify : callable or None
        points [n, d] -> the mode of each [n], where the modes have no centres.
    shape : tuple of int or None
        (channels, height, width) of images.
    """

    name: str
    about: str
    d: int
    modes: int
    draw: Draw
    draw_balanced: Draw
    centres: Array | None = None
    sd: float | None = None
    classify: Callable[[Array], Array] | None = None
    shape: tuple[int, int, int] | None = None

    def __repr__(self) -> str:
        return f"ModalData({self.name!r}, d={self.d}, modes={self.modes})"


def normal_modes(name: str, about: str, centres: Array, sd: float) -> ModalData:
    """Normal modes of one spread around centres [k, d], all of weight 1/k.

    Parameters
    ----------
    name, about : str
    centres : ndarray [k, d]
    sd : float

    Returns
    -------
    ModalData
    """
    k, d = centres.shape
    fixed = readonly(np.array(centres, dtype=float))

    def around(labels: Array, rng: np.random.Generator) -> Array:
        return np.asarray(fixed[labels] + sd * rng.normal(size=(len(labels), d)))

    return ModalData(
        name,
        about,
        d,
        k,
        lambda n, rng: around(rng.integers(k, size=n), rng),
        lambda n, rng: around(balanced_labels(n, k), rng),
        centres=fixed,
        sd=sd,
    )


def balanced_labels(n: int, k: int) -> Array:
    """n labels 0 to k - 1, each as often as any other within 1."""
    return np.arange(n) % k


def ring8() -> ModalData:
    """Eight normal modes of sd 0.05 on the circle of radius 1, each 0.765 from the next.

    Returns
    -------
    ModalData
    """
    angles = 2 * np.pi * np.arange(8) / 8
    centres = np.column_stack([np.cos(angles), np.sin(angles)])
    return normal_modes("ring8", "8 normal modes of sd 0.05 on a circle of radius 1", centres, 0.05)


def grid25() -> ModalData:
    """Twenty-five normal modes of sd 0.05 at the points of a 5 x 5 grid of step 2.

    Returns
    -------
    ModalData
    """
    ticks = np.arange(-4.0, 5.0, 2.0)
    centres = np.column_stack([axis.ravel() for axis in np.meshgrid(ticks, ticks)])
    return normal_modes("grid25", "25 normal modes of sd 0.05 on a grid of step 2", centres, 0.05)


def bars() -> ModalData:
    """Two vertical bars {0} x [0, 1] and {1} x [0, 1], uniform: a distribution without a density.

    Returns
    -------
    ModalData
        ``classify`` says which bar is nearer; there is no spread, since no point off the bars can occur.
    """

    def on_bars(labels: Array, rng: np.random.Generator) -> Array:
        return np.column_stack([labels.astype(float), rng.random(len(labels))])

    return ModalData(
        "bars",
        "uniform on two vertical bars of length 1, 1 apart",
        2,
        2,
        lambda n, rng: on_bars(rng.integers(2, size=n), rng),
        lambda n, rng: on_bars(balanced_labels(n, 2), rng),
        classify=lambda points: (points[:, 0] > 0.5).astype(np.intp),
    )


def planes10(d: int = 100) -> ModalData:
    """Ten clusters in d dimensions, each on a plane of its own: x = m_k + A_k z + 0.05 noise, z in 2-D.

    Centres have normal coordinates of sd 1, planes normal entries of sd 0.25; both are drawn once, with seed 0.

    Parameters
    ----------
    d : int
        At least 2.

    Returns
    -------
    ModalData
        ``classify`` names the cluster from whose plane a point is least far, in units of its spread.

    Notes
    -----
    After the synthetic data of Y. Saatchi and A. G. Wilson, Bayesian GAN, NeurIPS 2017.
    """
    k, noise = 10, 0.05
    fixed = np.random.default_rng(0)
    means = readonly(fixed.normal(size=(k, d)))
    axes = readonly(0.25 * fixed.normal(size=(k, 2, d)))

    def drawn(labels: Array, rng: np.random.Generator) -> Array:
        z = rng.normal(size=(len(labels), 2))
        points = means[labels] + np.einsum("nz,nzd->nd", z, axes[labels])
        return np.asarray(points + noise * rng.normal(size=points.shape))

    def classify(points: Array) -> Array:
        distance = np.empty((len(points), k))
        for j in range(k):
            # Mahalanobis distance of the covariance A'A + noise^2: inside the plane and off it
            covariance = axes[j].T @ axes[j] + noise**2 * np.eye(d)
            away = points - means[j]
            distance[:, j] = np.einsum("nd,nd->n", away @ np.linalg.inv(covariance), away)
        return np.asarray(distance.argmin(axis=1))

    return ModalData(
        "planes10",
        f"10 clusters in {d} dimensions, each on a plane of its own",
        d,
        k,
        lambda n, rng: drawn(rng.integers(k, size=n), rng),
        lambda n, rng: drawn(balanced_labels(n, k), rng),
        classify=classify,
    )


def modal_data(name: str) -> ModalData:
    """The data of this name.

    Parameters
    ----------
    name : str
        One of :data:`MODAL_DATA`.

    Returns
    -------
    ModalData

    Raises
    ------
    InvalidInput
        Another name; data of a package that is not there.

    Examples
    --------
    >>> modal_data("ring8")
    ModalData('ring8', d=2, modes=8)
    """
    from otdiv.datasets.digit_images import digits8, mnist5000, stacked_digits

    makers = (ring8, grid25, bars, stacked_digits, planes10, digits8, mnist5000)
    return makers[MODAL_DATA.index(check_choice("data", name, MODAL_DATA))]()


MODAL_DATA = ("ring8", "grid25", "bars", "stacked-digits", "planes10", "digits", "mnist5000")
"""Names of the data with known modes."""
