"""Networks of pieces of slope 1: min-max and semi-discrete, 1-Lipschitz whatever their parameters.

Each maps points [n, d] to values [n]; with parameters stacked along a first axis it is k networks, which map
points [k, n, d] to values [k, n].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_NEAR_ENTRIES = 2**22
"""Coordinates of near pairs that are computed at a time (32 MiB): images often coincide, each with each."""
_LEAST_SQUARE = 1e-10
"""Least square of a distance in a training: below it single precision knows nothing, and the root grows too steep."""
_LEAST_EXPONENT = -30.0
"""exp(-30) counts for nothing, also squared, as in the gradient of a minimum within a maximum, it is a normal number:
with denormal ones a step takes three times as long."""
COOLING = (0.3, 0.01)
"""Temperatures at the start and at the end of the training of a potential of cones, where nothing else is asked for."""
Temperature = float | Tensor
"""T of a soft minimum: a number, or one positive number [k] for each of k stacked networks."""


class MinMaxNetwork(nn.Module):
    """Largest over groups of the least over pieces; a piece is +|z - c| + b, -|z - c| + b or <w, z> + b, |w| = 1.

    Every piece has slope 1, so the network is 1-Lipschitz whatever its parameters, and has slope 1 almost
    everywhere, as an optimal potential has along the rays of transport.  While ``temperature`` > 0 both
    operations are soft (log-sum-exp, which averages gradients, so still 1-Lipschitz).

    Parameters
    ----------
    groups : int
    centres : Tensor [groups * cones, d]
    signs : Tensor [groups * cones]
        1 for a rising cone, -1 for a falling one.
    cone_heights : Tensor [groups * cones]
    directions : Tensor [groups * planes, d]
    plane_heights : Tensor [groups * planes]
    cooling : (float, float)
        The temperatures at the start and at the end of the training.
    """

    signs: Tensor

    def __init__(
        self,
        groups: int,
        centres: Tensor,
        signs: Tensor,
        cone_heights: Tensor,
        directions: Tensor,
        plane_heights: Tensor,
        cooling: tuple[float, float],
    ) -> None:
        super().__init__()
        self.groups = groups
        self.temperature: Temperature
        self.centres = nn.Parameter(centres)
        self.register_buffer("signs", signs)
        self.cone_heights = nn.Parameter(cone_heights)
        self.directions = nn.Parameter(directions)
        self.plane_heights = nn.Parameter(plane_heights)
        self.cooling, self.temperature = cooling, cooling[0]
        self._rising = groups == 1 and not directions.shape[-2] and bool((signs > 0).all())

    @classmethod
    def drawn(cls, points: Tensor, groups: int, pieces: int, generator: torch.Generator) -> MinMaxNetwork:
        """A random start: half of the pieces of a group are planes, a quarter each rising and falling cones.

        Parameters
        ----------
        points : Tensor [k, d]
            Data from which the centres are drawn.
        groups, pieces : int
        generator : torch.Generator
        """
        cones = pieces // 2
        planes = pieces - cones
        chosen = torch.randint(len(points), (groups * cones,), generator=generator)
        centres = points[chosen].clone()
        directions = _unit(torch.randn(groups * planes, points.shape[1], generator=generator))
        signs = torch.ones(groups, cones)
        signs[:, (cones + 1) // 2 :] = -1.0
        signs = signs.reshape(-1)
        # pieces that agree on average where the data lie: each then is the lowest or highest somewhere
        typical = points[torch.randint(len(points), (512,), generator=generator)]
        heights = 0.3 * torch.randn(groups * pieces, generator=generator)
        cone_heights = heights[: groups * cones] - (distances(typical, centres) * signs).mean(0)
        plane_heights = heights[groups * cones :] - (typical @ directions.T).mean(0)
        return cls(groups, centres, signs, cone_heights, directions, plane_heights, (0.5, 0.01))

    @classmethod
    def of_potential(cls, atoms: Tensor, g: Tensor, cooling: tuple[float, float] = COOLING) -> MinMaxNetwork:
        """One group of rising cones, min over j of |z - y_j| - g_j: the potential of a sample, to be improved.

        Parameters
        ----------
        atoms : Tensor [k, d]
        g : Tensor [k]
            The dual potential at the atoms.
        cooling : (float, float)
            The temperatures at the start and at the end of the training: below the size of the features that the
            potential has.
        """
        d = atoms.shape[1]
        none = torch.zeros(0)
        return cls(1, atoms.clone(), torch.ones(len(atoms)), -g, torch.zeros(0, d), none, cooling)

    def anneal(self, progress: float) -> None:
        """Soft at the start (progress 0), hard at the end (progress 1)."""
        self.temperature = cooled(self.cooling, progress)

    def forward(self, z: Tensor) -> Tensor:
        if self._rising and not z.is_cuda:
            if not torch.is_grad_enabled():
                return soft_min(distances(z, self.centres).add_(self.cone_heights.unsqueeze(-2)), self.temperature)
            if self.centres.requires_grad and not z.requires_grad and not _is_hard(self.temperature):
                return _SoftLeastCone.apply(z, self.centres, self.cone_heights, self.temperature)
        cones = torch.addcmul(self.cone_heights.unsqueeze(-2), distances(z, self.centres), self.signs.unsqueeze(-2))
        parts = [cones.unflatten(-1, (self.groups, -1))]
        if self.directions.shape[-2]:
            planes = z @ _unit(self.directions).mT + self.plane_heights.unsqueeze(-2)
            parts.append(planes.unflatten(-1, (self.groups, -1)))
        least = least_of_parts(parts, self.temperature, copied=not z.is_cuda)
        return least.squeeze(-1) if self.groups == 1 else soft_max(least, self.temperature)


class SemiDiscreteNetwork(nn.Module):
    """The c-transform of weights on atoms, min over j of |z - y_j| - g_j: 1-Lipschitz, and optimal for some g.

    Parameters
    ----------
    atoms : Tensor [m, d]
        Fixed.
    mass : Tensor [m]
        Their weights in the second distribution.
    """

    atoms: Tensor
    mass: Tensor

    def __init__(self, atoms: Tensor, mass: Tensor) -> None:
        super().__init__()
        self.register_buffer("atoms", atoms.clone())
        self.register_buffer("mass", mass.clone())
        self.g = nn.Parameter(torch.zeros(len(atoms)))
        self.temperature: Temperature = 0.2
        self._last: tuple[Tensor, Tensor] | None = None

    @property
    def cooling(self) -> tuple[float, float]:
        """The temperatures at the start and at the end of the training."""
        return 0.2, 0.0005

    def anneal(self, progress: float) -> None:
        """Soft at the start (progress 0), hard at the end (progress 1)."""
        self.temperature = cooled(self.cooling, progress)

    def forward(self, z: Tensor) -> Tensor:
        if not self.training:
            return soft_min(distances(z, self.atoms) - self.g.unsqueeze(-2), self.temperature)
        # a cloud that is used whole is the same tensor in every step: its distances are kept
        if self._last is None or self._last[0] is not z:
            self._last = (z, torch.cdist(z, self.atoms, compute_mode="donot_use_mm_for_euclid_dist"))
        return soft_min(self._last[1] - self.g.unsqueeze(-2), self.temperature)

    def train(self, mode: bool = True) -> SemiDiscreteNetwork:
        """Switch between training and evaluation; the distances kept for the training are released."""
        self._last = None
        return super().train(mode)

    def dual(self, z: Tensor, weights: Tensor) -> Tensor:
        """sum a h(x) + sum b g, the concave dual: at most the value of h, with a gradient in every g_j.

        The value itself, sum a h(x) - sum b h(y), has local maxima: a g_j whose piece is nowhere the least has
        no gradient there.
        """
        return dual_value(weights, self(z), self.mass, self.g)


def anneal(module: nn.Module, progress: float) -> None:
    """Set the softness of a network of minima for this share of the schedule; others have nothing to anneal."""
    if isinstance(module, MinMaxNetwork | SemiDiscreteNetwork):
        module.anneal(progress)


def atom_count(module: nn.Module) -> int:
    """Number of centres with which a network has to be built before its weights are loaded; 0 for layers."""
    if isinstance(module, SemiDiscreteNetwork):
        return len(module.atoms)
    return len(module.centres) if isinstance(module, MinMaxNetwork) else 0


def distances(z: Tensor, centres: Tensor) -> Tensor:
    """|z_i - c_j| [n, k] by one matrix product; in float64 near coincidences are computed again.

    |z|^2 - 2 z'c + |c|^2 loses all digits where z is nearly c: harmless in training, not in a reported value.
    """
    of_z, of_centres = (z * z).sum(-1, keepdim=True), (centres * centres).sum(-1).unsqueeze(-2)
    multiplied = torch.addmm if z.dim() == 2 else torch.baddbmm
    if torch.is_grad_enabled() and (z.requires_grad or centres.requires_grad):
        squares = multiplied(of_z + of_centres, z, centres.mT, alpha=-2)
        return squares.clamp_min(_LEAST_SQUARE).sqrt()  # the root has no derivative at 0
    squares = multiplied(of_centres, z, centres.mT, alpha=-2).add_(of_z)
    if z.dtype != torch.float64:
        return squares.clamp_min_(_LEAST_SQUARE).sqrt_()
    near = torch.nonzero(squares < 1e-4 * (of_z + of_centres.max()))
    for i, j in (pair.T for pair in near.split(max(1, _NEAR_ENTRIES // z.shape[1]))):
        squares[i, j] = ((z[i] - centres[j]) ** 2).sum(1)
    return squares.clamp_min_(0.0).sqrt_()


class _SoftLeastCone(torch.autograd.Function):
    """-T log sum_j exp(-(|z_i - c_j| + h_j) / T) over the cones, differentiated by c [k, d] and h [k] alone.

    A dozen passes over the [n, k] values, nearly all in place, where a chain of operations takes twenty with new memory
    for each: half the time on a processor.  It keeps the shares, and the shares over the distances.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, centres: Tensor, heights: Tensor, temperature: Temperature) -> Tensor:
        softness = torch.as_tensor(temperature, dtype=z.dtype).reshape(-1, *[1] * (z.dim() - 1))
        away = distances(z, centres)
        shares = torch.addcmul(heights.unsqueeze(-2) / -softness, away, -1 / softness)
        largest = shares.amax(dim=-1, keepdim=True)
        shares.sub_(largest).clamp_min_(_LEAST_EXPONENT).exp_()
        total = shares.sum(dim=-1, keepdim=True)
        shares.div_(total)
        # no slope where a distance was lost in rounding, as clamp_min has none
        torch.threshold_(away, 1.001 * _LEAST_SQUARE**0.5, torch.inf)
        ctx.save_for_backward(z, centres, shares, torch.div(shares, away, out=away))
        return ((largest + total.log_()) * -softness).squeeze(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[None, Tensor, Tensor, None]:
        z, centres, shares, over_distances = ctx.saved_tensors
        row = outer.unsqueeze(-2)
        pulls = over_distances.mT @ (z * outer.unsqueeze(-1))
        return None, centres * (row @ over_distances).mT - pulls, (row @ shares).squeeze(-2), None


class _SoftMin(torch.autograd.Function):
    """-T log sum exp(-v / T) over the last axis; keeps the softmax, which is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, temperature: Temperature) -> Tensor:
        if values.is_cuda:  # fewer passes over the memory; T log of the largest share is that of the sum
            shares = (values * (-1 / temperature)).softmax(dim=-1)
            ctx.save_for_backward(shares)
            largest = shares.amax(dim=-1, keepdim=True)
            return (values.amin(dim=-1, keepdim=True) + temperature * largest.log()).squeeze(-1)
        least = values.min(dim=-1, keepdim=True).values
        shares = ((least - values) / temperature).clamp_min_(_LEAST_EXPONENT).exp_()
        total = shares.sum(dim=-1, keepdim=True)
        ctx.save_for_backward(shares.div_(total))
        return (least - temperature * total.log()).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        return outer[0].unsqueeze(-1) * ctx.saved_tensors[0], None


def _is_hard(temperature: Temperature) -> bool:
    return not isinstance(temperature, Tensor) and temperature == 0.0


def soft_min(values: Tensor, temperature: Temperature) -> Tensor:
    """-T log sum exp(-v / T) over the last axis; the minimum for the number T = 0.

    A tensor of temperatures [k], all positive, has one for each entry of the first axis.
    """
    if isinstance(temperature, Tensor):
        return _SoftMin.apply(values, temperature.reshape(-1, *[1] * (values.dim() - 1)))
    if _is_hard(temperature):
        return values.min(dim=-1).values if values.requires_grad else values.amin(dim=-1)
    return _SoftMin.apply(values, temperature)


def least_of_parts(parts: list[Tensor], temperature: Temperature, copied: bool) -> Tensor:
    """:func:`soft_min` over several sets [..., p]: of a copy of all, or with less memory moved of their soft minima."""
    if len(parts) == 1:
        return soft_min(parts[0], temperature)
    if copied:
        return soft_min(torch.cat(parts, dim=-1), temperature)
    return soft_min(torch.stack([soft_min(part, temperature) for part in parts], dim=-1), temperature)


def soft_max(values: Tensor, temperature: Temperature) -> Tensor:
    """T log sum exp(v / T) over the last axis; the maximum for T = 0."""
    return -soft_min(-values, temperature)


def cooled(cooling: tuple[float, float], progress: float) -> float:
    """The temperature at this share of the training: geometric between both ends, 0 after it."""
    first, last = cooling
    return 0.0 if progress >= 1 else first * (last / first) ** progress


def _unit(w: Tensor) -> Tensor:
    return w / w.norm(dim=-1, keepdim=True)


def dual_value(a: Tensor, h: Tensor, mass: Tensor, g: Tensor) -> Tensor:
    """sum a h + sum mass g over the last axis, in float64."""
    if h.dim() == 1:
        return a @ h.double() + mass.double() @ g.double()
    return torch.linalg.vecdot(a, h.double()) + torch.linalg.vecdot(mass.double(), g.double())
