"""Discrete measures: finitely many weighted points, from wherever they come.

Every distance and divergence takes them.  Reading files is in
:mod:`otdiv.measures.files`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.rounding import total
from otdiv.core.validation import (
    Array,
    ReadOnlyCopies,
    as_float_array,
    as_points,
    as_weights,
    invalid,
    require_finite,
)
from otdiv.measures.row_labels import in_order_of

MASS_TOLERANCE = 1e-9
"""Relative difference of two total masses, or of one from 1, up to which they count as equal; a larger one
accepts weights that are rounded more coarsely, and makes the mass that is ignored larger."""
_REMEDY = "Give both one index; or pass .to_numpy() of both to match them by position."


@dataclass(frozen=True, eq=False)
class DiscreteMeasure(ReadOnlyCopies):
    """The measure sum_i weights[i] * delta(points[i]).

    Parameters
    ----------
    points : array_like [n, d] or [n]
        Support points; a 1-D array means n points on the line.  Repeated points are allowed.
    weights : array_like [n], optional
        Non-negative masses with a positive total; None is uniform, 1/n each.  Zero weights are kept.  Where points
        and weights are both of pandas, rows are matched by their index.
    names : tuple of str, optional
        Of the columns; those of a data frame by default.  Where two measures both have names, columns are matched
        by name, whatever their order.

    Raises
    ------
    InvalidInput
        Empty, NaN or infinite points; negative, NaN or all-zero weights; lengths that differ.

    Examples
    --------
    >>> mu = DiscreteMeasure([0.0, 1.0, 2.0], [0.5, 0.3, 0.2])
    >>> mu
    DiscreteMeasure(n=3, d=1, mass=1)
    """

    points: Array
    weights: Array = None  # type: ignore[assignment]  # None is replaced by uniform weights on construction
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names = _names_of(self.points) if self.names is None else self.names
        weights = in_order_of(self.points, self.weights, ("points", "weights"), _REMEDY)
        points = as_points("points", self.points)
        if names is not None and len(names) != points.shape[1]:
            raise invalid("names", f"be {points.shape[1]}, one for each column", f"{len(names)}", "Name every column.")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "weights", as_weights("weights", weights, len(points)))

    @classmethod
    def from_samples(cls, samples: Any, weights: Any = None) -> DiscreteMeasure:
        """Empirical measure of samples [n, d] (or [n] on the line), uniform unless weighted."""
        weights = in_order_of(samples, weights, ("samples", "weights"), _REMEDY)
        return cls(as_points("samples", samples), weights, _names_of(samples))

    @classmethod
    def from_pmf(cls, points: Any, pmf: Any) -> DiscreteMeasure:
        """Probability mass function on given points; its total must be 1 within 1e-9."""
        measure = cls._named(points, "pmf", pmf)
        require_mass_one(measure.mass, "pmf", "Divide it by its sum, or use from_counts.")
        return measure

    @classmethod
    def from_counts(cls, points: Any, counts: Any, *, normalize: bool = True) -> DiscreteMeasure:
        """Counts on given points; divided by their total unless ``normalize=False``."""
        measure = cls._named(points, "counts", counts)
        return measure.normalized() if normalize else measure

    @classmethod
    def _named(cls, points: Any, name: str, weights: Any) -> DiscreteMeasure:
        """The measure, its weights called ``name`` in errors and not optional."""
        weights = in_order_of(points, weights, ("points", name), _REMEDY)
        support = as_points("points", points)
        if weights is None:
            raise invalid(name, "be given", "None", "Pass one number per point, or use from_samples.")
        return cls(support, as_weights(name, weights, len(support)))

    @classmethod
    def from_histogram(cls, counts: Any, edges: Any, *, normalize: bool = True) -> DiscreteMeasure:
        """Histogram as masses at the bin centres.

        Parameters
        ----------
        counts : array_like [k] or [k1, ..., kd]
            Non-negative bin counts, as numpy.histogram or numpy.histogramdd return them.
        edges : array_like [k + 1], or a sequence of d such arrays
            Strictly increasing bin edges.
        normalize : bool
            Divide by the total (the default), or keep the counts as masses.
        """
        table = as_float_array("counts", counts)
        given = [edges] if table.ndim < 2 else list(edges) if np.iterable(edges) else [edges]
        axes = [as_float_array("edges", e) for e in given]
        if len(axes) != table.ndim:
            raise invalid(
                "edges",
                f"hold {table.ndim} arrays, one for each axis of counts",
                f"{len(axes)}",
                "Pass what numpy.histogramdd returned.",
            )
        for size, e in zip(table.shape, axes, strict=True):
            require_finite("edges", e)
            if e.ndim != 1 or len(e) != size + 1 or not np.all(e[1:] > e[:-1]):
                raise invalid(
                    "edges",
                    f"be strictly increasing of length {size + 1}, one more than the bins",
                    f"shape {e.shape}" if e.shape != (size + 1,) else "edges that do not increase",
                    "Pass bin edges, not centres.",
                )
        centres = np.meshgrid(*[e[:-1] / 2 + e[1:] / 2 for e in axes], indexing="ij")
        if table.size == 0:
            raise invalid("counts", "hold at least one bin", f"shape {table.shape}", "Check where it was read.")
        points = np.stack([c.ravel() for c in centres], axis=1)
        return cls.from_counts(points, table.ravel(), normalize=normalize)

    @classmethod
    def from_image(cls, image: Any, *, normalize: bool = False) -> DiscreteMeasure:
        """Grey image [h, w] as masses on the pixel grid, points (row, column).

        Raises
        ------
        InvalidInput
            If the array is not 2-D: a colour image has to be turned to grey first.
        """
        grey = as_float_array("image", image)
        if grey.ndim != 2 or grey.size == 0:
            raise invalid(
                "image",
                "be a grey image of shape [h, w]",
                f"shape {grey.shape}",
                "Convert a colour image to grey first.",
            )
        rows, columns = np.indices(grey.shape)
        points = np.stack([rows.ravel(), columns.ravel()], axis=1)
        measure = cls._named(points, "image", grey.ravel())
        return measure.normalized() if normalize else measure

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.points.shape[1]

    @cached_property
    def mass(self) -> float:
        """Total mass, the sum of the weights."""
        return total(self.weights)

    def normalized(self) -> DiscreteMeasure:
        """The same shape with mass 1."""
        return DiscreteMeasure(self.points, self.weights / self.mass, self.names)

    def push_forward(self, transform: Callable[[Array], Any], *, merge: bool = True) -> DiscreteMeasure:
        """Image measure T#mu: mass moves along ``transform``, a map of points [n, d] to [n, k].

        Points that land together are merged unless ``merge=False``.

        Raises
        ------
        InvalidInput
            If the map does not return one point for each point.
        """
        moved = as_points("transform(points)", transform(self.points))
        if len(moved) != self.n:
            raise invalid(
                "transform",
                f"return one point for each of the {self.n} points",
                f"{len(moved)}",
                "Map the whole array [n, d] to [n, k].",
            )
        image = DiscreteMeasure(moved, self.weights)
        return image.merged() if merge else image

    def merged(self) -> DiscreteMeasure:
        """The same measure with each distinct point once, in lexicographic order."""
        points, which = distinct_rows(self.points)
        return DiscreteMeasure(points, np.bincount(which, weights=self.weights, minlength=len(points)))

    def __repr__(self) -> str:
        return f"DiscreteMeasure(n={self.n}, d={self.d}, mass={self.mass:.6g})"


def distinct_rows(points: Array) -> tuple[Array, Array]:
    """Distinct rows in lexicographic order, and for each row its place among them."""
    unsigned = points + 0.0  # -0.0 becomes 0.0, the same point
    if points.shape[1] == 1:
        values, which = np.unique(unsigned[:, 0], return_inverse=True)
        return values[:, None], which
    distinct, which = np.unique(unsigned, axis=0, return_inverse=True)
    return distinct, which.reshape(-1)


def require_mass_one(mass: float, subject: str, remedy: str) -> None:
    """Refuse a total mass that differs from 1 by more than 1e-9.

    Parameters
    ----------
    mass : float
    subject, remedy : str
        What is refused, such as "the weights of x", and what to do, for the message.

    Raises
    ------
    InvalidInput
    """
    if not abs(mass - 1) <= MASS_TOLERANCE:
        raise invalid(subject, "sum to 1", f"{mass:.10g}", remedy)


def _names_of(points: Any) -> tuple[str, ...] | None:
    """The names of a data frame's columns, if it has such."""
    columns = getattr(points, "columns", None)
    if columns is None or np.ndim(points) != 2:
        return None
    return tuple(columns) if all(isinstance(name, str) for name in columns) else None


def with_same_columns(mu: DiscreteMeasure, nu: DiscreteMeasure) -> DiscreteMeasure:
    """``nu`` with its columns in the order of ``mu``'s, matched by name where both have names.

    Raises
    ------
    InvalidInput
        Different numbers of columns, or different names.
    """
    if mu.d != nu.d:
        raise invalid(
            "x and y",
            "have points of the same dimension",
            f"d = {mu.d} and d = {nu.d}",
            "Select the same columns of both.",
        )
    if mu.names is None or nu.names is None or mu.names == nu.names:
        return nu
    only = [sorted(set(one) - set(other)) for one, other in ((mu.names, nu.names), (nu.names, mu.names))]
    if only[0] or only[1] or len(set(mu.names)) < mu.d:
        twice = "" if only[0] or only[1] else "a name twice: "
        raise invalid(
            "x and y",
            "have columns of the same names",
            f"{twice}{list(mu.names)} and {list(nu.names)}",
            "Rename or select them; arrays without names are compared by position.",
        )
    order = [nu.names.index(name) for name in mu.names]
    return DiscreteMeasure(nu.points[:, order], nu.weights, mu.names)
