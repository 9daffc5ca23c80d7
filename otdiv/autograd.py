"""Exact transport as a training loss for torch; importing this module imports torch.

The value is exact, not regularised; its gradient comes from the optimal plan
and potentials (envelope theorem), so no graph is kept through the solver.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.costs import PointCost, as_cost, as_point_cost
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.batches.emd_many import emd_many
from otdiv.transport.batches.result import TransportBatch
from otdiv.transport.solve import solve

_ROUNDINGS = 64
"""Units of rounding by which the totals of two sets of weights may differ: a softmax of thousands stays below."""


def emd_loss(
    x: torch.Tensor,
    y: torch.Tensor,
    a: torch.Tensor | None = None,
    b: torch.Tensor | None = None,
    *,
    cost: str = "euclidean",
) -> torch.Tensor:
    """Exact EMD between two batches of points, differentiable in points and weights.

    Parameters
    ----------
    x, y : Tensor [n, d], [m, d]
        Points, on any device and of any floating type; the transport itself is computed in float64 on
        the CPU.
    a, b : Tensor [n], [m], optional
        Weights of one total, but for the rounding of their own type; None is uniform.
    cost : {"euclidean", "sqeuclidean", "cityblock", "chebyshev"} or "minkowski:p"
        Ground cost.

    Returns
    -------
    Tensor
        The optimal cost, a scalar of the type and device of x.

    Raises
    ------
    InvalidInput
        What :func:`otdiv.emd` refuses; also points that are no tensors.

    Notes
    -----
    Gradients as in :class:`otdiv.potentials.gradients.Gradients`; those in the weights are meant along
    changes that keep both totals equal (as after a softmax).  A second derivative is not defined.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [1.0]], requires_grad=True)
    >>> loss = emd_loss(x, torch.tensor([[2.0], [3.0]]))
    >>> loss.backward()
    >>> loss.item(), x.grad.tolist()
    (2.0, [[-0.5], [-0.5]])
    """
    _require_tensors(x, y, "otdiv.emd")
    return _ExactTransport.apply(x, y, a, b, cost)


def emd_loss_many(
    x: torch.Tensor,
    y: torch.Tensor,
    a: torch.Tensor | None = None,
    b: torch.Tensor | None = None,
    *,
    cost: str = "euclidean",
) -> torch.Tensor:
    """Exact EMDs of k pairs of point sets at once, differentiable in points and weights.

    Parameters
    ----------
    x, y : Tensor [k, n, d], [k, m, d]
        Points; pair i moves x[i] onto y[i].
    a, b : Tensor [k, n], [k, m], optional
        Weights, of one total in each pair but for the rounding of their own type; None is uniform.
    cost : {"euclidean", "sqeuclidean", "cityblock", "chebyshev"} or "minkowski:p"
        Ground cost.

    Returns
    -------
    Tensor [k]
        The optimal costs, of the type and device of x.  All are computed in compiled batches in float64 on the CPU,
        as by :func:`otdiv.emd_many`.

    Raises
    ------
    InvalidInput
        What :func:`otdiv.emd_many` refuses; points that are no tensors, or of other shapes.

    Notes
    -----
    As for :func:`emd_loss`; the mean over the pairs is the loss of a batch.

    Examples
    --------
    >>> x = torch.tensor([[[0.0], [1.0]], [[0.0], [4.0]]], requires_grad=True)
    >>> losses = emd_loss_many(x, torch.tensor([[[2.0], [3.0]], [[1.0], [1.0]]]))
    >>> losses.sum().backward()
    >>> losses.tolist(), x.grad.squeeze(-1).tolist()
    ([2.0, 2.0], [[-0.5, -0.5], [-0.5, 0.5]])
    """
    _require_tensors(x, y, "otdiv.emd_many")
    if x.ndim != 3 or y.ndim != 3 or len(x) != len(y):
        shapes = f"{list(x.shape)} and {list(y.shape)}"
        raise invalid("x and y", "have shapes [k, n, d] and [k, m, d]", shapes, "For one pair use emd_loss.")
    return _ManyExactTransports.apply(x, y, a, b, cost)


def _require_tensors(x: Any, y: Any, for_arrays: str) -> None:
    for name, points in (("x", x), ("y", y)):
        if not isinstance(points, torch.Tensor) or not points.is_floating_point():
            raise invalid(name, "be a tensor of floats", type(points).__name__, f"For arrays use {for_arrays}.")


def _measures(x: Any, y: Any, a: Any, b: Any) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """Both measures; totals that differ by the rounding of the weights' own type are made equal."""
    mu, nu = DiscreteMeasure(x, a), DiscreteMeasure(y, b)
    if abs(mu.mass - nu.mass) <= _rounding(a, b) * mu.mass:
        nu = DiscreteMeasure(nu.points, nu.weights * (mu.mass / nu.mass))
    return mu, nu


