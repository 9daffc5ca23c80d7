"""Train one critic: from two laws to a function.

Imports training, fitted and below.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from otdiv.critics.constraints import ATOMS, CONSTRAINTS, Setting
from otdiv.critics.fitted import FittedCritic, in_float64
from otdiv.critics.laws import Batches, Frame, Law, signed
from otdiv.critics.networks import ACTIVATIONS, refuse_batch_norm
from otdiv.critics.training import Run, Schedule, Step, train, value_on
from otdiv.errors import Array, invalid, one_of
from otdiv.transport.solve import emd

PILOT = 256
"""Points of each law in the exact pilot distance."""
FIXED = 2048
"""Points of each law on which progress is measured, and from which centres are drawn."""
TRIAL = 0.15
"""Share of the steps in which each orientation is tried before the better one is trained in full."""


@dataclass(frozen=True)
class Options:
    """Everything that is not data; see :func:`otdiv.critics.fit`."""

    constraint: str
    device: str = "auto"
    seed: int = 0
    steps: int = 3000
    batch: int = 512
    time_limit: float | None = None
    rate: float | None = None
    penalty_weight: float = 10.0
    width: int | None = None
    depth: int = 3
    groups: int = 16
    pieces: int = 32
    activation: str = "relu"
    clip: float = 0.05
    early_stop: bool = True

    def __post_init__(self) -> None:
        one_of("constraint", self.constraint, tuple(CONSTRAINTS))
        one_of("activation", self.activation, tuple(ACTIVATIONS))
        for name in ("steps", "batch", "depth", "groups", "width"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
                raise invalid(name, "be a positive integer", repr(value), "Leave it out for the default.")
        if not (isinstance(self.pieces, int) and self.pieces >= 4):
            raise invalid("pieces", "be an integer from 4", repr(self.pieces), "Two cones and two planes at least.")
        for name in ("time_limit", "rate", "penalty_weight", "clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise invalid(name, "be a positive number", repr(value), "Leave it out for the default.")


def chosen_device(device: str) -> str:
    """ "auto": CUDA where torch sees it, else the CPU.

    Raises
    ------
    InvalidInput
        A device that torch does not have.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise invalid(
            "device", "be auto or one that torch has", repr(device), f"Use 'cpu' ({str(problem).splitlines()[0]})."
        ) from None
    return device


