"""Row labels (the index of a pandas Series or data frame): which row is meant, whatever its position.

``value_counts`` sorts by frequency, filters leave gaps, groups come in any order: two such series hold
the masses of the same atoms at different positions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import invalid

_MOST_SHOWN = 3
"""Labels of each side that an error shows."""


def row_labels(rows: Any) -> Any | None:
    """The index of a pandas Series or frame, or None where there is none."""
    index = getattr(rows, "index", None)
    if index is None or callable(index) or not hasattr(index, "get_indexer") or not hasattr(rows, "iloc"):
        return None
    return index


def in_order_of(rows: Any, other: Any, names: tuple[str, str], remedy: str) -> Any:
    """``other`` with its rows in the order of those of ``rows``, matched by label where both have labels.

    Parameters
    ----------
    rows, other : array_like
        Without labels on both sides, ``other`` comes back as it is.
    names : tuple of str
        What to call them in an error.
    remedy : str
        For labels that differ.

    Raises
    ------
    InvalidInput
        The labels are not the same, or some occur twice in an order that differs.
    """
    here, there = row_labels(rows), row_labels(other)
    if here is None or there is None or here.equals(there):
        return other
    subject = " and ".join(names)
    if not (here.is_unique and there.is_unique):
        received = "an index with a label twice, in an order that differs"
        raise invalid(subject, "have the same index", received, "Group equal labels, or pass .to_numpy() of both.")
    place = there.get_indexer(here)
    if len(here) != len(there) or np.any(place < 0):
        sides = [_shown(one.difference(two)) for one, two in ((here, there), (there, here))]
        only = [f"{side} only in {name}" for side, name in zip(sides, names, strict=True) if side]
        raise invalid(subject, "have the same index", " and ".join(only), remedy)
    return other.iloc[place]


def _shown(labels: Any) -> str:
    first = ", ".join(repr(label) for label in labels[:_MOST_SHOWN].tolist())
    return first + (" and more" if len(labels) > _MOST_SHOWN else "")
