"""The points of one step for several trainings at once, all drawn on the device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from otdiv.critics.training.drawn_ahead import DrawnAhead
from otdiv.critics.training.problem import TrainingProblem
from otdiv.neural.batches import SignedSample, rows_by_weight, signed_sample


class StackedBatches:
    """As :class:`otdiv.neural.batches.Batches`, for k trainings on the same distributions: points [k, n, d].

    The random rows of many steps are drawn before these steps, so that a step itself reads tensors only and can be
    captured.  Every training has random numbers of its own, which do not depend on the other trainings.

    Parameters
    ----------
    problems : list of TrainingProblem
        Of the same distributions.
    drawn : DrawnAhead
        Of those distributions that are samplers, in units of the first problem.
    steps : int
        Most steps between two calls of :meth:`refill`.
    pairs : bool
        Whether points between both distributions are needed, for a penalty.
    """

    def __init__(self, problems: list[TrainingProblem], drawn: DrawnAhead, steps: int, pairs: bool) -> None:
        first = problems[0]
        self.batch, self._drawn, self._pairs = first.batch, drawn, pairs
        device = torch.device(first.device)
        self._generators = [torch.Generator(device).manual_seed(problem.options.seed) for problem in problems]
        units = first.standardizer
        shift = torch.stack([torch.from_numpy((one.standardizer.mean - units.mean) / units.scale) for one in problems])
        factor = torch.tensor([units.scale / one.standardizer.scale for one in problems])
        self._shift, self._factor = shift[:, None].float().to(device), factor[:, None, None].float().to(device)
        pools = iter(drawn.points)
        self._sides = []
        for distribution in first.distributions:
            measure = distribution.measure
            if measure is None:
                self._sides.append(_Side(next(pools), None, False))
                continue
            points = torch.from_numpy(units.transform(measure.points)).float().to(device)
            weights = torch.from_numpy(measure.weights / measure.mass).to(device)
            self._sides.append(_Side(points, weights, len(points) <= self.batch))
        sizes = [len(side.points) if side.whole else self.batch for side in self._sides]
        self._rows = [torch.zeros((steps, len(problems), size), dtype=torch.int64, device=device) for size in sizes]
        self._ends = [torch.zeros((steps, len(problems), max(sizes)), dtype=torch.int64, device=device) for _ in sizes]
        self._shares = torch.zeros((steps, len(problems), max(sizes), 1), device=device)
        self._weights = [self._expanded(side, size) for side, size in zip(self._sides, sizes, strict=True)]
        self.step = torch.zeros(1, dtype=torch.int64, device=device)
        for rows, side in zip(self._rows, self._sides, strict=True):
            if side.whole:
                rows += torch.arange(rows.shape[2], device=device)

    def refill(self, steps: int) -> None:
        """Draw the random rows of the next steps, and begin with the first of them."""
        self._drawn.grow()
        for k, generator in enumerate(self._generators):
            for rows, side in zip(self._rows, self._sides, strict=True):
                if not side.whole:
                    rows[:steps, k] = side.draw((steps, rows.shape[2]), self._drawn.count, generator)
            if self._pairs:
                for ends, side, rows in zip(self._ends, self._sides, self._rows, strict=True):
                    size = (steps, ends.shape[2])
                    ends[:steps, k] = (
                        side.draw(size, 0, generator)
                        if side.whole
                        else torch.randint(rows.shape[2], size, generator=generator, device=ends.device)
                    )
                self._shares[:steps, k].uniform_(generator=generator)
        self.step.zero_()

    def sample(self) -> SignedSample:
        """The points [k, n, d] and weights [k, n] of the current step."""
        parts = []
        for side, rows, weights in zip(self._sides, self._rows, self._weights, strict=True):
            points = side.points[self._at(rows)]
            parts += [(points - self._shift) * self._factor, weights]
        return signed_sample(*parts)

    def between(self, sample: SignedSample) -> Tensor:
        """Points t x + (1 - t) y [k, max(n, m), d], one uniform t for each independent pair drawn by weight."""
        x, y = (
            torch.gather(points, 1, self._at(ends).unsqueeze(-1).expand(-1, -1, points.shape[2]))
            for points, ends in zip((sample.x, sample.y), self._ends, strict=True)
        )
        return torch.lerp(y, x, self._at(self._shares))

    def advance(self) -> None:
        """Go to the next step."""
        self.step += 1

    def _at(self, values: Tensor) -> Tensor:
        return values.index_select(0, self.step).squeeze(0)

    def _expanded(self, side: _Side, size: int) -> Tensor:
        """Weights [k, n] of the points of a step."""
        weights = side.weights if side.whole else None
        if weights is None:
            weights = torch.full((size,), 1 / size, dtype=torch.float64, device=self._shift.device)
        return weights.expand(len(self._generators), -1).contiguous()


@dataclass(frozen=True, eq=False)
class _Side:
    """Points of one distribution: a whole cloud, a cloud to draw from by weight, or draws of a sampler."""

    points: Tensor
    weights: Tensor | None
    whole: bool

    def draw(self, size: tuple[int, ...], count: int, generator: torch.Generator) -> Tensor:
        """Row numbers: by weight, or among the first ``count`` points of a sampler."""
        if self.weights is None:
            return torch.randint(count, size, generator=generator, device=self.points.device)
        return rows_by_weight(self.weights.cumsum(0), size, generator)
