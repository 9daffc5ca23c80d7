"""An optimal plan between real and generated points, split into mass moved within a mode and between modes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.transport.result import TransportResult


@dataclass(frozen=True)
class ModeSplit:
    """The parts of a distance.

    Attributes
    ----------
    within, between : float
        Cost of mass whose ends lie in one mode, and in two; they add up to the cost of the plan.
    mass_between : float
        Share of the mass that moves between modes.
    least_between : float
        The least that any plan has to move: total variation of the shares of the modes, sum |p_k - q_k| / 2.
    """

    within: float
    between: float
    mass_between: float
    least_between: float

    def to_dict(self) -> dict[str, float]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        total = self.within + self.between
        part = 100 * self.between / total if total > 0 else 0.0
        return (
            f"within modes {self.within:.4g}, between modes {self.between:.4g} ({part:.0f} %, by "
            f"{100 * self.mass_between:.1f} % of the mass; no plan moves less than {100 * self.least_between:.1f} %)"
        )


def split_by_modes(result: TransportResult, labels_x: Any, labels_y: Any) -> ModeSplit:
    """Split the cost of an optimal plan by the modes of its ends.

    Parameters
    ----------
    result : TransportResult
        Of :func:`otdiv.emd`.
    labels_x, labels_y : array_like of int [n], [m]
        The mode of every source and every target, such as of :func:`mode_labels`.

    Returns
    -------
    ModeSplit
        Of this plan; where several plans are optimal another one may split differently, with the same sum.

    Raises
    ------
    InvalidInput
        Labels of another length, or negative.

    Examples
    --------
    >>> from otdiv import emd
    >>> split_by_modes(emd([0.0, 10.0], [1.0, 2.0]), [0, 1], [0, 0])
    ModeSplit(within=0.5, between=4.0, mass_between=0.5, least_between=0.5)
    """
    source, target = _labels("labels_x", labels_x, result.n), _labels("labels_y", labels_y, result.m)
    plan = result.plan
    cost, crossing = result.problem.arc_costs(plan.rows, plan.columns), source[plan.rows] != target[plan.columns]
    moved, total = plan.mass * cost, float(plan.mass.sum())
    modes = int(max(source.max(), target.max())) + 1
    shares = [
        np.bincount(labels, weights=weights, minlength=modes) / weights.sum()
        for labels, weights in ((source, plan.row_sums), (target, plan.column_sums))
    ]
    return ModeSplit(
        within=math.fsum(moved[~crossing].tolist()),
        between=math.fsum(moved[crossing].tolist()),
        mass_between=float(plan.mass[crossing].sum() / total),
        least_between=float(np.abs(shares[0] - shares[1]).sum() / 2),
    )


def _labels(name: str, labels: Any, n: int) -> Array:
    array = np.asarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu" or (n and array.min() < 0):
        came = f"shape {array.shape} of {array.dtype}"
        raise invalid(name, f"be {n} integers from 0", came, "One label for each point, in their order.")
    return array
