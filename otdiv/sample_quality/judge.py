"""``judge``: how good generated samples are, by exact distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_rng, invalid
from otdiv.estimators.estimate import check_confidence
from otdiv.estimators.wasserstein import estimate_wasserstein
from otdiv.sample_quality.exchange_test import w1_test
from otdiv.sample_quality.memorisation import memorisation
from otdiv.sample_quality.mode_split import ModeSplit, split_by_modes
from otdiv.sample_quality.modes import ModeCoverage, mode_coverage, mode_labels, nearest_rows
from otdiv.sample_quality.neighbours import neighbour_measures
from otdiv.sample_quality.partial.fidelity import BLOCK, fidelity_diversity
from otdiv.sample_quality.real_floor import real_floor
from otdiv.sample_quality.result import JudgeResult
from otdiv.sample_quality.samples import as_sample, draw, is_generator, unit_of
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd

LEAST_POINTS = 40
"""Real points that are needed, so that halves and blocks of them say something."""


def judge(
    real: Any,
    generated: Any,
    train: Any = None,
    *,
    modes: Any = None,
    sd: Any = None,
    mode_weights: Any = None,
    least_share: float = 0.0,
    units: str = "raw",
    n: int | None = None,
    block: int = BLOCK,
    decimals: bool = False,
    permutations: int = 199,
    splits: int = 5,
    confidence: float = 0.95,
    seed: Any = 0,
) -> JudgeResult:
    """Measure generated samples against real ones: distance, floor, modes, fidelity, diversity, memorisation.

    Parameters
    ----------
    real : array_like [n, d]
        Independent real points that the generator was not trained on, at least 40.
    generated : array_like [m, d], torch.nn.Module, callable, or object with ``sample(n, rng)``
        Points; or a module or function f(z) of standard normal noise z [n, latent]; or a function f(rng, n); or a
        generator such as :func:`otdiv.gans.load_generator` returns.
    train : array_like [k, d], optional
        The training points, to see whether the generator repeats them; ``real`` is then what was held out.
    modes : array_like [k, d], or pair of integer arrays [n], [m]; optional
        Centres, to which points belong by the nearest one; or the labels of real and of generated points.
    sd : float or array_like [k], optional
        Standard deviation of the modes in the unit of the points; within 3 of them a point is of high quality.
    mode_weights : array_like [k], optional
        Weights of the modes in the real distribution; without it their shares in the real sample.
    least_share : float
        Of its fair share of high-quality points, from which a mode counts as captured; 0 asks for one point.
    units : {"raw", "standard deviations"}
        Of all distances: the unit of the points, or each column divided by the standard deviation of the real sample.
    n : int, optional
        Points to draw where ``generated`` is a generator; without it as many as real ones.
    block : int
        Points of the blocks that fidelity and diversity compare.
    decimals : bool
        Whether values with more decimals than real ones count as unmatched; for tables.
    permutations : int
        Of both permutation tests; without ``train`` 0 leaves them out.
    splits : int
        Random divisions of the real sample of which the floor is the mean.
    confidence : float
        Of the intervals.
    seed : int, numpy.random.Generator or None
        Of generated noise, divisions, blocks and permutations.

    Returns
    -------
    JudgeResult

    Raises
    ------
    InvalidInput
        Too few points, different dimensions, NaN, labels of another length, options out of range.

    Notes
    -----
    W1 of two samples is never 0, even from one distribution, and shrinks as they grow: so it is compared with the
    distance of two halves of the real sample, and with generated points of the same number as such a half.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.normal(size=(200, 2))
    >>> found = judge(real, lambda rng, n: rng.normal(size=(n, 2)), permutations=0)
    >>> found.status.certified, found.floor.size, found.fidelity > 0.9
    (True, 100, True)
    """
    rng = as_rng(seed)
    check_confidence(confidence)
    _positive("permutations", permutations, 0 if train is None else 1)
    _positive("splits", splits)
    like = as_sample("real", real)
    if n is not None and not is_generator(generated):
        raise invalid("n", "be left out where generated holds points", repr(n), "All of them are judged.")
    made = draw(generated, like.n if n is None else _positive("n", n), rng) if is_generator(generated) else generated
    x, y = like.points, as_sample("generated", made, like).points
    if len(x) < LEAST_POINTS or len(y) < LEAST_POINTS // 2:
        came = f"{len(x)} and {len(y)}"
        raise invalid(
            "real and generated", f"hold at least {LEAST_POINTS} and {LEAST_POINTS // 2} points", came, "Draw more."
        )
    unit = unit_of(x, units)
    trained_on = None if train is None else as_sample("train", train, like).points / unit
    if modes is not None and not isinstance(modes, tuple):
        modes = as_sample("modes", modes, like).points
    labels = None if modes is None else _labels(modes, x, y)
    coverage = None if labels is None else _coverage(modes, sd, mode_weights, least_share, labels, x, y, confidence)
    if labels is None and not (sd is None and mode_weights is None):
        raise invalid("modes", "be given with sd and mode_weights", "None", "Pass the centres of the modes.")
    scaled = x / unit, y / unit
    transport = emd(*scaled)
    return JudgeResult(
        transport=transport,
        floor=real_floor(*scaled, splits, rng),
        estimate=estimate_wasserstein(*scaled, confidence=confidence, rng=rng),
        test=None if permutations == 0 else w1_test(*scaled, permutations, rng),
        matching=fidelity_diversity(x, y, block=block, units=units, decimals=decimals, rng=rng),
        neighbours=neighbour_measures(*scaled),
        split=_split(transport, labels),
        modes=coverage,
        memorisation=None
        if trained_on is None
        else memorisation(scaled[1], trained_on, scaled[0], permutations=permutations, rng=rng),
        units=units,
        columns_as_they_are=tuple(np.flatnonzero(np.ptp(x, axis=0) == 0).tolist()) if units != "raw" else (),
        points=scaled,
    )


def _labels(modes: Any, x: Array, y: Array) -> tuple[Array, Array]:
    """Modes of real and generated points: as given, or by nearest centre [k, d]."""
    if isinstance(modes, tuple):
        if len(modes) != 2:
            raise invalid("modes", "be centres, or a pair of labels", f"{len(modes)} arrays", "Pass (real, generated).")
        given = []
        for side, points, labels in zip(("real", "generated"), (x, y), modes, strict=True):
            array = np.asarray(labels)
            if array.shape != (len(points),) or array.dtype.kind not in "iu" or array.min() < 0:
                came = f"shape {array.shape} of {array.dtype}"
                raise invalid(f"the labels of {side} points", f"be {len(points)} integers from 0", came, "One a point.")
            given.append(array.astype(np.intp))
        return given[0], given[1]
    return nearest_rows(x, modes)[0], nearest_rows(y, modes)[0]


def _coverage(
    modes: Any, sd: Any, mode_weights: Any, least: float, labels: tuple[Array, Array], x: Array, y: Array, sure: float
) -> ModeCoverage:
    """Modes of generated points against their weights, or against their shares in the real sample."""
    by_label = isinstance(modes, tuple)
    if by_label and sd is not None:
        raise invalid("sd", "be left out with labels", repr(sd), "Pass centres to measure quality.")
    k = int(max(labels[0].max(), labels[1].max())) + 1 if by_label else len(modes)
    weights = np.bincount(labels[0], minlength=k) / len(x) if mode_weights is None else mode_weights
    good = None if sd is None else mode_labels(y, modes, sd)[1]
    return mode_coverage(labels[1], weights, good, least, confidence=sure)


def _split(transport: TransportResult, labels: tuple[Array, Array] | None) -> ModeSplit | None:
    return None if labels is None else split_by_modes(transport, *labels)


def _positive(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least ``least``.

    Raises
    ------
    InvalidInput
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise invalid(name, f"be a whole number of at least {least}", repr(value), "Leave it out for the default.")
    return int(value)
