"""The two rules for ``device=``: of trainings by torch, and of transport, which is otdiv's own code on the CPU."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from otdiv.core.validation import invalid, optional_import
from otdiv.errors import MissingPackage

CUDA_FROM = 1e11
"""Products (pairs times dimension) of one search over all pairs from which CUDA is faster than 16 cores.

It includes the seconds that torch takes to load; 40 000 points a side in 64 dimensions, 100 000 in ten.
"""
FREE_FROM = 4 * 2**30
"""Bytes that have to be free on a card that was not asked for by name."""


def training_device(device: Any) -> str:
    """The torch device of a training: "auto" is CUDA where torch sees it, else the CPU.

    Parameters
    ----------
    device : str or torch.device
        "auto", or a device of torch such as "cpu", "cuda" or "cuda:1".

    Returns
    -------
    str

    Raises
    ------
    MissingPackage
        Torch is not installed.
    InvalidInput
        A device that torch does not know or cannot use.
    """
    if is_auto(device):
        torch = optional_import("torch", "device='auto' for a training", "torch")
        return "cuda" if torch.cuda.is_available() else "cpu"
    return _usable(device)


def transport_device(device: Any, products: float) -> str | None:
    """The torch device that compares all pairs; None is otdiv's own code on the CPU, without torch.

    Parameters
    ----------
    device : str or torch.device
        "auto": CUDA from ``CUDA_FROM`` products on, where there is a driver, torch sees a card and it has memory
        free; else the CPU.  "cpu", or a device of torch such as "cuda" or "cuda:1".
    products : float
        Pairs of the search times their dimension.

    Returns
    -------
    str or None

    Raises
    ------
    MissingPackage
        Another device than the CPU was named, and torch is not installed.
    InvalidInput
        A device that torch does not know or cannot use.
    """
    if is_auto(device):
        return _card() if products >= CUDA_FROM else None
    return None if str(device) == "cpu" else _usable(device)


def is_auto(device: Any) -> bool:
    """Whether the device is left to the rule."""
    return isinstance(device, str) and device == "auto"


def _card() -> str | None:
    """ "cuda" where a card can be used at once; torch is imported only where there is a driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        torch = optional_import("torch", "device='cuda'", "torch")
    except (OSError, MissingPackage):
        return None
    free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    return "cuda" if free >= FREE_FROM else None


def _usable(device: Any) -> str:
    """The name of a device, once a number was added up on it."""
    torch = optional_import("torch", f"device={str(device)!r}", "torch")
    try:
        place = torch.device(device)
        torch.ones(2, device=place).sum().item()
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as problem:
        raise invalid(
            "device",
            "be 'auto' or name a device that torch can use",
            f"{device!r} ({str(problem).strip().splitlines()[0].rstrip('.')})",
            "Use device='cpu', or leave it out; see torch.cuda.is_available() for CUDA.",
        ) from None
    return str(place)