def fit_laws(
    laws: tuple[Law, Law],
    options: Options,
    *,
    network: nn.Module | None = None,
    checkpoint: Path | None = None,
    progress: bool | Callable[[Step], None] = False,
    band: Callable[[FittedCritic], tuple[float, float]] | None = None,
) -> FittedCritic:
    """Train a critic on two laws; parameters as :func:`otdiv.critics.fit`."""
    constraint = CONSTRAINTS[options.constraint]
    device = chosen_device(options.device)
    rng = np.random.default_rng([options.seed, 2])
    looks = [_looked_at(law, rng) for law in laws]
    frame = Frame.around(*(points for points, _ in looks))
    scale = pilot_scale(laws, rng)
    tensors = [torch.from_numpy(frame.apply(points)).float().to(device) for points, _ in looks]
    weights = [torch.from_numpy(w).to(device) for _, w in looks]
    fixed = signed(tensors[0], weights[0], tensors[1], weights[1])
    d = tensors[0].shape[1]
    # lambda is stated in units of the pilot distance, the training's unit is the spread
    weight = options.penalty_weight * scale / frame.spread
    schedule = Schedule(options.steps, options.rate or constraint.rate, weight, options.time_limit, options.early_stop)
    if network is not None:
        _check(network, d)
    mark = _fingerprint(options, looks)

    def once(sign: float, schedule: Schedule, file: Path | None, show: bool) -> tuple[nn.Module, Run]:
        generator = torch.Generator().manual_seed(options.seed)
        ordered = tensors if sign > 0 else tensors[::-1]
        setting = Setting(
            x=ordered[0].cpu(),
            y=ordered[1].cpu(),
            b=weights[1 if sign > 0 else 0].cpu().float(),
            width=options.width or max(2 * d, 128),
            depth=options.depth,
            groups=options.groups,
            pieces=options.pieces,
            activation=options.activation,
            clip=options.clip,
            generator=generator,
        )
        module = (constraint.build(setting) if network is None else network).to(device)
        batches = Batches(laws, frame, options.batch, options.seed, device)
        report = _reporter(progress, band, lambda module: finished(module, sign)) if show else None
        run = train(
            module,
            constraint,
            setting,
            batches,
            schedule,
            sign=sign,
            fixed=fixed,
            report=report,
            checkpoint=file,
            fingerprint=f"{mark} {sign:+.0f}",
        )
        return module, run

    def finished(module: nn.Module, sign: float, run: Run | None = None) -> FittedCritic:
        inner = in_float64(module, frame, sign)
        plan: dict[str, Any] = {}
        if network is None:
            sizes = ("depth", "groups", "pieces", "activation")
            plan = {name: getattr(options, name) for name in sizes}
            plan |= {"d": d, "width": options.width or max(2 * d, 128), "spread": frame.spread, "sign": sign}
            plan |= {"atoms": min(ATOMS, len(tensors[1 if sign > 0 else 0]))}
        history = [] if run is None else [(k, frame.spread * v, frame.spread * p) for k, v, p in run.history]
        return FittedCritic(
            module=inner,
            constraint=options.constraint,
            lipschitz=constraint.bound(inner.inner),
            d=d,
            weight=options.penalty_weight * scale if constraint.penalty is not None else None,
            seed=options.seed,
            device=device,
            steps=0 if run is None else run.steps,
            seconds=0.0 if run is None else run.seconds,
            stopped="" if run is None else run.stopped,
            history=history,
            plan=plan,
        )

    sign = 1.0
    if constraint.oriented and network is None:
        limit = None if options.time_limit is None else TRIAL * options.time_limit
        trial = replace(schedule, steps=max(1, round(TRIAL * options.steps)), time_limit=limit)
        both = {s: once(s, trial, None, False)[1].history[-1][1] for s in (1.0, -1.0)}
        sign = max(both, key=lambda s: both[s])
        if options.time_limit is not None:
            schedule = replace(schedule, time_limit=(1 - 2 * TRIAL) * options.time_limit)
    module, run = once(sign, schedule, checkpoint, True)
    # the sign is fixed by the value: a distance is never negative
    value = value_on(module, fixed)
    return finished(module, 1.0 if value >= 0 else -1.0, run)


def pilot_scale(laws: tuple[Law, Law], rng: np.random.Generator) -> float:
    """Exact distance of a small sample of both laws: the unit of the penalty; 1 where it is 0."""
    x, y = (
        law.measure.points if law.measure is not None and law.measure.n <= PILOT else law.draw(PILOT, rng)
        for law in laws
    )
    scale = emd(x, y).value
    return scale if scale > 0 else 1.0


def _looked_at(law: Law, rng: np.random.Generator) -> tuple[Array, Array]:
    """The points and weights themselves, or a sample where they are many or drawn."""
    if law.measure is not None and law.measure.n <= FIXED:
        return np.array(law.measure.points), law.measure.weights / law.measure.mass
    return np.array(law.draw(FIXED, rng)), np.full(FIXED, 1.0 / FIXED)


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


def _fingerprint(options: Options, looks: list[tuple[Array, Array]]) -> str:
    digest = hashlib.sha256(repr(replace(options, time_limit=None, device="")).encode())
    for points, weights in looks:
        digest.update(points.tobytes())
        digest.update(weights.tobytes())
    return digest.hexdigest()


def _reporter(
    progress: bool | Callable[[Step], None],
    band: Callable[[FittedCritic], tuple[float, float]] | None,
    finished: Callable[[nn.Module], FittedCritic],
) -> Callable[[Step], None] | None:
    if progress is False:
        return None
    if callable(progress):
        return progress

    def line(step: Step) -> None:
        text = f"step {step.step:6d}  {100 * step.progress:5.1f} %  {step.seconds:6.1f} s"
        if band is not None:
            low, high = band(finished(step.module))
            text += f"  proved in [{low:.6g}, {high:.6g}]"
        print(text, file=sys.stderr, flush=True)

    return line
