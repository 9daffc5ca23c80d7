"""What a critic returned, as one float64 value for each point, and how finely it was computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from otdiv.core.validation import Array, invalid

LARGEST_VALUE = 1e140
"""Of values and gradients of a critic; float64 does not hold sums of squares of larger ones."""
DOUBLE, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)
"""Relative resolution of numbers of 8 and of 4 bytes."""


def selected(out: Any, output: int | str | None) -> Any:
    """The one output that counts, of a critic that may return several.

    Parameters
    ----------
    out : anything
    output : int or str, optional
        Position in a tuple or list, or key of a dict.

    Raises
    ------
    InvalidInput
        Several outputs and none selected, a position or key that is not there, or nothing returned.
    """
    if out is None:
        raise invalid("critic", "return one value a point", "None", "Return the values from its forward.")
    if isinstance(out, Mapping):
        keys = ", ".join(repr(key) for key in out)
        if output is None:
            first = next(iter(out), "name")
            raise invalid("critic", "return one value a point", f"a dict with {keys}", f"Pass output={first!r}.")
        if output not in out:
            raise invalid("output", f"be one of {keys}", repr(output), "Name a key of the dict.")
        return out[output]
    if isinstance(out, tuple | list) and not (output is None and _is_flat(out)):
        kind = f"a {type(out).__name__} of {len(out)}"
        if output is None:
            raise invalid("critic", "return one value a point", kind, "Pass output=0 for the first.")
        if not isinstance(output, int) or not -len(out) <= output < len(out):
            raise invalid("output", f"be a position in {kind}", repr(output), "Count from 0.")
        return out[output]
    if output is not None and not isinstance(out, tuple | list):
        raise invalid("output", "be left out", repr(output), "The critic returns one output only.")
    return out


def _is_flat(out: tuple[Any, ...] | list[Any]) -> bool:
    """Whether a list is the values themselves."""
    return all(isinstance(value, int | float | np.number) for value in out)


def as_array(out: Any) -> Array:
    """Numbers of a tensor or array, of any format, as they are; bfloat16, which numpy lacks, as float32."""
    if hasattr(out, "detach"):
        out = out.detach()
        return np.asarray((out.float() if "bfloat16" in str(out.dtype) else out).cpu().numpy())
    return np.asarray(out)


def resolution(out: Any) -> float:
    """Relative distance of neighbouring numbers in the format of these values.

    Values of float64 that all are numbers of float32 were computed there, unless they are whole.

    Parameters
    ----------
    out : tensor or array
    """
    kind = str(getattr(out, "dtype", ""))
    for name, relative in (("bfloat16", 2.0**-7), ("float16", 2.0**-10), ("float32", SINGLE)):
        if name in kind:
            return relative
    values = as_array(out).astype(np.float64)
    with np.errstate(over="ignore"):
        single = values.astype(np.float32).astype(np.float64)
    fine = values[np.isfinite(values)]
    return SINGLE if len(fine) > 1 and np.array_equal(single, values) and (fine != np.round(fine)).any() else DOUBLE


def one_value_a_point(out: Any, k: int) -> Array:
    """Values [k] of an output of shape [k] or [k, 1]; of one point also a number.

    Raises
    ------
    InvalidInput
        Another shape, or values beyond ``LARGEST_VALUE``.
    """
    try:
        values = as_array(out)
        if np.iscomplexobj(values):
            raise TypeError("complex")
        flat = held(values.astype(np.float64), "values")
    except (TypeError, ValueError):
        raise invalid("critic", "return numbers", type(out).__name__, "Return one value a point.") from None
    if flat.shape not in ((k,), (k, 1)) and not (k == 1 and flat.size == 1):
        raise invalid(
            "critic",
            "return one value a point, shape [k] or [k, 1]",
            f"shape {flat.shape} for k = {k}",
            "Select one output.",
        )
    return flat.reshape(k)


def held(out: Array, what: str) -> Array:
    """Values or gradients whose squares float64 holds.

    Raises
    ------
    InvalidInput
    """
    largest = float(np.abs(out).max(initial=0.0))
    if largest > LARGEST_VALUE and largest < np.inf:
        raise invalid("critic", f"return {what} within {LARGEST_VALUE:g}", f"{largest:.3g}", "Check its weights.")
    return out
