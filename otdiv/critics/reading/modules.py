"""A torch module as a critic: in evaluation mode, on its own device, in its own format, a block of points at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, invalid, optional_import
from otdiv.critics.reading.critic import Critic, Network, failed, require_function
from otdiv.critics.reading.outputs import held, one_value_a_point, resolution, selected
from otdiv.critics.reading.shaped_points import Shape

_LAYER_UNITS, _LAYER_ENTRIES = 1024, 2**22
"""Units of a wide layer, and values of such a layer computed at a time (32 MiB of float64)."""


def critic_of_module(
    module: Any,
    d: int,
    name: str,
    units: int | None = None,
    output: int | str | None = None,
    shape: Shape | None = None,
) -> Critic:
    """A torch module as a critic.

    Parameters
    ----------
    module : torch.nn.Module
    d : int
        Dimension of the points.
    name : str
        What the report calls it.
    units : int, optional
        Entries of its largest layer for one point, about; without them one point is evaluated to find them.
    output : int or str, optional
        Which of several outputs counts.
    shape : tuple of int, optional
        Of one point as the module takes it.

    Raises
    ------
    InvalidInput
        As :func:`read_critic`.
    """
    torch = optional_import("torch", "Reading a critic", "torch")
    notes = _require_ready(module, torch)
    parameters = list(module.parameters())
    like = parameters[0] if parameters else torch.zeros(1)
    dtype = like.dtype if like.dtype.is_floating_point else torch.float32

    def tensor(z: Array) -> Any:
        return torch.tensor(np.array(z), dtype=dtype, device=like.device)

    def forward(points: Any) -> Any:
        return selected(module(points if shape is None else points.reshape(len(points), *shape)), output)

    def values(z: Array) -> Array:
        with evaluating(module), torch.no_grad():
            parts = [
                one_value_a_point(forward(tensor(z[rows])), rows.stop - rows.start)
                for rows in row_blocks(len(z), units or _LAYER_UNITS, _LAYER_ENTRIES)
            ]
        return np.concatenate(parts)

    def gradients(z: Array) -> Array:
        parts = []
        # within a caller's no_grad or inference_mode as well
        with evaluating(module), torch.inference_mode(False), torch.enable_grad():
            for rows in row_blocks(len(z), units or _LAYER_UNITS, _LAYER_ENTRIES):
                leaf = tensor(z[rows]).requires_grad_(True)
                parts.append(torch.autograd.grad(forward(leaf).sum(), leaf)[0].double().cpu().numpy())
        return held(np.concatenate(parts), "gradients")

    if units is None:
        with evaluating(module), torch.no_grad():
            units = _largest_layer(module, lambda: forward(tensor(np.zeros((1, d)))), d)
    fine = resolution(torch.zeros(1, dtype=dtype))
    critic = Critic(name, values, gradients, None, fine, notes, Network(module))
    require_function(critic, d)
    try:
        gradients(np.zeros((1, d)))
    except RuntimeError as problem:
        if "does not require grad" not in str(problem) and "not have been used" not in str(problem):
            raise failed(d, problem) from None
        return replace(critic, gradients=None, notes=(*notes, "It has no gradients: judged by its values alone."))
    return critic


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Evaluation mode inside the block, without dropout and the like; the module's mode is restored afterwards."""
    training = bool(getattr(module, "training", False))
    exported = type(module).__name__.startswith("GraphModule")  # an exported program has one mode only
    if training and not exported:
        module.eval()
    try:
        yield
    finally:
        if training and not exported:
            module.train()


def _require_ready(module: Any, torch: Any) -> tuple[str, ...]:
    """What is to be said of a module's state; one whose values are no function of a point, or missing, is refused."""
    normalised = False
    for name, part in module.named_modules():
        kind = getattr(part, "original_name", type(part).__name__)
        if "BatchNorm" in kind:
            normalised = True
            if part.training or getattr(part, "running_mean", True) is None:
                raise invalid(
                    "critic",
                    "have no batch normalisation in training",
                    f"{kind} at {name or 'the top'}, by which f(x) depends on the other points of the batch",
                    "Call module.eval() if it was trained so; better train without, or with layer normalisation.",
                )
    for name, weight in (*module.named_parameters(), *module.named_buffers()):
        if torch.nn.parameter.is_lazy(weight):
            remedy = "Give it one batch of points first: module(points)."
            raise invalid("critic", "have weights", f"{name} of a lazy layer, which has no size yet", remedy)
        if weight.is_meta:
            remedy = "Load its state with module.load_state_dict(state, assign=True)."
            raise invalid("critic", "have weights", f"{name} on the meta device, without values", remedy)
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            remedy = "Train again with a smaller step."
            raise invalid("critic", "have finite weights", f"NaN or infinity in {name}", remedy)
    notes = []
    if normalised:
        notes.append("Its batch normalisation is in evaluation mode: checked, values do not depend on the batch.")
    if getattr(module, "training", False) and any("Dropout" in type(part).__name__ for part in module.modules()):
        notes.append("The module was in training mode; it is judged in evaluation mode, without dropout.")
    return tuple(notes)


def _largest_layer(module: Any, evaluate: Callable[[], Any], d: int) -> int:
    """Entries of the largest output of a layer for one point, seen by hooks while it is evaluated."""
    sizes = [_LAYER_UNITS, d]

    def record(layer: Any, inputs: Any, out: Any) -> None:
        for part in out if isinstance(out, tuple | list) else (out,):
            if hasattr(part, "numel"):
                sizes.append(int(part.numel()))

    hooks = []
    for part in module.modules():
        with suppress(RuntimeError):  # of a script, which has no hooks
            hooks.append(part.register_forward_hook(record))
    try:
        evaluate()
    except Exception:  # what is wrong is said by the check that follows
        return max(sizes)
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes)
