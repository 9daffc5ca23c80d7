"""The closed list of plain layers of which otdiv builds a network itself, and what a network of them may cost."""

from __future__ import annotations

import copy
from typing import Any

from otdiv.core.validation import invalid, optional_import

MOST_LAYERS = 1000
WITH_WEIGHTS: dict[str, tuple[str, ...]] = {
    "Linear": (),
    "Conv1d": ("stride", "padding"),
    "Conv2d": ("stride", "padding"),
    "LayerNorm": ("eps",),
    "GroupNorm": ("num_groups", "eps"),
}
"""Layers with weights, and what else describes them."""
WITHOUT_WEIGHTS: dict[str, tuple[str, ...]] = {
    "ReLU": (),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "Softplus": ("beta",),
    "SiLU": (),
    "GELU": (),
    "Tanh": (),
    "Sigmoid": (),
    "Identity": (),
    "Dropout": (),
    "Flatten": (),
    "Unflatten": ("unflattened_size",),
    "AvgPool2d": ("kernel_size", "stride"),
    "MaxPool2d": ("kernel_size", "stride"),
}
"""Layers without weights, and what describes them; a critic is evaluated without dropout."""
LAYERS = {**WITH_WEIGHTS, **WITHOUT_WEIGHTS}
MOST_ENTRIES = 2**24
"""Of a layer for one point (64 MiB of float32); networks for images of 1024 x 1024 stay below."""
MOST_WORK = 1e10
"""Multiplications for one point; a residual network of 50 layers for images of 224 x 224 takes 4e9."""
OF_EACH_AXIS = ("stride", "padding", "kernel_size", "unflattened_size")
"""Options that may be lists, one number for each axis."""
LARGEST_OPTION = 4096
"""Of strides, paddings and the like: larger ones would make arrays far larger than the file."""


def require_evaluable(network: Any, d: int, shape: tuple[int, ...] | None = None) -> int:
    """The entries of the largest layer for one point [d], or of this shape, found without computing any.

    Raises
    ------
    InvalidInput
        Layers that do not fit points of dimension d, or that need more memory or work than a critic honestly does.
    """
    torch = optional_import("torch", "Reading a critic", "torch")
    sizes, work = [d], 0
    z = torch.empty((1, *(shape or (d,))), device="meta")
    try:
        for layer in copy.deepcopy(network).to("meta"):
            z = layer(z)
            sizes.append(z.numel())
            weight = getattr(layer, "weight", None)
            work += z.numel() * (weight.numel() // max(1, len(weight)) if weight is not None else 1)
            if sizes[-1] > MOST_ENTRIES or work > MOST_WORK:
                raise invalid(
                    "critic",
                    f"have layers of at most {MOST_ENTRIES:,} entries and {MOST_WORK:.0g} multiplications a point",
                    f"{sizes[-1]:,} entries, {work:.2g} multiplications",
                    "Give its values at the points as two .npy files instead.",
                )
    except (RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError, NotImplementedError) as problem:
        reason = str(problem).strip().splitlines()[0][:150]
        raise invalid(
            "critic", f"take points of dimension {d}", f"an error ({reason})", "Check its input size."
        ) from None
    return max(sizes)


def flattened(module: Any, torch: Any) -> list[Any]:
    """The layers of nested sequences, in order."""
    if isinstance(module, torch.nn.Sequential):
        return [layer for part in module for layer in flattened(part, torch)]
    return [module]


def plain_name(layer: Any) -> str:
    """The class of a layer of the closed list; behind a parametrisation torch puts a class of its own."""
    for kind in type(layer).__mro__:
        plain = kind.__module__.startswith("torch.nn.modules") and kind.__name__ in LAYERS
        if plain and (type(layer) is kind or hasattr(layer, "parametrizations")):
            return kind.__name__
    raise invalid(
        "module",
        f"consist of {', '.join(LAYERS)}",
        type(layer).__name__,
        "Give the critic's values at the points as two .npy files instead.",
    )


def build(description: Any, weights: Any, torch: Any) -> Any:
    """The sequence of layers: sizes are those of the weights, so nothing is larger than the file."""
    if not isinstance(description, list) or not 1 <= len(description) <= MOST_LAYERS:
        raise ValueError(f"no list of 1 to {MOST_LAYERS} layers")
    if not isinstance(weights, dict) or not all(_is_weight(*item, torch) for item in weights.items()):
        raise ValueError("something other than non-empty named floating-point weights")
    layers = [_build_layer(k, entry, weights, torch) for k, entry in enumerate(description)]
    network = torch.nn.Sequential(*layers)
    network.load_state_dict(weights, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _is_weight(name: Any, value: Any, torch: Any) -> bool:
    if not isinstance(name, str) or type(value) is not torch.Tensor:
        return False
    return value.numel() > 0 and value.dtype in (torch.float32, torch.float64)


def _build_layer(k: int, entry: Any, weights: dict[str, Any], torch: Any) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("layer"), str):
        raise ValueError(f"layer {k} is no object with the key 'layer'")
    name, options = entry["layer"], {key: value for key, value in entry.items() if key != "layer"}
    if name not in LAYERS or not set(options) <= set(LAYERS[name]):
        raise ValueError(f"layer {k} is outside the closed list of layers and their options")
    for option, value in options.items():
        if isinstance(value, list) and option not in OF_EACH_AXIS:
            raise ValueError(f"layer {k} has a list for {option}")
        for number in value if isinstance(value, list) else [value]:
            if type(number) not in (int, float) or not 0 <= number <= LARGEST_OPTION:
                raise ValueError(f"layer {k} has {option} outside [0, {LARGEST_OPTION}]")
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    if name == "Unflatten":
        return torch.nn.Unflatten(1, options["unflattened_size"])
    if name == "Dropout":
        return torch.nn.Identity()
    kind = getattr(torch.nn, name)
    if name not in WITH_WEIGHTS:
        return kind(**options)
    weight, bias = weights.get(f"{k}.weight"), f"{k}.bias" in weights
    if weight is None:
        raise ValueError(f"layer {k} has no weights in the file")
    shape = tuple(weight.shape)
    if name == "LayerNorm":
        return kind(shape, bias=bias, device="meta", **options)
    if name == "GroupNorm":
        return kind(num_channels=shape[0], device="meta", **options)
    if name == "Linear":
        outputs, inputs = shape
        return kind(inputs, outputs, bias=bias, device="meta")
    outputs, inputs, *kernel = shape
    return kind(inputs, outputs, tuple(kernel), bias=bias, device="meta", **options)
