"""Points that come in batches: DataLoaders, data sets and other iterables, collected up to a limit that is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.measures.discrete import DiscreteMeasure

MOST_POINTS = 10_000
"""Points taken of an iterable by default; more of them take longer to compare exactly."""


def is_stream(points: Any) -> bool:
    """Whether points come in batches: an iterable that is neither an array, a table, a list nor a measure.

    A data set with positions only (``__getitem__`` and ``__len__``, as torch's) is one as well.
    """
    if isinstance(points, DiscreteMeasure | list | tuple | str | bytes | Mapping):
        return False
    if any(hasattr(points, name) for name in ("shape", "__array__", "__dataframe__")):
        return False
    return hasattr(points, "__iter__") or (hasattr(points, "__getitem__") and hasattr(points, "__len__"))


def collect(name: str, stream: Any, most: int = MOST_POINTS) -> tuple[Array, str]:
    """The first points of an iterable of batches [k, ...], in single arrays, and a sentence that counts them.

    Of a batch that is a tuple or list, such as (images, labels), the first entry is taken, and that is said.

    Parameters
    ----------
    name : str
    stream : iterable of arrays, tensors, or tuples of them
        A data set without iteration gives its items by position; each of them is one point.
    most : int
        Points at which it ends; no more than the batch that reaches it is drawn.

    Returns
    -------
    points : ndarray [n, ...]
    said : str

    Raises
    ------
    InvalidInput
        Nothing in it, a batch that is a mapping or no array, or batches of different shapes.
    """
    if any(kind.__name__ == "IterableDataset" for kind in type(stream).__mro__):
        remedy = "Pass torch.utils.data.DataLoader(data, batch_size=256)."
        raise invalid(name, "give batches [k, ...]", "an IterableDataset, which gives single points", remedy)
    by_position = not hasattr(stream, "__iter__")
    blocks: list[Array] = []
    count = batches = 0
    first_of_several = False
    for batch in _items(stream) if by_position else _iterated(stream):
        if isinstance(batch, Mapping):
            keys = ", ".join(repr(key) for key in batch)
            remedy = f"Pass (batch[{next(iter(batch), 'name')!r}] for batch in loader)."
            raise invalid(name, "give arrays", f"a mapping with {keys}", remedy)
        if isinstance(batch, tuple | list) and len(batch) and not np.isscalar(batch[0]):
            batch, first_of_several = batch[0], True
        block = as_float_array(f"a batch of {name}", batch)
        block = block[None] if by_position else block
        if block.ndim < 2:
            remedy = "Stack points to [k, d]; on the line reshape them to [k, 1]."
            raise invalid(name, "give batches [k, d] or [k, ...]", f"shape {block.shape[int(by_position) :]}", remedy)
        if block.shape[1:] != (blocks[0] if blocks else block).shape[1:]:
            before = blocks[0].shape[1:] if blocks else "[k, ...]"
            raise invalid(name, "give batches of one shape", f"{block.shape[1:]} after {before}", "Crop or scale them.")
        blocks.append(block[: most - count])
        count, batches = count + len(blocks[-1]), batches + 1
        if count >= most:
            break
    if not count:
        raise invalid(name, "give points", "none", "An iterator that was used before is empty: make a new one.")
    whole = f"{name}: {_grouped(count)} points of {_grouped(batches)} {'items' if by_position else 'batches'}"
    said = (
        f"{whole}, the limit of {_grouped(most)}: others are left out" if count >= most else f"{whole}, all there are"
    )
    return np.concatenate(blocks), said + (", of each the first entry." if first_of_several else ".")


def _grouped(number: int) -> str:
    """Digits in groups of three."""
    return f"{number:,}".replace(",", " ")


def _iterated(stream: Iterable[Any]) -> Iterator[Any]:
    yield from stream


def _items(data: Any) -> Iterator[Any]:
    for k in range(len(data)):
        yield data[k]
