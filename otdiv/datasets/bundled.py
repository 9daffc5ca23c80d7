"""Real data that scikit-learn ships: handwritten digits and wines."""

from __future__ import annotations

from pathlib import Path

from otdiv.core.validation import Array
from otdiv.files.writing import write_whole


def digits() -> tuple[Array, Array]:
    """Handwritten digits 3 and 8: 8 x 8 grey images as points in 64 dimensions (scikit-learn).

    Returns
    -------
    threes, eights : ndarray [n, 64] and [m, 64]
        Grey levels from 0 to 16.
    """
    from sklearn.datasets import load_digits

    data, label = load_digits(return_X_y=True)
    return data[label == 3], data[label == 8]


def wines() -> tuple[Array, Array, list[str]]:
    """Two wine cultivars, 13 measurements each, in units of the pooled standard deviation (scikit-learn).

    Returns
    -------
    first, second : ndarray [n, 13] and [m, 13]
    names : list of str
        Of the measurements.
    """
    from sklearn.datasets import load_wine

    bunch = load_wine()
    two = bunch.data[bunch.target < 2]
    scaled = (two - two.mean(axis=0)) / two.std(axis=0)
    label = bunch.target[bunch.target < 2]
    return scaled[label == 0], scaled[label == 1], list(bunch.feature_names)


def wine_tables(folder: Path) -> tuple[Path, Path]:
    """The two cultivars of :func:`wines` in their own units, written as cultivar_1.csv and cultivar_2.csv.

    Parameters
    ----------
    folder : Path
        Exists.

    Returns
    -------
    Path, Path
    """
    from sklearn.datasets import load_wine

    bunch = load_wine()
    targets = folder / "cultivar_1.csv", folder / "cultivar_2.csv"
    for k, target in enumerate(targets):
        rows = [",".join(f"{value:g}" for value in row) for row in bunch.data[bunch.target == k]]
        with write_whole(target) as stream:
            stream.write("\n".join([",".join(bunch.feature_names), *rows, ""]).encode())
    return targets
