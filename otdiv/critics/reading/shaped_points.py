"""Images and other points of several axes, [n, c, h, w]: flat for transport, in their shape for the critic."""

from __future__ import annotations

from typing import Any

from otdiv.core.validation import invalid

Shape = tuple[int, ...]


def flat_points(name: str, points: Any) -> tuple[Any, Shape | None]:
    """Points [n, d] of an array or tensor [n, ...] of more than two axes, and the shape of one; others as they are.

    Distances between flat points are those between the arrays: the root of the sum of squares over all entries.

    Parameters
    ----------
    name : str
    points : anything

    Raises
    ------
    InvalidInput
        An array without entries.
    """
    shape = getattr(points, "shape", None)
    if shape is None or len(shape) < 3 or not hasattr(points, "reshape"):
        return points, None
    if 0 in shape:
        raise invalid(name, "have entries", f"shape {tuple(shape)}", "Pass images as [n, c, h, w].")
    return points.reshape(shape[0], -1), tuple(int(side) for side in shape[1:])


def one_shape(names: tuple[str, ...], shapes: list[Shape | None]) -> Shape | None:
    """The shape that all have.

    Raises
    ------
    InvalidInput
        Shapes that differ, or flat points beside shaped ones.
    """
    if any(shape != shapes[0] for shape in shapes):
        came = " and ".join("flat points" if shape is None else f"shape {shape}" for shape in shapes)
        raise invalid(" and ".join(names), "have one shape", came, "Give every image the same channels and sides.")
    return shapes[0]
