"""Blocks of one size of both samples, and the views in which they are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from otdiv.core.validation import Array
from otdiv.sample_quality.partial.views import InSpace, OnLine, Pairing, View

MOST_BLOCKS = 8
"""Blocks of each sample that are used.  More: less noise, and more time."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Real and generated blocks of one size, and which are compared.

    Attributes
    ----------
    real, generated : list of ndarray [size, d]
    pairs : list of (int, int)
        Generated block and real block.
    centre : ndarray [d]
        Median of every column of the real sample.
    """

    real: list[Array]
    generated: list[Array]
    pairs: list[tuple[int, int]]
    centre: Array

    @property
    def size(self) -> int:
        """Points of each block."""
        return len(self.real[0])

    def next_real(self, k: int) -> int:
        """The real block that real block k is compared with."""
        return (k + 1) % len(self.real)


def draw_blocks(real: Array, generated: Array, block: int, rng: np.random.Generator) -> Blocks:
    """Disjoint random blocks, at least two real ones and one generated; points left over are not used."""
    size = min(block, len(real) // 2, len(generated))

    def divide(points: Array) -> list[Array]:
        order = rng.permutation(len(points))
        return [points[order[k * size : (k + 1) * size]] for k in range(min(MOST_BLOCKS, len(points) // size))]

    r, g = divide(real), divide(generated)
    pairs = [(k % len(g), k % len(r)) for k in range(max(len(g), len(r)))]
    return Blocks(r, g, pairs, np.median(real, axis=0))


def views_of(blocks: Blocks, fidelity: bool, allowance: float) -> Iterator[tuple[list[View], float]]:
    """All views of one side, each with its allowance: columns share one among them."""
    d = blocks.real[0].shape[1]
    if d == 1:
        yield [_view("points", blocks, fidelity, lambda points: points[:, 0])], allowance
    else:
        yield [_view("points", blocks, fidelity, None)], allowance
        for j in range(d):
            yield [_view(f"column {j}", blocks, fidelity, _column(j))], allowance / d
        directions = list(_direction_views(blocks, fidelity))
        if directions:
            yield directions, allowance
    if not fidelity:
        centre = blocks.centre
        name = "distance from the centre"
        yield [_view(name, blocks, fidelity, lambda points: np.linalg.norm(points - centre, axis=1))], allowance


def _column(j: int) -> Callable[[Array], Array]:
    return lambda points: points[:, j]


def _view(name: str, blocks: Blocks, fidelity: bool, of: Callable[[Array], Array] | None) -> View:
    """The view by a function of the points [m, d] -> [m], or by the points themselves."""
    shown = [of(points) if of else points for points in blocks.real]
    made = [of(points) if of else points for points in blocks.generated]
    following = [blocks.next_real(k) for k in range(len(shown))]
    real = [_pairing(shown[k], shown[n]) for k, n in enumerate(following)]
    if not fidelity:
        return View(name, real, [_pairing(shown[b], made[g]) for g, b in blocks.pairs])
    measured = [_pairing(made[g], shown[b]) for g, b in blocks.pairs]
    return View(name, real, measured, [(b,) for _, b in blocks.pairs], [(n,) for n in following])


def _pairing(sources: Array, targets: Array) -> Pairing:
    return InSpace(cdist(sources, targets)) if sources.ndim == 2 else OnLine(sources, targets)


def _direction_views(blocks: Blocks, fidelity: bool) -> Iterator[View]:
    """One view for each pair: the direction of the medians of all other blocks; its scale from halves of the block."""
    if len(blocks.generated) < 2:
        return
    for g, b in blocks.pairs:
        made = np.concatenate([points for k, points in enumerate(blocks.generated) if k != g])
        shown = np.concatenate([points for k, points in enumerate(blocks.real) if k != b])
        direction = np.median(made, axis=0) - np.median(shown, axis=0)
        length = float(np.linalg.norm(direction))
        if not length > 0:
            continue
        line, half = blocks.real[b] @ (direction / length), blocks.size // 2
        parts, generated = (line[:half], line[half : 2 * half]), blocks.generated[g] @ (direction / length)
        real = [OnLine(parts[0], parts[1]), OnLine(parts[1], parts[0])]
        whole, name = np.concatenate(parts), "direction of the medians"
        if fidelity:
            yield View(name, real, [OnLine(generated, whole)], [(0, 1)], [(1,), (0,)])
        else:
            yield View(name, real, [OnLine(whole, generated)])
