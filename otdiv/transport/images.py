"""Transport between two images, or histograms on one grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.options import RTOL
from otdiv.core.progress import ProgressEvent
from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd


def emd_images(
    first: Any,
    second: Any,
    *,
    cost: Any = "euclidean",
    spacing: Any = 1.0,
    method: str = "auto",
    normalize: bool = False,
    rtol: float = RTOL,
    atol: float = 0.0,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    device: Any = "auto",
    threads: int | None = None,
) -> TransportResult:
    """Earth mover's distance between two grey images, or between histograms on one grid.

    Each cell is a point at its indices times the spacing, its value the mass there.  The grid is recognised:
    with the costs cityblock and chebyshev (equal spacings) the transport is a flow along its edges.

    Parameters
    ----------
    first, second : array_like [h, w], or [k1, ..., kd]
        Non-negative values of the same total (see ``normalize``); the two shapes may differ.
    cost : str or Cost
        As for :func:`otdiv.emd`; distances are in units of ``spacing``.
    spacing : float, or one float for each axis
        Distance between the middles of neighbouring cells.
    normalize : bool
        Scale both images to total 1, as their shapes alone are compared; else different totals are an error.
    method, rtol, atol, max_iter, time_limit, memory_limit, progress, device, threads
        As for :func:`otdiv.solve`.

    Returns
    -------
    TransportResult
        ``result.f.reshape(first.shape)`` is the potential as an image.

    Raises
    ------
    InvalidInput
        Not an array of numbers with one axis or more, another number of axes than the other, a negative or
        infinite value, a spacing that is not positive; and what :func:`otdiv.emd` refuses.

    Examples
    --------
    >>> result = emd_images([[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]], cost="cityblock")
    >>> result.value
    2.0
    """
    images = [as_float_array(name, image) for name, image in (("first", first), ("second", second))]
    for name, image in zip(("first", "second"), images, strict=True):
        if image.ndim == 0 or image.size == 0:
            raise invalid(name, "be an image [h, w] or a histogram", f"shape {image.shape}", "Check where it was read.")
    if images[0].ndim != images[1].ndim:
        shapes = f"shapes {images[0].shape} and {images[1].shape}"
        raise invalid("first and second", "have as many axes as each other", shapes, "Convert colour to grey first.")
    x, y = (_measure(image, _steps(spacing, image.ndim)) for image in images)
    return emd(
        x,
        y,
        cost=cost,
        method=method,
        normalize=normalize,
        rtol=rtol,
        atol=atol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=memory_limit,
        progress=progress,
        device=device,
        threads=threads,
    )


def _steps(spacing: Any, axes: int) -> Array:
    steps = as_float_array("spacing", spacing)
    if steps.ndim > 1 or (steps.ndim == 1 and len(steps) != axes) or not np.all((steps > 0) & (steps < np.inf)):
        raise invalid("spacing", f"be a positive number, or {axes} of them", repr(spacing), "For example 1.0.")
    return np.broadcast_to(steps, (axes,))


def _measure(image: Array, steps: Array) -> DiscreteMeasure:
    places = np.indices(image.shape).reshape(image.ndim, -1).T
    return DiscreteMeasure(places * steps, image.ravel())
