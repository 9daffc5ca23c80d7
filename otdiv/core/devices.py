"""The two rules for ``device=``: of trainings by torch, and of transport, which is otdiv's own code on the CPU."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from otdiv.core.validation import invalid, optional_import
from otdiv.errors import MissingPackage

CUDA_FROM = 1e11
"""Products (pairs times dimension) of one search over all pairs from which "auto" takes a card: 40 000 points a side in
64 dimensions, 100 000 in ten.  A quarter of them took a card 1.2 s and 16 cores 5.8 s, and torch loads for seconds."""
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
    if _is_auto(device):
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
    if _is_auto(device):
        return _card() if products >= CUDA_FROM else None
    return _usable(device) if names_a_card(device) else None


def names_a_card(device: Any) -> bool:
    """Whether a device of torch other than the CPU was asked for by name, right or wrong."""
    return not (_is_auto(device) or str(device) == "cpu")


def _is_auto(device: Any) -> bool:
    return isinstance(device, str) and device == "auto"


def _card() -> str | None:
    """The card that can be used at once, "cuda", or None; torch is imported only where there is a driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        torch = optional_import("torch", "device='cuda'", "torch")
        free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    except (OSError, MissingPackage, RuntimeError):  # no driver, no torch, a card in no state to be used
        return None  # no card was asked for by name, and the CPU gives the same answer
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
