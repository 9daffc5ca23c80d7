"""POT's compiled network simplex without the rest of POT, whose import loads torch and scikit-learn."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

_ALIAS = "otdiv_pot"
"""Name under which the compiled module is loaded, in a package that holds nothing else."""
_LOADING = threading.Lock()


@cache
def compiled_network_simplex() -> Callable[..., Any]:
    """POT's ``ot.lp.emd_wrap.emd_c``: (a, b, M, max_iter, threads) -> plan, cost, f, g, code.

    The compiled module asks its package for one function, which the network simplex does not use; a stand-in is given,
    so that it loads in a millisecond instead of seconds.  A version of POT that asks for more is imported whole.
    """
    with _LOADING:
        if "ot" in sys.modules:
            return _imported_whole()
        module = _loaded_alone()
    return _imported_whole() if module is None else module.emd_c


def _imported_whole() -> Callable[..., Any]:
    from ot.lp.emd_wrap import emd_c

    return emd_c


def _loaded_alone() -> ModuleType | None:
    """The compiled module, or None where this version of POT does not load by itself."""
    package = importlib.util.find_spec("ot")
    if package is None or not package.submodule_search_locations:
        return None
    compiled = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
    folder = f"{package.submodule_search_locations[0]}/lp"
    found = importlib.machinery.FileFinder(folder, compiled).find_spec("emd_wrap")
    if found is None or found.origin is None:
        return None
    name = f"{_ALIAS}.lp.emd_wrap"
    spec = importlib.util.spec_from_file_location(
        name, found.origin, loader=importlib.machinery.ExtensionFileLoader(name, found.origin)
    )
    if spec is None or spec.loader is None:
        return None
    stand_ins = {part: ModuleType(part) for part in (_ALIAS, f"{_ALIAS}.lp", f"{_ALIAS}.utils")}
    stand_ins[f"{_ALIAS}.utils"].dist = _not_available  # type: ignore[attr-defined]
    sys.modules.update(stand_ins)
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module if hasattr(module, "emd_c") else None
    except (ImportError, AttributeError):  # this version asks for more: it is imported whole
        return None
    finally:
        for part in (*stand_ins, name, "ot.lp.emd_wrap"):  # the last one is registered by the module itself
            sys.modules.pop(part, None)


def _not_available(*_: Any, **__: Any) -> None:
    raise NotImplementedError("otdiv loads POT's network simplex alone")
