"""A trained critic: a function on numpy arrays, in the unit of the points."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.core.validation import Array, as_points, invalid
from otdiv.lipschitz import LipschitzBound
from otdiv.neural.constraints import CONSTRAINTS
from otdiv.neural.minmax import anneal
from otdiv.neural.network_spec import Setting
from otdiv.neural.standardize import Frame

_BLOCK_ENTRIES = 2**19
"""Most values of a layer of 1024 units at a time: they stay in the processor's cache."""
_FORMAT = "otdiv critic 1"


class Scaled(nn.Module):
    """f(z) = sign spread h((z - centre) / spread): the same Lipschitz constant as h, in the unit of the points."""

    centre: Tensor

    def __init__(self, inner: nn.Module, frame: Frame, sign: float) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("centre", torch.from_numpy(np.array(frame.centre)))
        self.spread = frame.spread
        self.sign = sign

    def forward(self, z: Tensor) -> Tensor:
        return self.sign * self.spread * self.inner((z - self.centre) / self.spread).reshape(-1)


@dataclass(frozen=True, eq=False)
class FittedCritic:
    """A critic f of W1; calling it gives f at points.

    Attributes
    ----------
    module : torch.nn.Module
        f itself in float64, [n, d] -> [n], in the unit of the points; sum a f(x) - sum b f(y) >= 0.
    constraint : str
        The strategy it was trained with.
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
    """

    module: nn.Module
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
    plan: dict[str, Any] = field(repr=False, default_factory=dict)
    """How to build the network again."""

    def __call__(self, z: Any) -> Array:
        """Values [n] at the points z [n, d] (or [n] on the line)."""
        points = self._points(z)
        with torch.no_grad():
            return np.concatenate(
                [self.module(torch.from_numpy(block)).cpu().numpy() for block in self._blocks(points)]
            )

    def values(self, z: Any) -> Array:
        """The same as calling it."""
        return self(z)

    def gradient(self, z: Any) -> Array:
        """grad f [n, d] at the points z [n, d]; at a kink the gradient of one side."""
        rows = []
        for block in self._blocks(self._points(z)):
            place = torch.from_numpy(block).requires_grad_(True)
            rows.append(torch.autograd.grad(self.module(place).sum(), place)[0].numpy())
        return np.concatenate(rows)

    def save(self, path: str | Path) -> None:
        """Write weights and description (.pt); no code is in it, and loading runs none.

        Raises
        ------
        InvalidInput
            A critic whose network was given by the caller: save its module with torch instead.
        """
        if not self.plan:
            raise invalid("critic", "be of a network of otdiv", "a given network", "Save critic.module with torch.")
        about = {name: getattr(self, name) for name in ("constraint", "weight", "seed", "device", "steps", "seconds")}
        about |= {"stopped": self.stopped, "history": self.history, "plan": self.plan, "format": _FORMAT}
        torch.save({"about": json.dumps(about), "module": self.module.state_dict()}, path)

    @staticmethod
    def load(path: str | Path) -> FittedCritic:
        """Read what :meth:`save` wrote.

        Raises
        ------
        InvalidInput
            Another kind of file.
        """
        try:
            content = torch.load(path, weights_only=True, map_location="cpu")
            about = json.loads(content["about"])
            if about["format"] != _FORMAT:
                raise KeyError("format")
        except FileNotFoundError:
            raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling.") from None
        except Exception as problem:  # a damaged or foreign file fails anywhere inside torch
            raise invalid(
                "path",
                "name a critic that otdiv saved",
                f"{Path(path).name} ({type(problem).__name__})",
                "For other critics see otdiv.critics.auditing.audit.",
            ) from None
        plan = about["plan"]
        inner = build(about["constraint"], plan)
        frame = Frame(np.zeros(plan["d"]), plan["spread"])
        module = Scaled(inner, frame, plan["sign"]).double()
        module.load_state_dict(content["module"])
        settled(inner)
        return FittedCritic(
            module,
            about["constraint"],
            CONSTRAINTS[about["constraint"]].bound(inner),
            plan["d"],
            about["weight"],
            about["seed"],
            about["device"],
            about["steps"],
            about["seconds"],
            about["stopped"],
            [(int(k), v, p) for k, v, p in about["history"]],
            plan,
        )

    def _points(self, z: Any) -> Array:
        points = as_points("z", z)
        if points.shape[1] != self.d:
            raise invalid("z", f"have points of dimension {self.d}", f"{points.shape[1]}", "Use the same columns.")
        return points

    def _blocks(self, points: Array) -> list[Array]:
        """Copies of at most so many rows that a layer's values stay small."""
        step = max(1, _BLOCK_ENTRIES // max(1024, self.d))
        return [points[k : k + step].copy() for k in range(0, len(points), step)]

    def __repr__(self) -> str:
        bound = "no proved bound" if self.lipschitz is None else f"Lipschitz <= {self.lipschitz.value:.6g}"
        return f"FittedCritic({self.constraint!r}, d={self.d}, {bound}, {self.steps} steps, seed={self.seed})"


def build(constraint: str, plan: dict[str, Any]) -> nn.Module:
    """The network of a plan, its weights still to be filled in."""
    blank = torch.zeros((max(1, plan["atoms"]), plan["d"]))
    setting = Setting(
        x=blank,
        y=blank,
        b=torch.ones(len(blank)),
        width=plan["width"],
        depth=plan["depth"],
        groups=plan["groups"],
        pieces=plan["pieces"],
        potential=(blank, torch.zeros(len(blank))) if plan["start"] == "exact" else None,
        activation=plan["activation"],
        clip=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    return CONSTRAINTS[constraint].build(setting)


def settled(inner: nn.Module) -> nn.Module:
    """The network at the end of its schedule, ready to be evaluated."""
    anneal(inner, 1.0)
    inner.eval()
    return inner.requires_grad_(False)


def in_float64(inner: nn.Module, frame: Frame, sign: float) -> Scaled:
    """A float64 copy on the CPU, in the unit of the points."""
    return Scaled(settled(copy.deepcopy(inner).cpu().double()), frame, sign).double()
