"""The samples that are judged: arrays, or what a torch module or a function generates; and their units."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_points, check_choice, invalid
from otdiv.errors import InvalidInput
from otdiv.measures.arguments import as_measure
from otdiv.measures.discrete import DiscreteMeasure, with_same_columns

UNITS = ("raw", "standard deviations")
"""Raw: distances in the unit of the points.  Standard deviations: every column in those of the real sample."""


def as_sample(name: str, points: Any, like: DiscreteMeasure | None = None, of: str = "real") -> DiscreteMeasure:
    """Points that all count the same, their columns in the order of ``like``'s where both have names.

    Parameters
    ----------
    name : str
        For messages.
    points : array_like [n, d], data frame or DiscreteMeasure
    like : DiscreteMeasure, optional
        The sample whose columns these have to be, called ``of``.

    Raises
    ------
    InvalidInput
        NaN, weights that differ, other columns.
    """
    measure = as_measure(name, points)
    if np.ptp(measure.weights) > 0:
        remedy = "Pass the sample itself."
        raise invalid(name, "be points that count the same", "a DiscreteMeasure whose weights differ", remedy)
    if like is None:
        return measure
    if measure.d != like.d:
        came = f"{measure.d} columns, where {of} has {like.d}"
        raise invalid(name, f"have the columns of {of}", came, "Select the same columns.")
    return with_same_columns(like, measure)


def as_pair(real: Any, generated: Any) -> tuple[Array, Array]:
    """Real points [n, d] and generated ones [m, d], columns matched by name where both have names.

    Raises
    ------
    InvalidInput
        NaN, weights that differ, other columns.
    """
    like = as_sample("real", real)
    return like.points, as_sample("generated", generated, like).points


def is_generator(value: Any) -> bool:
    """Whether ``value`` makes points rather than holds them: it can be called, or has ``sample(n, rng)``."""
    holds = isinstance(value, DiscreteMeasure) or hasattr(value, "__array__")  # data frames have a method sample, too
    return not holds and (callable(value) or callable(getattr(value, "sample", None)))


def draw(generator: Any, n: int, rng: np.random.Generator) -> Array:
    """n points of a generator: sample(n, rng), f(rng, n), f(z) with normal z [n, latent], or a torch module of z.

    A module is called in evaluation mode and without gradients, and left as it was.

    Raises
    ------
    InvalidInput
        If the number of inputs cannot be found, or other than n points came.
    """
    if hasattr(generator, "state_dict") and hasattr(generator, "parameters"):
        made = _draw_from_module(generator, n, rng)
    elif callable(getattr(generator, "sample", None)):
        made = generator.sample(n, rng)
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