def _rounding(a: Any, b: Any) -> float:
    """Relative difference of two totals that the rounding of the weights' own types explains."""
    given = [weights.dtype for weights in (a, b) if isinstance(weights, torch.Tensor) and weights.is_floating_point()]
    return _ROUNDINGS * max((torch.finfo(dtype).eps for dtype in given), default=0.0)


class _ExactTransport(torch.autograd.Function):
    """Forward: solve.  Backward: the gradients that the optimal plan and potentials give."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, a: Any, b: Any, cost: str) -> torch.Tensor:
        result = solve(TransportProblem(*_measures(x, y, a, b), as_cost(cost)))
        found = result.gradients
        slopes = (found.x.reshape(x.shape), found.y.reshape(y.shape), found.a, found.b)
        ctx.save_for_backward(
            *[
                torch.tensor(slope.copy(), dtype=like.dtype, device=like.device) if like is not None else None
                for slope, like in zip(slopes, (x, y, a, b), strict=True)
            ]
        )
        return torch.tensor(result.value, dtype=x.dtype, device=x.device)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: torch.Tensor) -> Any:
        return *(s if s is None else upstream.to(s.dtype) * s for s in ctx.saved_tensors), None


class _ManyExactTransports(torch.autograd.Function):
    """As :class:`_ExactTransport`, for k problems in compiled batches."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, a: Any, b: Any, cost: str) -> torch.Tensor:
        sources, targets = as_float_array("x", x), as_float_array("y", y)
        p = _uniform(sources) if a is None else as_float_array("a", a)
        q = _uniform(targets) if b is None else as_float_array("b", b)
        if p.shape == sources.shape[:2] and q.shape == targets.shape[:2]:  # others are refused below
            mass, other = p.sum(axis=1, keepdims=True), q.sum(axis=1, keepdims=True)
            near = np.abs(mass - other) <= _rounding(a, b) * mass
            q = np.where(near, q * (mass / np.where(other > 0, other, 1.0)), q)
        batch = emd_many(sources, targets, p, q, cost=cost, potentials=True, plans=True)
        slopes = _slopes(sources, targets, batch, as_point_cost(as_cost(cost)))
        ctx.save_for_backward(
            *[
                torch.tensor(slope, dtype=like.dtype, device=like.device) if like is not None else None
                for slope, like in zip(slopes, (x, y, a, b), strict=True)
            ]
        )
        return torch.tensor(batch.values.copy(), dtype=x.dtype, device=x.device)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: torch.Tensor) -> Any:
        slopes = ctx.saved_tensors
        shaped = [None if s is None else upstream.to(s.dtype).reshape(-1, *[1] * (s.ndim - 1)) * s for s in slopes]
        return *shaped, None


def _uniform(points: Array) -> Array:
    return np.full(points.shape[:2], 1 / points.shape[1])


def _slopes(x: Array, y: Array, batch: TransportBatch, cost: PointCost) -> tuple[Array, Array, Array, Array]:
    """The gradients of k optimal costs in x, y, a and b, by the envelope theorem."""
    k, n, d = x.shape
    m = y.shape[1]
    plans, potentials = batch.plans or (), batch.potentials or ()
    rows = np.concatenate([plan.rows + i * n for i, plan in enumerate(plans)])
    columns = np.concatenate([plan.columns + i * m for i, plan in enumerate(plans)])
    mass = np.concatenate([plan.mass for plan in plans])
    pull = cost.gradient(x.reshape(-1, d)[rows], y.reshape(-1, d)[columns]) * mass[:, None]
    in_x, in_y = np.zeros((k * n, d)), np.zeros((k * m, d))
    np.add.at(in_x, rows, pull)
    np.subtract.at(in_y, columns, pull)
    f, g = (np.stack([pair[side] for pair in potentials]) for side in (0, 1))
    moved = np.zeros(k)
    np.add.at(moved, columns // m, mass * (g.ravel()[columns] - f.ravel()[rows]))
    total = np.zeros(k)
    np.add.at(total, columns // m, mass)
    shift = 0.5 * (moved / total)[:, None]  # potentials are centred: sum a f = sum b g
    return in_x.reshape(x.shape), in_y.reshape(y.shape), f + shift, g - shift
