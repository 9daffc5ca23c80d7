"""Several trainings of networks of one shape at once: weights stacked, one step for all of them.

On a graphics card the step is captured once and replayed: nothing in it waits for the processor.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.stacked_batches import StackedBatches
from otdiv.neural.batches import SignedSample
from otdiv.neural.captured import captured
from otdiv.neural.constraints import weights_of
from otdiv.neural.minmax import MinMaxNetwork, SemiDiscreteNetwork, dual_value
from otdiv.neural.slopes import gradient_norms

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8
"""Adam's decay of the averages of gradients and of their squares, and what is added to the root, as torch has them."""


class StackedNetworks:
    """k networks of one shape as one function of points [k, n, d].

    Parameters
    ----------
    modules : list of Module
        On one device.
    """

    def __init__(self, modules: list[nn.Module]) -> None:
        self.template = modules[0]
        parameters = [dict(module.named_parameters()) for module in modules]
        shapes = {name: value.shape for name, value in parameters[0].items()}
        self.flat = torch.stack([torch.cat([p.detach().reshape(-1) for p in one.values()]) for one in parameters])
        self.leaves: dict[str, Tensor] = {}
        self.buffers: dict[str, Tensor] = {}
        at, k = 0, len(modules)
        for name, shape in shapes.items():
            part = self.flat[:, at : at + shape.numel()].view(k, *shape)
            if shape.numel():
                self.leaves[name] = part.detach().requires_grad_(True)
            else:
                self.buffers[name] = part
            at += shape.numel()
        buffers = [dict(module.named_buffers()) for module in modules]
        self.buffers |= {name: torch.stack([one[name] for one in buffers]) for name in buffers[0]}
        self.temperature = torch.ones(k, device=self.flat.device)
        if isinstance(self.template, MinMaxNetwork | SemiDiscreteNetwork):
            self.template.temperature = self.temperature

    @property
    def weights(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, stacked along the first axis."""
        return {**self.leaves, **self.buffers}

    def __call__(self, z: Tensor) -> Tensor:
        """Values [k, n] at the points z [k, n, d]."""
        if isinstance(self.template, MinMaxNetwork | SemiDiscreteNetwork):
            return functional_call(self.template, self.weights, (z,))
        return vmap(lambda weights, points: functional_call(self.template, weights, (points,)))(self.weights, z)

    @torch.no_grad()
    def write_to(self, modules: list[nn.Module]) -> None:
        """Copy the weights back into the modules."""
        for k, module in enumerate(modules):
            for name, value in weights_of(module).items():
                value.copy_(self.weights[name][k])


class StackedStep:
    """One step of Adam for k networks: maximise sign (sum a h(x) - sum b h(y)) - lambda E[penalty(|grad h|)] of each.

    Parameters
    ----------
    problems : list of TrainingProblem
        Of one constraint and sizes.
    signs : list of float
        Of the values; all alike for a semi-discrete network.
    networks : StackedNetworks
    batches : StackedBatches
    steps : int
        Most steps of a plan.
    """

    def __init__(
        self,
        problems: list[TrainingProblem],
        signs: list[float],
        networks: StackedNetworks,
        batches: StackedBatches,
        steps: int,
    ) -> None:
        self.networks, self.batches, k = networks, batches, len(problems)
        self._constraint, self._sizes = problems[0].options.constraint, problems[0].options.sizes
        device = networks.flat.device
        self._signs = torch.tensor(signs, dtype=torch.float64, device=device)
        self._forward_signs = signs[0] > 0
        self._lambda = torch.tensor([one.scaled_weight for one in problems], dtype=torch.float64, device=device)
        self._plan = torch.zeros((steps, 2 * k + 1), device=device)
        self._mean, self._square = torch.zeros_like(networks.flat), torch.zeros_like(networks.flat)
        self.penalties = torch.zeros(k, dtype=torch.float64, device=device)
        self.first_bad = torch.full((k,), steps, dtype=torch.int64, device=device)
        self._replay: Callable[[], None] = self._step
        if device.type == "cuda":
            self._replay = self._captured()

    def run(self, rates: Tensor, temperatures: Tensor, done: int) -> None:
        """Steps after ``done`` others, at rates and temperatures [steps, k]; a network of rate 0 stays as it is."""
        steps = len(rates)
        counts = torch.arange(done + 1, done + steps + 1, dtype=torch.float64)
        rates = rates / (1 - _FIRST**counts)[:, None]
        plan = torch.cat([rates, temperatures, (1 - _SECOND**counts).rsqrt()[:, None]], dim=1)
        self._plan[:steps] = plan.float().to(self._plan.device)
        self.batches.refill(steps)
        self.penalties.zero_()
        self.first_bad.fill_(len(self._plan))
        for _ in range(steps):
            self._replay()

    def values(self, sample: SignedSample) -> Tensor:
        """sign (sum a h(x) - sum b h(y)) of each network, summed in float64."""
        return self._signs * torch.linalg.vecdot(sample.w, self.networks(sample.z).double())

    def _step(self) -> None:
        k, networks = len(self._signs), self.networks
        plan = self._plan.index_select(0, self.batches.step).squeeze(0)
        networks.temperature.copy_(plan[k : 2 * k])
        sample = self.batches.sample()
        value = self._value(sample)
        penalty = torch.zeros_like(value)
        if self._constraint.penalty is not None:
            penalty = self._lambda * self._penalty(self.batches.between(sample))
        gradients = torch.autograd.grad((penalty - value).sum(), list(networks.leaves.values()))
        with torch.no_grad():
            gradient = torch.cat([part.reshape(k, -1) for part in gradients], dim=1)
            self._mean.lerp_(gradient, 1 - _FIRST)
            self._square.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)
            root = self._square.sqrt().mul_(plan[2 * k]).add_(_EPSILON)
            networks.flat.sub_((self._mean / root).mul_(plan[:k, None]))
            if self._constraint.after_step is not None:
                self._constraint.after_step(networks.weights, self._sizes)
            finite = torch.isfinite(value) & torch.isfinite(penalty)
            self.penalties += penalty
            here = torch.where(finite, len(self._plan), self.batches.step)
            torch.minimum(self.first_bad, here, out=self.first_bad)
            self.batches.advance()

    def _value(self, sample: SignedSample) -> Tensor:
        networks = self.networks
        if not isinstance(networks.template, SemiDiscreteNetwork):
            return self.values(sample)
        points, weights = (sample.x, sample.a) if self._forward_signs else (sample.y, sample.b)
        return dual_value(weights, networks(points), networks.buffers["mass"], networks.leaves["g"])

    def _penalty(self, z: Tensor) -> Tensor:
        """E[penalty(|grad h|)] of each network."""
        assert self._constraint.penalty is not None
        norms = gradient_norms(self.networks, z, create_graph=True)
        return self._constraint.penalty(norms.double()).mean(dim=-1)

    def _captured(self) -> Callable[[], None]:
        """The step as one graph of the card's own."""
        changed = [self.networks.flat, self._mean, self._square, self.penalties, self.first_bad, self.batches.step]
        changed += [self.networks.temperature, *self.networks.buffers.values()]
        self._plan[:, len(self._signs) :] = 1.0
        replay = captured(self._step, self._plan.device, lambda: changed, prepare=self._prepare)
        self._forget_distances()
        return replay

    def _prepare(self) -> None:
        self.batches.step.zero_()
        self._forget_distances()

    def _forget_distances(self) -> None:
        """What a network keeps from the last step: outside the graph it would be memory that the graph reads."""
        if isinstance(self.networks.template, SemiDiscreteNetwork):
            self.networks.template.train()
