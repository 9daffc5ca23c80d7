"""A trained critic: a function on numpy arrays, in the unit of the points."""

from __future__ import annotations

import copy
import itertools
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.core.memory import row_blocks
from otdiv.core.threads import without_warnings
from otdiv.core.validation import Array, as_points, invalid
from otdiv.critics.architecture import Architecture
from otdiv.critics.debias import Debiased, remove_bias
from otdiv.files.archives import open_archive
from otdiv.lipschitz import LipschitzBound
from otdiv.neural.constraints import CONSTRAINT_BY_NAME
from otdiv.neural.minmax import anneal
from otdiv.neural.standardize import Standardizer
from otdiv.neural.torch_files import write_torch

_LAYER_UNITS, _LAYER_ENTRIES = 1024, 2**19
"""Units of a wide layer, and values of such a layer computed at a time; 4 MiB stay in the processor's cache."""
_LAYER_ENTRIES_ON_DEVICE = 2**25
"""The same on another device, where every block costs a launch and its memory is larger (256 MiB a layer)."""
_RECORDED = ("constraint", "weight", "seed", "device", "steps", "seconds", "stopped")
_FORMAT = "otdiv critic 1"


class Scaled(nn.Module):
    """f(z) = sign scale h((z - mean) / scale): the same Lipschitz constant as h, in the unit of the points."""

    centre: Tensor

    def __init__(self, inner: nn.Module, standardizer: Standardizer, sign: float) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("centre", torch.from_numpy(np.array(standardizer.mean)))  # its name in saved files
        self.scale = standardizer.scale
        self.sign = sign

    def forward(self, z: Tensor) -> Tensor:
        return self.sign * self.scale * self.inner((z - self.centre) / self.scale).reshape(-1)


