"""One door to both comparisons: of tables, and of points."""

from __future__ import annotations

from typing import Any

from otdiv.comparison.all_distances import compare_all
from otdiv.drift import compare_tables
from otdiv.drift.raw_tables import is_frame


def compare(x: Any, y: Any, a: Any = None, b: Any = None, *, all: bool = False, **options: Any) -> Any:
    """How do two samples differ?  Tables: what changed; points: every distance in one table.

    Parameters
    ----------
    x, y : data frames (pandas, polars) or pyarrow tables; or array_like [n, d], [m, d], or DiscreteMeasure
    a, b : array_like [n], [m], optional
        Weights of points.
    all : bool
        Every distance for data frames too.
    **options
        Of :func:`otdiv.drift.compare_tables` for data frames without weights, else of :func:`compare_all`.

    Returns
    -------
    otdiv.drift.TableComparison or Comparison
        For data frames whether, how far and where they differ; for points all distances.

    Raises
    ------
    InvalidInput
        See the two functions.

    Examples
    --------
    >>> table = compare([0, 1, 2], [0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    >>> round(table["w1_primal"].value, 9), round(table["js"].value, 9)
    (0.7, 0.09056585)
    """
    if is_frame(x) and is_frame(y) and a is None and b is None and not all:
        return compare_tables(x, y, **options)
    return compare_all(x, y, a, b, **options)
