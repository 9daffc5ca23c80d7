"""Say so once, on standard error, when kernels are being compiled: the first call on a machine takes seconds."""

from __future__ import annotations

import sys
from typing import Any

from numba.core import event


class _Notice(event.Listener):
    """Prints one line at the first compilation of one of otdiv's kernels in this process."""

    said = False

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__  # None for a function made by exec
        if not _Notice.said and module is not None and module.startswith("otdiv."):
            _Notice.said = True
            print("otdiv: compiling its kernels, once on this machine: about 20 s.", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


def announce_compilation() -> None:
    """From now on the first compilation of a kernel is announced."""
    event.register("numba:compile", _NOTICE)


_NOTICE = _Notice()
