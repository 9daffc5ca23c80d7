"""The checks that every argument passes.

A message always says four things: which argument, what it must be, what came,
and what to do about it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Set, ValuesView
from types import MappingProxyType
from typing import Any

import numpy as np

from otdiv.errors import InvalidInput, MissingPackage

Array = np.ndarray


_LONGEST_RECEIVED = 300
"""Characters that an error quotes of what came."""


def invalid(subject: str, requirement: str, received: object, remedy: str) -> InvalidInput:
    """Build the standard error: subject, requirement, what came, what to do; one printable line whatever came."""
    came = str(received)
    if len(came) > _LONGEST_RECEIVED:
        came = f"{came[:_LONGEST_RECEIVED]}... ({len(came)} characters)"
    text = f"{subject} must {requirement}; got {came}. {remedy}"
    return InvalidInput("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def as_float_array(name: str, value: Any) -> Array:
    """Convert lists, integers, float32, pandas and torch input once to float64.

    Raises
    ------
    InvalidInput
        For text, complex, boolean, masked or object data, integers that float64
        cannot hold, and values that are not numbers.
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value
    _require_array_like(name, value)
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = _from_tensor(name, value)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise invalid(name, "have no masked entries", "a masked array", "Drop or fill the masked rows first.")
    if isinstance(value, list | tuple) and any(hasattr(entry, "detach") for entry in value):
        value = [_from_tensor(name, entry) if hasattr(entry, "detach") else entry for entry in value]
    try:
        array = np.asarray(value)
    except ValueError as problem:
        raise invalid(
            name, "be rectangular", f"rows of different lengths ({problem})", "Give every row the same length."
        ) from None
    if array.dtype == object:
        array = _from_objects(name, array)
    kind = array.dtype.kind
    if kind not in "fiu":
        raise invalid(name, "hold real numbers", f"dtype {array.dtype}", "Convert it to float64 as you mean it.")
    if kind in "iu" and array.size and max(abs(int(array.max())), abs(int(array.min()))) > 2**53:
        raise invalid(name, "fit into float64", "an integer beyond 2**53", "Subtract an offset or rescale first.")
    with np.errstate(over="ignore"):  # an extended float beyond the range becomes inf, refused where it matters
        return array.astype(np.float64)


def _from_tensor(name: str, tensor: Any) -> Array:
    """A torch tensor of any floating format as an array; bfloat16, which numpy lacks, as float32."""
    if "strided" not in str(getattr(tensor, "layout", "strided")):
        raise invalid(name, "be a dense tensor", f"a tensor of layout {tensor.layout}", "Pass its .to_dense().")
    tensor = tensor.detach()
    single = "bfloat16" in str(getattr(tensor, "dtype", ""))
    return np.asarray((tensor.float() if single else tensor).cpu().numpy())


def _require_array_like(name: str, value: Any) -> None:
    """Refuse what numpy would wrap as one object, with the call that makes an array of it.

    Raises
    ------
    InvalidInput
    """
    kind = type(value)
    if isinstance(value, Mapping):
        remedy = "Pass list(d.values()), and points as list(d)."
    elif isinstance(value, Set | Iterator | ValuesView):
        remedy = "Pass list(...) of it, in the order you mean."
    elif kind.__module__.startswith("scipy.sparse"):
        remedy = "Pass its .toarray()."
    elif hasattr(value, "collect") and not hasattr(value, "__array__"):  # a lazy frame of polars or dask
        remedy = "Pass its .collect()."
    else:
        return
    raise invalid(name, "be an array, a list or a data frame", f"a {kind.__name__}", remedy)


def _from_objects(name: str, array: Array) -> Array:
    """An array of Python objects (fractions, decimals, integers of any size) as float64."""
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = None
    if numbers is None or any(isinstance(value, str | bytes | bool | np.bool_) for value in array.flat):
        vectors = array.ndim == 1 and all(isinstance(value, list | tuple | np.ndarray) for value in array)
        found = "an object for each point" if vectors else "objects that are not numbers"
        raise invalid(
            name,
            "hold numbers only",
            found,
            "Stack the vectors: numpy.stack(...)." if vectors else "Select the numeric columns.",
        )
    if any(isinstance(value, int) and abs(value) > 2**53 for value in array.flat):
        raise invalid(name, "fit into float64", "an integer beyond 2**53", "Subtract an offset or rescale first.")
    return numbers


