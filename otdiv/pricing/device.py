"""Where large sweeps over all pairs are computed: by otdiv's own code, or by torch on a device.

The choice belongs to one solve and reaches everything that prices within it, the audit
included.  No compiler and no torch is loaded with this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from otdiv.core.validation import invalid, optional_import

_DEVICE: ContextVar[str | None] = ContextVar("device", default=None)


def chosen_device() -> str | None:
    """The device that :func:`priced_on` has chosen for this context; None for otdiv's own code."""
    return _DEVICE.get()


@contextmanager
def priced_on(device: Any) -> Iterator[None]:
    """Within this context large sweeps over all pairs run by torch on ``device`` (None: by otdiv's own code).

    Raises
    ------
    MissingPackage
        Without torch.
    InvalidInput
        A device that torch does not know or cannot use.
    """
    token = _DEVICE.set(None if device is None else _usable(device))
    try:
        yield
    finally:
        _DEVICE.reset(token)


def _usable(device: Any) -> str:
    torch = optional_import("torch", f"device={str(device)!r}", "torch")
    try:
        place = torch.device(device)
        torch.ones(2, device=place).sum().item()
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as problem:
        raise invalid(
            "device",
            "name a device that torch can use",
            f"{device!r} ({str(problem).strip().splitlines()[0].rstrip('.')})",
            "Use device='cpu', or leave it out for otdiv's own code; torch.cuda.is_available() tells of CUDA.",
        ) from None
    return str(place)
