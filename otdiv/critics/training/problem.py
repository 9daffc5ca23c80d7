"""One task of training: two laws in common units, and the runs on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.core.validation import Array, invalid
from otdiv.critics.fitted import FittedCritic, in_float64
from otdiv.critics.training.loop import Run, Schedule, Step, train
from otdiv.critics.training.options import Options, chosen_device
from otdiv.neural.batches import Batches, signed
from otdiv.neural.constraints import CONSTRAINTS, Constraint, Setting
from otdiv.neural.minmax import atom_count
from otdiv.neural.mlp import refuse_batch_norm
from otdiv.neural.samples import Law
from otdiv.neural.standardize import Frame
from otdiv.transport.solve import emd

PILOT = 256
"""Points of each law in the exact pilot distance."""
FIXED = 2048
"""Points of each law on which progress is measured, and from which centres are drawn."""


@dataclass(frozen=True)
class Start:
    """Which way round a critic is trained, and from which weights.

    Attributes
    ----------
    sign : {1.0, -1.0}
    kind : str
        "random" or "exact".
    """

    sign: float
    kind: str


@dataclass(frozen=True, eq=False)
class Task:
    """Two laws in units of the training, and how to train on them.

    Attributes
    ----------
    laws : (Law, Law)
    options : Options
    constraint : Constraint
    network : nn.Module or None
        The caller's own.
    device : str
    frame : Frame
    looks : list of (ndarray [k, d], ndarray [k])
        Some points and weights of each law, always the same: centres and atoms.
    watched : list of (ndarray [k, d], ndarray [k])
        Those on which progress is measured.
    scale : float
        Pilot distance.
    """

    laws: tuple[Law, Law]
    options: Options
    constraint: Constraint
    network: nn.Module | None
    device: str
    frame: Frame
    looks: list[tuple[Array, Array]]
    watched: list[tuple[Array, Array]]
    scale: float

    @classmethod
    def of(cls, laws: tuple[Law, Law], watched: tuple[Law, Law], options: Options, network: nn.Module | None) -> Task:
        rng = np.random.default_rng([options.seed, 2])
        looks = [_looked_at(law, FIXED, rng) for law in laws]
        frame = Frame.around(*(points for points, _ in looks))
        if network is not None:
            _check(network, looks[0][0].shape[1])
        return cls(
            laws,
            options,
            CONSTRAINTS[options.constraint],
            network,
            chosen_device(options.device),
            frame,
            looks,
            looks if watched is laws else [_looked_at(law, FIXED, rng) for law in watched],
            pilot_scale(laws, rng),
        )

    @property
    def d(self) -> int:
        return self.looks[0][0].shape[1]

    @property
    def weight(self) -> float | None:
        """lambda in the unit of the points; it is asked for in units of the pilot distance."""
        return self.options.penalty_weight * self.scale if self.constraint.penalty is not None else None

    @property
    def schedule(self) -> Schedule:
        options = self.options
        weight = options.penalty_weight * self.scale / self.frame.spread  # the training's unit is the spread
        rate = options.rate or self.constraint.rate
        return Schedule(options.steps, rate, weight, options.time_limit, options.early_stop)

    @property
    def fixed(self) -> Any:
        (x, a), (y, b) = self._tensors(self.watched)
        return signed(x, a, y, b)

    def starts(self) -> list[Start]:
        """What is to be tried: both ways round, and each kind of start, where they differ."""
        if self.network is not None:
            return [Start(1.0, "random")]
        kinds = self.constraint.starts if self.options.start == "auto" else (self.options.start,)
        signs = (1.0, -1.0) if self.constraint.oriented else (1.0,)
        return [Start(sign, kind) for kind in kinds for sign in signs]

    def run(
        self,
        start: Start,
        schedule: Schedule,
        checkpoint: Path | None = None,
        report: Callable[[Step], None] | None = None,
    ) -> tuple[nn.Module, Run]:
        setting = self._setting(start)
        module = (self.constraint.build(setting) if self.network is None else self.network).to(self.device)
        batches = Batches(self.laws, self.frame, self.options.batch, self.options.seed, self.device)
        run = train(
            module,
            self.constraint,
            setting,
            batches,
            schedule,
            sign=start.sign,
            fixed=self.fixed,
            report=report,
            checkpoint=checkpoint,
            fingerprint=self.fingerprint(start),
        )
        return module, run

    def finished(self, module: nn.Module, start: Start, run: Run | None = None) -> FittedCritic:
        """The critic as a function of points; also of a module that is still being trained."""
        inner = in_float64(module, self.frame, start.sign)
        spread, options = self.frame.spread, self.options
        history = [] if run is None else [(k, spread * v, spread * p) for k, v, p in run.history]
        plan: dict[str, Any] = {}
        if self.network is None:
            plan = {name: getattr(options, name) for name in ("depth", "groups", "pieces", "activation")}
            plan |= {"d": self.d, "width": self._width, "spread": spread, "sign": start.sign, "start": start.kind}
            plan |= {"atoms": atom_count(module)}
        return FittedCritic(
            module=inner,
            constraint=options.constraint,
            lipschitz=self.constraint.bound(inner.inner),
            d=self.d,
            weight=self.weight,
            seed=options.seed,
            device=self.device,
            steps=0 if run is None else run.steps,
            seconds=0.0 if run is None else run.seconds,
            stopped="" if run is None else run.stopped,
            history=history,
            plan=plan,
        )

    @property
    def _width(self) -> int:
        return self.options.width or max(2 * self.d, 128)

    def _tensors(self, looks: list[tuple[Array, Array]]) -> list[tuple[Tensor, Tensor]]:
        return [
            (torch.from_numpy(self.frame.apply(points)).float().to(self.device), torch.from_numpy(w).to(self.device))
            for points, w in looks
        ]

    def _setting(self, start: Start) -> Setting:
        tensors = self._tensors(self.looks)
        (x, _), (y, b) = tensors if start.sign > 0 else tensors[::-1]
        options = self.options
        return Setting(
            x=x.cpu(),
            y=y.cpu(),
            b=b.cpu().float(),
            width=self._width,
            depth=options.depth,
            groups=options.groups,
            pieces=options.pieces,
            potential=self._sample_potentials[1 if start.sign > 0 else 0] if start.kind == "exact" else None,
            activation=options.activation,
            clip=options.clip,
            generator=torch.Generator().manual_seed(options.seed),
        )

    @cached_property
    def _sample_potentials(self) -> list[tuple[Tensor, Tensor]]:
        """Points and exact dual potential of a sample of each law, not the one on which starts are compared."""
        rng = np.random.default_rng([self.options.seed, 5])
        most = self.options.groups * self.options.pieces
        (x, a), (y, b) = (_looked_at(law, most, rng) for law in self.laws)
        x, y = self.frame.apply(x), self.frame.apply(y)
        exact = emd(x, y, a, b, normalize=True)
        return [
            (torch.from_numpy(points).float(), torch.from_numpy(np.array(potential)).float())
            for points, potential in ((x, exact.f), (y, exact.g))
        ]

    def fingerprint(self, start: Start) -> str:
        """What tells this run from others: data, options and start."""
        digest = hashlib.sha256(repr(replace(self.options, time_limit=None, device="")).encode())
        for points, weights in self.looks + self.watched:
            digest.update(points.tobytes())
            digest.update(weights.tobytes())
        return f"{digest.hexdigest()} {start}"


def pilot_scale(laws: tuple[Law, Law], rng: np.random.Generator) -> float:
    """Exact distance of a small sample of both laws: the unit of the penalty; 1 where it is 0."""
    x, y = (
        law.measure.points if law.measure is not None and law.measure.n <= PILOT else law.draw(PILOT, rng)
        for law in laws
    )
    scale = emd(x, y).value
    return scale if scale > 0 else 1.0


def _looked_at(law: Law, most: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The points and weights themselves, or a sample where they are more than ``most`` or drawn."""
    if law.measure is not None and law.measure.n <= most:
        return np.array(law.measure.points), law.measure.weights / law.measure.mass
    return np.array(law.draw(most, rng)), np.full(most, 1.0 / most)


def _check(network: nn.Module, d: int) -> None:
    """Refuse a network that is no function of one point [d] with one value."""
    refuse_batch_norm(network)
    try:
        shape = tuple(network(torch.zeros((3, d), device=next(network.parameters()).device)).shape)
    except (RuntimeError, ValueError, IndexError) as problem:
        raise invalid(
            "network", f"take points [n, {d}]", f"an error ({str(problem).splitlines()[0]})", "Check its input size."
        ) from None
    if shape not in ((3,), (3, 1)):
        raise invalid("network", "return one value a point, [n] or [n, 1]", f"shape {shape} for n = 3", "Select one.")
