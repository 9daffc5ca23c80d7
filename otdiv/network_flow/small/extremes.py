"""The lesser and the greater of two floats, so that a loop that keeps one of them takes several entries at a time.

``min(p, q)`` and ``p if p < q else q`` compile to a choice that must heed NaN and the sign of a zero; a loop of these
goes entry by entry, each comparison waiting for the one before.  Here both are said not to matter, as
:mod:`otdiv.network_flow.small.rows` states, and the compiler keeps many minima side by side.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

_FLAGS = ("nnan", "nsz")


def _choice(comparison: str) -> Any:
    """The one of two floats for which the comparison with the other holds, as an instruction."""

    def chosen(typing_context: Any, p: Any, q: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            holds = builder.fcmp_ordered(comparison, *arguments, flags=_FLAGS)
            return builder.select(holds, *arguments, flags=_FLAGS)

        return types.float64(types.float64, types.float64), generate

    return chosen


lesser = intrinsic(_choice("<"))
greater = intrinsic(_choice(">"))
