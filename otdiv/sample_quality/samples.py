"""The samples that are judged: arrays, or what a torch module or a function generates; and their units."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_points, check_choice, invalid
from otdiv.errors import InvalidInput

UNITS = ("raw", "standard deviations")
"""Raw: distances in the unit of the points.  Standard deviations: every column in those of the real sample."""


def as_samples(real: Any, generated: Any, *, n: int | None = None, rng: np.random.Generator) -> tuple[Array, Array]:
    """Real points [n, d], and as many generated ones where a generator is given.

    Parameters
    ----------
    real : array_like [n, d]
    generated : array_like [m, d], torch.nn.Module, or callable
        A module or a function of one argument gets standard normal noise z [n, latent]; a function of two gets
        (rng, n).  A module is called in evaluation mode and without gradients, and left as it was.
    n : int, optional
        Points to generate; None: as many as real ones.
    rng : numpy.random.Generator

    Raises
    ------
    InvalidInput
        NaN, different dimensions, a generator whose input size is not known, or one that returns something else.
    """
    x = as_points("real", real)
    y = as_points("generated", draw(generated, len(x) if n is None else n, rng) if callable(generated) else generated)
    if x.shape[1] != y.shape[1]:
        came = f"{y.shape[1]} columns, where real has {x.shape[1]}"
        raise invalid("generated", "have the columns of real", came, "Select the same columns.")
    return x, y


def draw(generator: Callable[..., Any], n: int, rng: np.random.Generator) -> Array:
    """n points of a generator: f(rng, n), f(z) with standard normal z [n, latent], or a torch module of z.

    Raises
    ------
    InvalidInput
        If the number of inputs cannot be found, or other than n points came.
    """
    if hasattr(generator, "state_dict") and hasattr(generator, "parameters"):
        made = _draw_from_module(generator, n, rng)
    elif len(_arguments(generator)) == 2:
        made = generator(rng, n)
    elif len(_arguments(generator)) == 1:
        made = generator(rng.standard_normal((n, _latent(generator))))
    else:
        came = f"a function of {len(_arguments(generator))} arguments"
        raise invalid("generated", "be points, a torch module, or a function f(rng, n) or f(z)", came, "Wrap it.")
    points = as_points("generated", made)
    if len(points) != n:
        raise invalid("generated", f"return the {n} points asked for", f"{len(points)}", "One row for each point.")
    return points


def _arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the positional arguments without default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [p.name for p in parameters if p.kind in kinds and p.default is p.empty]


def _latent(function: Any) -> int:
    """The attribute ``latent`` of a generator: the number of its noise variables."""
    latent = getattr(function, "latent", None)
    if isinstance(latent, bool) or not isinstance(latent, int) or latent < 1:
        raise invalid(
            "generated",
            "say how many noise variables it takes, as an attribute latent",
            repr(latent),
            "Set generator.latent = 2, or pass a function f(rng, n).",
        )
    return latent


def _draw_from_module(module: Any, n: int, rng: np.random.Generator) -> Array:
    torch = sys.modules["torch"]  # a module of it was handed over
    parameter = next(iter(module.parameters()), None)
    latent = getattr(module, "latent", None)
    if latent is None:
        first = next((part for part in module.modules() if isinstance(part, torch.nn.Linear)), None)
        latent = None if first is None else first.in_features
    if latent is None:
        raise invalid("generated", "have a linear layer or an attribute latent", type(module).__name__, "Set latent.")
    noise = torch.as_tensor(rng.standard_normal((n, int(latent))))
    if parameter is not None:
        noise = noise.to(device=parameter.device, dtype=parameter.dtype)
    training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            made = module(noise)
    except RuntimeError as problem:
        raise InvalidInput(f"generated failed on noise of shape [{n}, {latent}]: {problem}") from None
    finally:
        for part, mode in training.items():
            part.training = mode
    return np.asarray(made.detach().to("cpu", torch.float64).numpy()).reshape(n, -1)


def unit_of(real: Array, units: str) -> Array:
    """By what every column is divided [d]: 1, or the standard deviation of the real sample; 1 where that is 0.

    Raises
    ------
    InvalidInput
        Other units.
    """
    check_choice("units", units, UNITS)
    if units == "raw":
        return np.ones(real.shape[1])
    constant = np.ptp(real, axis=0) == 0
    return np.where(constant, 1.0, real.std(axis=0))
