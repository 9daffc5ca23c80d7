"""The distances of all pairs, as a record that saves to one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies, invalid
from otdiv.files.archives import read_npz
from otdiv.files.writing import require_writable, write_whole

_ARRAYS = ("values", "lower", "upper", "status")


@dataclass(frozen=True, eq=False)
class PairwiseDistances(ReadOnlyCopies):
    """Distances of k measures to l others, or to one another.

    Attributes
    ----------
    values : ndarray [k, l]
        In the unit of the metric; symmetric with zeros on the diagonal where there is one set and the distance is
        symmetric.
    lower, upper : ndarray [k, l], or None
        lower <= true value <= upper; None for distances that come without an interval.
    status : ndarray of str [k, l], or None
        "optimal", "optimal_nearby" or "stopped"; None where there is no interval.
    metric : str
    p : float
    seconds : float
        Of this computation; blocks that a store held already take none.
    """

    values: Array
    lower: Array | None
    upper: Array | None
    status: Array | None
    metric: str
    p: float
    seconds: float

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            array = getattr(self, name)
            if array is not None:
                array.flags.writeable = False

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Array:
        return self.values if dtype is None else self.values.astype(dtype)  # type: ignore[call-overload]

    @property
    def shape(self) -> tuple[int, int]:
        """(k, l)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def certified(self) -> Array | None:
        """Whether each interval is as narrow as was asked for, bool [k, l]; None where there is none."""
        return None if self.status is None else self.status != "stopped"

    def save(self, path: str | Path, *, files: Sequence[str] = ()) -> Path:
        """Write one .npz file: values, lower, upper, status, metric, p, seconds.

        Parameters
        ----------
        path : str or Path
        files : sequence of str
            Names of the measures, kept beside as ``files`` [k].

        Raises
        ------
        InvalidInput
            Another ending, or a place that cannot be written.
        """
        path = require_writable(path, "path", (".npz",))
        arrays = {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}
        about = {"metric": np.array(self.metric), "p": np.array(self.p), "seconds": np.array(self.seconds)}
        about |= {"files": np.array(files)} if files else {}
        with write_whole(path) as stream:
            np.savez(stream, **arrays, **about)  # type: ignore[arg-type]
        return path

    @classmethod
    def load(cls, path: str | Path) -> PairwiseDistances:
        """Read what :meth:`save` wrote; nothing is unpickled.

        Raises
        ------
        InvalidInput
            No such file, or another kind.
        """
        try:
            content = read_npz(path)
            content.pop("files", None)
        except (OSError, ValueError) as problem:
            raise invalid("path", "be a readable .npz file of distances", str(problem), "Check the path.") from None
        about = [content.pop(name, None) for name in ("metric", "p", "seconds")]
        values = content.get("values")
        fits = values is not None and values.ndim == 2 and all(part is not None and part.ndim == 0 for part in about)
        if values is None or not fits or any(array.shape != values.shape for array in content.values()):
            raise invalid("path", "hold distances", f"arrays {sorted(content)}", "Save them by PairwiseDistances.save.")
        metric, p, seconds = about
        lower, upper, status = (np.array(content[name]) if name in content else None for name in _ARRAYS[1:])
        return cls(np.array(values), lower, upper, status, str(metric), float(str(p)), float(str(seconds)))

    def __repr__(self) -> str:
        certified = self.certified
        proved = "" if certified is None else f", {int(np.count_nonzero(certified))} entries certified"
        return f"PairwiseDistances({self.shape[0]} x {self.shape[1]}, metric={self.metric!r}, p={self.p:g}{proved})"
