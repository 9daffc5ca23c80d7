"""Grey pictures of unknown origin, decoded within limits by an explicit list of decoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.threads import without_warnings
from otdiv.core.validation import Array, invalid, optional_import
from otdiv.errors import InvalidInput

IMAGES = (".png", ".pgm", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".gif")
_FORMATS = ("PNG", "PPM", "BMP", "TIFF", "JPEG", "GIF")
"""Formats that Pillow may decode; left to itself it goes by the content, and hands PostScript to another program."""
_MOST_PIXELS = 2**25
"""Pixels of the largest picture (33 million); more are no problem that could be solved."""
_ALWAYS_ALLOWED = 2**19
"""Pixels (half a million) that a file of any size may hold, 20 MiB as a measure."""
_MOST_PIXELS_PER_BYTE = 100
"""Beyond, pixels per byte of the file; photographs have about 1, drawings with large areas up to 50."""


def read_grey(path: Path) -> Array:
    """The grey values [h, w] of a picture, turned as its orientation tag says.

    Raises
    ------
    InvalidInput
        Another kind of file, colour, transparency, several frames, or more pixels than a file of its size can
        honestly hold.
    """
    image_module = optional_import("PIL.Image", "Reading an image", "images")
    try:
        with without_warnings(), image_module.open(path, formats=_FORMATS) as opened:
            most = min(_MOST_PIXELS, max(_ALWAYS_ALLOWED, _MOST_PIXELS_PER_BYTE * path.stat().st_size))
            if opened.width * opened.height > most:
                size = f"{opened.width} x {opened.height}"
                raise invalid(path.name, f"have at most {most} pixels for its size in bytes", size, "Reduce it first.")
            if _has_second_frame(opened):
                raise invalid(path.name, "hold one picture", "several frames", "Save the frame you mean.")
            image = optional_import("PIL.ImageOps", "Reading an image", "images").exif_transpose(opened)
            if image.info.get("transparency") is not None:
                raise invalid(path.name, "have no transparency", "transparent pixels", "Flatten it first.")
            bands = image.getbands()
            if bands == ("P",):  # a palette: the numbers in the file are names of colours
                colours = np.asarray(image.convert("RGB"), dtype=np.float64)
                if np.array_equal(colours.min(axis=2), colours.max(axis=2)):
                    return colours[:, :, 0]
                bands = ("R", "G", "B")
            if len(bands) > 1:
                raise invalid(
                    path.name, "be a grey image", f"one with bands {', '.join(bands)}", "Convert it to grey first."
                )
            return np.asarray(image, dtype=np.float64)
    except InvalidInput:
        raise
    except PermissionError:
        raise
    except Exception as problem:  # a damaged picture fails anywhere inside its decoder
        reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise invalid(
            path.name, "be an image", f"one that cannot be read ({reason})", "Save it again as .png."
        ) from None


def _has_second_frame(image: Any) -> bool:
    try:
        image.seek(1)
    except EOFError:
        return False
    image.seek(0)
    return True
