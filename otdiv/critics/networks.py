"""Networks that serve as critics: plain, orthonormal, min-max of unit-slope pieces, semi-discrete.

Each maps points [n, d] to values [n].  The last two are 1-Lipschitz whatever their parameters.
Imports torch and errors only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from otdiv.errors import invalid

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "softplus": nn.Softplus, "tanh": nn.Tanh, "elu": nn.ELU}


class MLP(nn.Module):
    """Plain feed-forward network: ``depth`` hidden layers of ``width`` units, then one output.

    Parameters
    ----------
    d : int
        Dimension of the points.
    width, depth : int
    activation : str
        One of :data:`ACTIVATIONS`; each has slope at most 1.
    generator : torch.Generator
        For the weights.
    """

    def __init__(self, d: int, width: int, depth: int, activation: str, generator: torch.Generator) -> None:
        super().__init__()
        self.activation = activation
        sizes = [d, *[width] * depth, 1]
        self.layers = nn.ModuleList(nn.Linear(p, q) for p, q in zip(sizes, sizes[1:], strict=False))
        self.bend = ACTIVATIONS[activation]()
        for layer in linear_layers(self):
            size = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                _fill(parameter, 2 * size * torch.rand(parameter.shape, generator=generator) - size)
            layer.weight.data.mul_(3**0.5)  # variance 1 / n_in

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            z = self.bend(layer(z))
        return last(z).squeeze(1)


class OrthonormalNetwork(nn.Module):
    """Orthonormal layers with MaxMin (GroupSort of pairs) between them: every layer keeps the norm of gradients.

    Rows or columns, whichever are fewer, are orthonormal; so each layer has spectral norm 1 and, as
    MaxMin only permutes, the network is 1-Lipschitz (Anil, Lucas, Grosse, ICML 2019).
    """

    def __init__(self, d: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [d, *[width + width % 2] * depth, 1]
        self.layers = nn.ModuleList(nn.Linear(p, q) for p, q in zip(sizes, sizes[1:], strict=False))
        for layer in linear_layers(self):
            _fill(layer.weight, polar(torch.randn(layer.weight.shape, generator=generator)))
            _fill(layer.bias, 0.5 * torch.randn(layer.bias.shape, generator=generator))

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            z = max_min(layer(z))
        return last(z).squeeze(1)


class MinMaxNetwork(nn.Module):
    """Largest over groups of the least over pieces; a piece is +|z - c| + b, -|z - c| + b or <w, z> + b, |w| = 1.

    Every piece has slope 1, so the network is 1-Lipschitz whatever its parameters, and has slope 1 almost
    everywhere, as an optimal potential has along the rays of transport.  While ``temperature`` > 0 both
    operations are soft (log-sum-exp, which averages gradients, so still 1-Lipschitz).

    Parameters
    ----------
    places : Tensor [k, d]
        Data from which the centres are drawn.
    groups, pieces : int
        Half of the pieces of a group are linear, a quarter each rising and falling cones.
    generator : torch.Generator
    """

    def __init__(self, places: Tensor, groups: int, pieces: int, generator: torch.Generator) -> None:
        super().__init__()
        self.groups = groups
        self.cones = pieces // 2
        self.planes = pieces - self.cones
        places = places.cpu()
        chosen = torch.randint(len(places), (groups * self.cones,), generator=generator)
        self.centres = nn.Parameter(places[chosen].clone())
        self.directions = nn.Parameter(_unit(torch.randn(groups * self.planes, places.shape[1], generator=generator)))
        signs = torch.ones(groups, self.cones)
        signs[:, (self.cones + 1) // 2 :] = -1.0
        self.register_buffer("signs", signs.reshape(-1))
        self.temperature = 0.5
        # pieces that agree on average where the data lie: each then is the lowest or highest somewhere
        typical = places[torch.randint(len(places), (512,), generator=generator)]
        heights = 0.3 * torch.randn(groups * pieces, generator=generator)
        cones, planes = heights[: groups * self.cones], heights[groups * self.cones :]
        self.cone_heights = nn.Parameter(cones - (distances(typical, self.centres.data) * self.signs).mean(0))
        self.plane_heights = nn.Parameter(planes - (typical @ self.directions.data.T).mean(0))

    signs: Tensor

    def anneal(self, progress: float) -> None:
        """Soft at the start (progress 0), hard at the end (progress 1)."""
        self.temperature = _cooled(0.5, 0.01, progress)

    def forward(self, z: Tensor) -> Tensor:
        cones = distances(z, self.centres) * self.signs + self.cone_heights
        planes = z @ _unit(self.directions).T + self.plane_heights
        parts = (cones.view(len(z), self.groups, -1), planes.view(len(z), self.groups, -1))
        return soft_max(soft_min(torch.cat(parts, dim=2), self.temperature), self.temperature)


class SemiDiscreteNetwork(nn.Module):
    """The c-transform of weights on atoms, min over j of |z - y_j| - g_j: 1-Lipschitz, and optimal for some g.

    Parameters
    ----------
    atoms : Tensor [m, d]
        Fixed.
    mass : Tensor [m]
        Their weights in the second law.
    """

    atoms: Tensor
    mass: Tensor

    def __init__(self, atoms: Tensor, mass: Tensor) -> None:
        super().__init__()
        self.register_buffer("atoms", atoms.clone())
        self.register_buffer("mass", mass.clone())
        self.g = nn.Parameter(torch.zeros(len(atoms)))
        self.temperature = 0.2
        self._last: tuple[Tensor, Tensor] | None = None

    def anneal(self, progress: float) -> None:
        """Soft at the start (progress 0), hard at the end (progress 1)."""
        self.temperature = _cooled(0.2, 0.0005, progress)

    def forward(self, z: Tensor) -> Tensor:
        if not self.training:
            return soft_min(distances(z, self.atoms) - self.g, self.temperature)
        # a cloud that is used whole comes again with every step: its distances are kept
        if self._last is None or self._last[0] is not z:
            self._last = (z, torch.cdist(z, self.atoms, compute_mode="donot_use_mm_for_euclid_dist"))
        return soft_min(self._last[1] - self.g, self.temperature)

    def train(self, mode: bool = True) -> SemiDiscreteNetwork:
        """Switch between training and evaluation; what was kept for the training is let go."""
        self._last = None
        return super().train(mode)

    def dual(self, z: Tensor, weights: Tensor) -> Tensor:
        """sum a h(x) + sum b g, the concave dual: at most the value of h, and it pulls at every g_j.

        The value itself, sum a h(x) - sum b h(y), has local maxima: a g_j that is nowhere the least no longer counts.
        """
        return weights @ self(z).double() + self.mass.double() @ self.g.double()


def anneal(module: nn.Module, progress: float) -> None:
    """Tell a network that softens its minima how far the schedule has come; others have nothing to anneal."""
    if isinstance(module, MinMaxNetwork | SemiDiscreteNetwork):
        module.anneal(progress)


def distances(z: Tensor, centres: Tensor) -> Tensor:
    """|z_i - c_j| [n, k] by one matrix product; in float64 near coincidences are computed again.

    |z|^2 - 2 z'c + |c|^2 loses all digits where z is nearly c: harmless in training, not in a value that counts.
    """
    sizes = (z * z).sum(1, keepdim=True) + (centres * centres).sum(1)
    squares = torch.addmm(sizes, z, centres.T, alpha=-2)
    if z.dtype == torch.float64 and not squares.requires_grad:
        i, j = torch.nonzero(squares < 1e-4 * sizes, as_tuple=True)
        squares[i, j] = ((z[i] - centres[j]) ** 2).sum(1)
        return squares.clamp_min(0.0).sqrt()
    return squares.clamp_min(1e-10).sqrt()  # the root has no derivative at 0


class _SoftMin(torch.autograd.Function):
    """-T log sum exp(-v / T) over the last axis; keeps the softmax, which is its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, temperature: float) -> Tensor:
        least = values.min(dim=-1, keepdim=True).values
        shares = ((least - values) / temperature).exp_()
        total = shares.sum(dim=-1, keepdim=True)
        ctx.save_for_backward(shares.div_(total))
        return (least - temperature * total.log()).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        return outer[0].unsqueeze(-1) * ctx.saved_tensors[0], None


