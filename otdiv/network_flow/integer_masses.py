"""Masses as whole numbers of a small unit, so that ties between flows are exact."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array

MASS_UNITS = 2.0**60
"""Units in the whole mass.  Flows are whole numbers of units; more would overflow sums in 64 bits."""
SLACK_TOLERANCE = 2.0**-46
"""An arc violates f + g <= c when its reduced cost is below minus this share of the largest potential or cost.

Smaller, and rounding errors of the potentials pass for violations.
"""


def integer_masses(a: Array, b: Array) -> tuple[Array, Array]:
    """Positive weights as whole numbers of units, at least one each, with the same total on both sides.

    A weight is off by half a unit, 2**-61 of the whole, or by its own last bit; the difference of the
    totals is spread evenly over the side that has less.
    """
    units = [np.maximum(np.rint(w * (MASS_UNITS / w.sum())), 1.0).astype(np.int64) for w in (a, b)]
    missing = int(units[0].sum()) - int(units[1].sum())
    if missing:
        smaller = units[1] if missing > 0 else units[0]
        each, rest = divmod(abs(missing), len(smaller))
        smaller += each
        smaller[:rest] += 1
    return units[0], units[1]


def integrate(masses: Array, values: Array) -> float:
    """The sum of masses times values (costs, potentials), masses in units of the whole.

    No product of the linear algebra library: its threads go on waiting, at full load, beside the next kernel.
    """
    return float(np.sum(masses / MASS_UNITS * values))
