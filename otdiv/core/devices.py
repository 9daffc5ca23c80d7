"""The one rule for ``device=``: "auto" is what is fastest for the work, any other name is a device of torch."""

from __future__ import annotations

from typing import Any

from otdiv.core.validation import invalid, optional_import


def resolve_device(device: Any, *, prefer_cuda: bool) -> str | None:
    """The torch device to compute on; None is otdiv's own code on the CPU, without torch.

    Parameters
    ----------
    device : str or torch.device
        "auto", or a device of torch such as "cpu", "cuda" or "cuda:1".
    prefer_cuda : bool
        What "auto" is: True for trainings (CUDA where torch sees it, else torch on the CPU), False for
        transport (otdiv's own compiled code, which is the faster one on a CPU).

    Raises
    ------
    MissingPackage
        Torch is needed and not installed.
    InvalidInput
        A device that torch does not know or cannot use.
    """
    if isinstance(device, str) and device == "auto":
        if not prefer_cuda:
            return None
        torch = optional_import("torch", "device='auto' for a training", "torch")
        return "cuda" if torch.cuda.is_available() else "cpu"
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