def soft_min(values: Tensor, temperature: float) -> Tensor:
    """-T log sum exp(-v / T) over the last axis; the minimum for T = 0."""
    if temperature == 0.0:
        return values.min(dim=-1).values
    return _SoftMin.apply(values, temperature)


def soft_max(values: Tensor, temperature: float) -> Tensor:
    """T log sum exp(v / T) over the last axis; the maximum for T = 0."""
    return -soft_min(-values, temperature)


def max_min(z: Tensor) -> Tensor:
    """Sort each pair of neighbouring units: a permutation, so it keeps every norm."""
    pairs = z.view(len(z), -1, 2)
    return torch.stack((pairs.max(dim=2).values, pairs.min(dim=2).values), dim=2).view(len(z), -1)


def polar(W: Tensor) -> Tensor:
    """The nearest matrix with orthonormal rows or columns: U V' of W = U S V', in float64."""
    left, _, right = torch.linalg.svd(W.double(), full_matrices=False)
    return (left @ right).to(W.dtype)


def bjorck(W: Tensor, steps: int = 2) -> Tensor:
    """Björck's retraction towards :func:`polar`: W <- W (3 I - W'W) / 2, on the shorter side."""
    if W.shape[0] < W.shape[1]:
        return bjorck(W.T, steps).T
    for _ in range(steps):
        W = 1.5 * W - 0.5 * W @ (W.T @ W)
    return W


def linear_layers(module: nn.Module) -> list[nn.Linear]:
    """The linear layers, in order."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def refuse_batch_norm(module: nn.Module) -> None:
    """A critic has to be a function of one point; batch norm makes it one of the whole batch.

    Raises
    ------
    InvalidInput
        Naming the layer.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise invalid(
                "network",
                "be a function of one point",
                f"batch norm in layer {name or '0'!r}",
                "Leave batch norm out of a critic, or use LayerNorm: with it f(x) depends on the other points.",
            )


def _cooled(first: float, last: float, progress: float) -> float:
    return 0.0 if progress >= 1 else first * (last / first) ** progress


def _unit(w: Tensor) -> Tensor:
    return w / w.norm(dim=1, keepdim=True)


def _fill(parameter: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)