@dataclass(frozen=True, eq=False)
class FittedCritic:
    """A critic f of W1; calling it gives f at points.

    Attributes
    ----------
    module : Scaled (a torch.nn.Module)
        f itself in float64, [n, d] -> [n], in the unit of the points; sum a f(x) - sum b f(y) >= 0.
    constraint : str
        The name of the one it was trained with.
    lipschitz : LipschitzBound or None
        A proved upper bound of its Lipschitz constant; None where the network is not one that is known.
    d : int
        Dimension.
    weight : float or None
        lambda of its gradient penalty, in the unit of the points.
    seed : int
    device : str
        Where it was trained.
    steps : int
    seconds : float
    stopped : str
        "schedule", "plateau" or "time limit".
    history : list of (step, value, penalty)
        In the unit of the points.
    architecture : Architecture or None
        How to build the network again; None for one that the caller gave.
    """

    module: Scaled
    constraint: str
    lipschitz: LipschitzBound | None
    d: int
    weight: float | None
    seed: int
    device: str
    steps: int
    seconds: float
    stopped: str
    history: list[tuple[int, float, float]] = field(repr=False)
    architecture: Architecture | None = field(repr=False, default=None)
    uses: float | None = None
    """How often each point drawn from a sampler served in the training; None for new points in every step, and for
    point sets."""
    on_device: nn.Module | None = field(repr=False, default=None)
    """f on the device where it was trained, if that is not the CPU: calls are evaluated there."""

    @property
    def divisor(self) -> float | None:
        """The proved Lipschitz bound where dividing by it gives a useful value.

        None where nothing is proved, and for a penalised critic, whose layers' norms have far too large a product.
        """
        certified = self.lipschitz is not None and CONSTRAINT_BY_NAME[self.constraint].certified
        return self.lipschitz.value if certified and self.lipschitz is not None else None

    def correct(self, raw: float, terms: Debiased | None) -> float:
        """A raw value sum a f - sum b f as an estimate of W1: de-biased, or over the divisor."""
        if terms is not None:
            assert self.weight is not None
            return remove_bias(max(raw, 0.0), self.weight)
        return raw if self.divisor is None else raw / max(self.divisor, 1e-300)

    def __call__(self, z: Any) -> Array:
        """Values [n] at the points z [n, d] (or [n] on the line)."""
        points = self._points(z)
        with torch.no_grad():
            return np.concatenate([self._evaluator(self._moved(block)).cpu().numpy() for block in self._blocks(points)])

    def values(self, z: Any) -> Array:
        """The same as calling it."""
        return self(z)

    def gradient(self, z: Any) -> Array:
        """grad f [n, d] at the points z [n, d]; at a kink the gradient of one side."""
        rows = []
        for block in self._blocks(self._points(z)):
            z_block = self._moved(block).requires_grad_(True)
            rows.append(torch.autograd.grad(self._evaluator(z_block).sum(), z_block)[0].cpu().numpy())
        return np.concatenate(rows)

    def save(self, path: str | Path) -> None:
        """Write weights and description (.pt); no code is in it, and loading runs none.

        Raises
        ------
        InvalidInput
            A critic whose network was given by the caller: save its module with torch instead.  A file that cannot
            be written; an older one then stands as it was.
        """
        if self.architecture is None:
            raise invalid("critic", "be of a network of otdiv", "a given network", "Save critic.module with torch.")
        about = {name: getattr(self, name) for name in _RECORDED}
        about |= {"history": self.history, "format": _FORMAT}
        about["plan"] = self.architecture.to_dict()  # its name in files of this format
        write_torch(path, {"about": json.dumps(about), "module": self.module.state_dict()}, "path")

    @staticmethod
    def load(path: str | Path) -> FittedCritic:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InvalidInput
            Another kind of file.
        """
        if not Path(path).is_file():
            raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling.")
        try:
            with open_archive(path):
                pass  # no name twice, no sizes beyond the file's own
            with without_warnings():  # of unusual pickles
                content = torch.load(path, weights_only=True, map_location="cpu")
            about = json.loads(content["about"])
            _require_about(about)
            architecture = Architecture.from_dict(about["plan"])
            architecture.require_size(sum(weight.numel() for weight in content["module"].values()))
            inner = architecture.build(about["constraint"])
            standardizer = Standardizer(np.zeros(architecture.d), architecture.scale)
            module = Scaled(inner, standardizer, architecture.initialization.sign).double()
            module.load_state_dict(content["module"])
            freeze(inner)
            return FittedCritic(
                module=module,
                lipschitz=CONSTRAINT_BY_NAME[about["constraint"]].bound(inner),
                d=architecture.d,
                history=[(int(k), v, p) for k, v, p in about["history"]],
                architecture=architecture,
                **{name: about[name] for name in _RECORDED},
            )
        except Exception as problem:  # a damaged or foreign file fails anywhere inside torch, or does not fit its plan
            raise invalid(
                "path",
                "name a critic that otdiv saved",
                f"{Path(path).name} ({type(problem).__name__})",
                "For other critics see otdiv.critics.auditing.audit.",
            ) from None

    @property
    def _evaluator(self) -> nn.Module:
        return self.module if self.on_device is None else self.on_device

    def _moved(self, block: Array) -> Tensor:
        points = torch.from_numpy(block)
        return points if self.on_device is None else points.to(self.device)

    def _points(self, z: Any) -> Array:
        points = as_points("z", z)
        if points.shape[1] != self.d:
            raise invalid("z", f"have points of dimension {self.d}", f"{points.shape[1]}", "Use the same columns.")
        return points

    def _blocks(self, points: Array) -> list[Array]:
        """Copies of few enough rows that the values of a layer stay small."""
        units = max(_LAYER_UNITS, self.d)
        entries = _LAYER_ENTRIES if self.on_device is None else _LAYER_ENTRIES_ON_DEVICE
        return [points[rows].copy() for rows in row_blocks(len(points), units, entries)]

    def __repr__(self) -> str:
        bound = "no proved bound" if self.lipschitz is None else f"Lipschitz <= {self.lipschitz.value:.6g}"
        return f"FittedCritic({self.constraint!r}, d={self.d}, {bound}, {self.steps} steps, seed={self.seed})"


def _require_about(about: dict[str, Any]) -> None:
    """Refuse a description that :meth:`FittedCritic.save` did not write.

    Raises
    ------
    ValueError, KeyError, TypeError
    """
    weight, numbers = about["weight"], [about["seconds"], *itertools.chain(*about["history"])]
    if about["format"] != _FORMAT or about["constraint"] not in CONSTRAINT_BY_NAME:
        raise ValueError("another format")
    if not all(type(about[name]) is int for name in ("seed", "steps")):
        raise ValueError("a count that is none")
    if not all(type(about[name]) is str for name in ("device", "stopped")):
        raise ValueError("a name that is none")
    if weight is not None and not 0 < float(weight) < math.inf:
        raise ValueError("a weight that is none")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("a history that is none")


def freeze(inner: nn.Module) -> nn.Module:
    """The network at the end of its schedule, ready to be evaluated."""
    anneal(inner, 1.0)
    inner.eval()
    return inner.requires_grad_(False)


def in_float64(inner: nn.Module, standardizer: Standardizer, sign: float) -> Scaled:
    """A float64 copy on the CPU, in the unit of the points."""
    return Scaled(freeze(copy.deepcopy(inner).cpu().double()), standardizer, sign).double()
