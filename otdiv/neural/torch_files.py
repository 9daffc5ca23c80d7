"""Files of torch: written whole or not at all, read without running what is in them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from otdiv.core.threads import without_warnings
from otdiv.core.validation import invalid
from otdiv.files.archives import open_archive
from otdiv.files.writing import write_whole


def write_torch(path: str | Path, content: dict[str, Any], argument: str) -> None:
    """What torch.save makes of ``content``, written whole or not at all."""
    packed = io.BytesIO()  # torch reports a full disk as an error without a reason
    torch.save(content, packed)
    with write_whole(path, argument) as stream:
        stream.write(packed.getbuffer())


def read_torch(path: Path, parts: set[str], argument: str, requirement: str) -> dict[str, Any]:
    """The dictionary of these parts that a file holds; nothing in it is run.

    Raises
    ------
    InvalidInput
        A file that holds anything else.
    """
    try:
        with open_archive(path), without_warnings():  # of unusual pickles
            content = torch.load(path, weights_only=True, map_location="cpu")
        if type(content) is not dict or set(content) != parts:
            raise ValueError("other parts")
    except Exception as problem:  # a damaged file fails anywhere inside torch
        raise invalid(argument, requirement, f"{path.name} ({type(problem).__name__})", "Remove it.") from None
    return content
