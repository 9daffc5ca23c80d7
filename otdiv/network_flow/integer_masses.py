"""Masses as whole numbers, so that ties between flows are exact."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array

TOTAL = 2.0**60
"""The whole mass, in quanta: flows are whole numbers of them, and ties between flows are exact."""


def integer_masses(a: Array, b: Array) -> tuple[Array, Array]:
    """Positive weights as whole quanta, at least one each, with the same total on both sides.

    A weight is off by half a quantum, 2**-61 of the whole, or by its own last bit; the difference of the
    totals is spread evenly.
    """
    quanta = [np.maximum(np.rint(w * (TOTAL / w.sum())), 1.0).astype(np.int64) for w in (a, b)]
    missing = int(quanta[0].sum()) - int(quanta[1].sum())
    if missing:
        poorer = quanta[1] if missing > 0 else quanta[0]
        each, rest = divmod(abs(missing), len(poorer))
        poorer += each
        poorer[:rest] += 1
    return quanta[0], quanta[1]
