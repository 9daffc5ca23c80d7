"""One line on standard error while kernels are being compiled: the first call on a machine takes seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function of arrays on its first call, without the interpreter lock, and keep it for later processes.

    It is kept beside the code, or in the user's folder for caches; where neither can be written (a read-only
    installation without a home) every process compiles anew.

    Parameters
    ----------
    **options
        Further ones of numba.njit.
    """
    from numba import njit

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # numba has found no folder
            return njit(nogil=True, **options)(function)

    return compiled


_said = False
"""Whether the line was printed in this process; it is printed once."""


@cache
def _notice() -> Any:
    """The listener that prints the line."""
    from numba.core import event

    class Notice(event.Listener):
        def on_start(self, event: Any) -> None:
            global _said
            module = event.data["dispatcher"].py_func.__module__  # None for a function made by exec
            if not _said and module is not None and module.startswith("otdiv."):
                _said = True
                print("otdiv: compiling its kernels, once on this machine: about 20 s.", file=sys.stderr, flush=True)

        def on_end(self, event: Any) -> None:
            pass

    return Notice()


@contextmanager
def announced_compilation() -> Iterator[None]:
    """Within this context the first compilation of one of otdiv's kernels is announced."""
    from numba.core import event

    with event.install_listener("numba:compile", _notice()):
        yield
