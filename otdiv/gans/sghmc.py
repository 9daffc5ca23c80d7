"""Stochastic gradient Hamiltonian Monte Carlo: samples of a posterior from noisy gradients of its logarithm."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from otdiv.core.validation import invalid

ROOT_FLOOR = 1e-8
"""Least root of a mean squared gradient in the preconditioner, so that a weight without gradient stays in place."""


class SGHMC(torch.optim.Optimizer):
    """Sampler with friction: v <- (1 - a) v - e M^-1 grad U + N(0, 2 a e T M^-1), theta <- theta + v.

    U(theta) = -log p(theta | data) with gradients from a batch that stands for all data.  For a small step e the
    weights are distributed as exp(-U / T).

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        e, the step size: the squared step of the Hamiltonian dynamics.  A group whose "lr" is a positive tensor keeps
        everything of its steps on the device of that tensor.
    friction : float
        a in (0, 1]; 1 is Langevin dynamics.
    temperature : float
        T >= 0; 1 samples the posterior, 0 is gradient descent with momentum.
    precondition : bool
        Whether M^-1 is the inverse root of the running mean of squared gradients (as in Adam), with which networks of
        unlike layers need one step size only.  While it still moves the samples are approximate; else M = 1.
    generator : torch.Generator, optional
        Of the noise.

    Notes
    -----
    T. Chen, E. Fox and C. Guestrin, Stochastic gradient Hamiltonian Monte Carlo, ICML 2014, equation 15.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        friction: float = 0.1,
        temperature: float = 1.0,
        precondition: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        if not 0 < friction <= 1:
            raise invalid("friction", "lie in (0, 1]", repr(friction), "1 is Langevin dynamics.")
        if not (0 <= temperature < math.inf and 0 < lr < math.inf):
            came = f"lr = {lr!r}, temperature = {temperature!r}"
            raise invalid("lr and temperature", "be a positive number and one >= 0", came, "1 samples the posterior.")
        super().__init__(
            params, {"lr": lr, "friction": friction, "temperature": temperature, "precondition": precondition}
        )
        self.generator = generator

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients that backward() left."""
        for group in self.param_groups:
            rate, friction, temperature = group["lr"], group["friction"], group["temperature"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                kept = self.state[weight]
                if not kept:
                    kept["velocity"] = torch.zeros_like(weight)
                    kept["steps"] = torch.zeros((), device=weight.device) if isinstance(rate, Tensor) else 0
                    if group["precondition"]:
                        kept["square"] = torch.zeros_like(weight)
                kept["steps"] += 1
                mass = self._inverse_mass(kept, weight.grad) if group["precondition"] else torch.ones_like(weight)
                velocity = kept["velocity"].mul_(1 - friction)
                if isinstance(rate, Tensor):
                    velocity.sub_(rate * mass * weight.grad)
                    if temperature > 0:
                        deviation = (2 * friction * temperature * rate * mass).sqrt()
                        velocity.addcmul_(deviation, self._noise(weight))
                else:
                    velocity.addcmul_(mass, weight.grad, value=-rate)
                    if temperature > 0 and rate > 0:
                        scale = math.sqrt(2 * friction * rate * temperature)
                        velocity.addcmul_(mass.sqrt(), self._noise(weight), value=scale)
                weight.add_(velocity)

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator, device=like.device, dtype=like.dtype)

    @staticmethod
    def _inverse_mass(kept: dict[str, Any], gradient: Tensor, decay: float = 0.99) -> Tensor:
        square = kept["square"].mul_(decay).addcmul_(gradient, gradient, value=1 - decay)
        return 1 / (square / (1 - decay ** kept["steps"])).sqrt().clamp_min(ROOT_FLOOR)