def is_sparse(value: Any) -> bool:
    """Whether this is a matrix of scipy.sparse; that package is not imported for it."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and sparse.issparse(value)


def require_finite(name: str, array: Array) -> None:
    """Refuse NaN and infinity, naming the first entry."""
    good = np.isfinite(array)
    if np.count_nonzero(good) < good.size:
        where = tuple(int(k) for k in np.argwhere(~good)[0])
        raise invalid(name, "be finite", f"{array[where]} at index {where}", "Remove or repair that entry.")


def readonly(array: Array) -> Array:
    """A private, read-only, C-ordered float64 copy."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


class ReadOnlyCopies:
    """Mixed into records: their arrays are read-only in pickled and copied ones too."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(getattr(self, "__dict__", {}))
        for kind in type(self).__mro__:
            state |= {name: getattr(self, name) for name in getattr(kind, "__slots__", ()) if hasattr(self, name)}
        views = [name for name, value in state.items() if isinstance(value, MappingProxyType)]  # which no pickle holds
        return _read_only_record, (type(self), state | {name: dict(state[name]) for name in views}, views)


def _read_only_record(kind: type, state: dict[str, Any], views: list[str]) -> Any:
    record: Any = object.__new__(kind)
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        object.__setattr__(record, name, MappingProxyType(value) if name in views else value)
    return record


def as_points(name: str, value: Any) -> Array:
    """Points as a read-only float64 array [n, d]; a 1-D array means points on the line.

    Raises
    ------
    InvalidInput
        Not 1-D or 2-D, empty, zero columns, NaN or infinity.
    """
    array = as_float_array(name, value)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise invalid(
            name, "have shape [n, d] or [n]", f"shape {array.shape}", "Reshape it so that each row is a point."
        )
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise invalid(
            name,
            "hold at least one point of at least one coordinate",
            f"shape {array.shape}",
            "Check where it was read.",
        )
    require_finite(name, array)
    return readonly(array)


def as_weights(name: str, value: Any, n: int) -> Array:
    """Non-negative weights [n] with positive, finite total; None is uniform 1/n.

    Raises
    ------
    InvalidInput
        Wrong length, negative, NaN, infinite, or all zero.
    """
    if value is None:
        weights = np.full(n, 1.0 / n)
        weights.flags.writeable = False
        return weights
    array = as_float_array(name, value)
    if array.ndim != 1 or array.shape[0] != n:
        raise invalid(
            name,
            f"have shape [{n}], one weight for each point",
            f"shape {array.shape}",
            "Pass one weight per point, or None for uniform weights.",
        )
    least, largest = np.minimum.reduce(array), float(np.maximum.reduce(array))  # NaN where one entry is
    if not (least >= 0 and 0 < largest * n < np.inf):
        _require_mass(name, array)
    return readonly(array)


def _require_mass(name: str, array: Array) -> None:
    """Refuse weights that are not finite, negative, or without a positive, finite total."""
    require_finite(name, array)
    if array.min() < 0:
        where = int(np.argmin(array))
        raise invalid(
            name,
            "be non-negative",
            f"{array[where]} at index {where}",
            "A measure has no negative mass; split signed data into two measures.",
        )
    with np.errstate(over="ignore"):
        total = array.sum()
    if not 0 < total < np.inf:
        raise invalid(
            name,
            "have a positive, finite total",
            f"total {total}",
            "Give at least one positive weight, and none so large that the sum overflows.",
        )


def as_rng(rng: Any) -> np.random.Generator:
    """A numpy generator from an int, a generator, or None (fresh entropy), as everywhere in SciPy (SPEC 7).

    Raises
    ------
    InvalidInput
        Anything else, and negative integers.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    whole = isinstance(rng, int | np.integer) and not isinstance(rng, bool)
    if rng is None or (whole and rng >= 0):
        return np.random.default_rng(rng)
    raise invalid("rng", "be a non-negative integer, a numpy Generator or None", repr(rng), "For example rng=0.")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if value not in choices:
        raise invalid(name, f"be one of {', '.join(choices)}", repr(value), "See the documentation for what each does.")
    return value


def optional_import(module: str, purpose: str, extra: str) -> Any:
    """Import an optional package inside the function that needs it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise MissingPackage(
            f"{purpose} needs the package {module}: install it with pip install 'otdiv[{extra}]' ({problem})."
        ) from None
