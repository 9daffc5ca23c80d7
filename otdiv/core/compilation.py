"""Compiled functions: kept for later processes, anew where a source has changed, announced while they are compiled."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any


def kernel(*, borrows: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function of arrays on its first call, without the interpreter lock, and keep it for later processes.

    It is kept beside the code, or in the user's folder for caches, until a module changes that its code may be from;
    where neither can be written (a read-only installation without a home) every process compiles anew.

    Parameters
    ----------
    borrows : bool
        Whether it allocates nothing and returns no array, so that references to its arrays need not be counted: worth a
        tenth and more of calls that take some hundred nanoseconds.  Others are refused when they are compiled.
    **options
        Further ones of numba.njit.  A large kernel with a single caller has ``inline="always"``: else its code would be
        optimised again with each kernel above it, which took a fifth of the time until the first answer.
    """
    from numba import njit
    from numba.core.options import DefaultOptions

    _watch_compilation()
    if borrows and hasattr(DefaultOptions, "_nrt"):
        options["_nrt"] = False
    options["no_cfunc_wrapper"] = True  # none is called from C

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            found = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # numba has found no folder
            return njit(nogil=True, **options)(function)
        file = getattr(found._cache, "_cache_file", None)  # none where its caches are turned off
        if file is not None:
            file._source_stamp = (file._source_stamp, digest_of_sources(function.__module__))
        return found

    return compiled


@cache
def digest_of_sources(name: str) -> str:
    """A digest of a module and of all modules of its package that it imports at its top, directly or through others.

    A compiled function holds the code of those that it calls, and constants and records of other modules: numba alone
    compares the function's own file, and would go on with what is no longer in the others.
    """
    package = name.split(".")[0]
    imports = re.compile(rf"^from ({package}[\w.]*) import", re.MULTILINE)
    texts: dict[str, str] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name in texts or file is None:
            continue
        texts[name] = _text_of(file)
        waiting += imports.findall(texts[name])
        modules = (value for value in vars(module).values() if isinstance(value, ModuleType))
        waiting += [value.__name__ for value in modules if value.__name__.startswith(f"{package}.")]
    return hashlib.blake2b("".join(texts[module] for module in sorted(texts)).encode(), digest_size=16).hexdigest()


@cache
def _text_of(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


@cache
def _watch_compilation() -> None:
    """From now on the first compilation of one of otdiv's kernels is announced, and what each returns is checked."""
    from numba.core import event

    class Watch(event.Listener):
        announced = False  # the line is printed once

        def on_start(self, event: Any) -> None:
            module = event.data["dispatcher"].py_func.__module__  # None for a function made by exec
            if not self.announced and module is not None and module.startswith("otdiv."):
                self.announced = True
                print("otdiv: compiling its kernels, once on this machine: about 20 s.", file=sys.stderr, flush=True)

        def on_end(self, event: Any) -> None:
            found = event.data["dispatcher"]
            if not found.targetoptions.get("_nrt", True) and any(
                _holds_array(signature.return_type) for signature in found.nopython_signatures
            ):
                found._cache.flush()
                raise TypeError(f"{found.py_func.__name__} borrows its arrays, and may not return one")

    event.register("numba:compile", Watch())


def _holds_array(returned: Any) -> bool:
    """Whether a type of numba is an array, or a tuple with one."""
    from numba import types

    parts: Any = returned if isinstance(returned, types.BaseTuple) else ()
    return isinstance(returned, types.Array) or any(_holds_array(part) for part in parts)
