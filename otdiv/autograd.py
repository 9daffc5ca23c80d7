"""Exact transport as a training loss for torch; importing this module imports torch.

The value is exact, not regularised; its gradient comes from the optimal plan
and potentials (envelope theorem), so no graph is kept through the solver.
"""

from __future__ import annotations

from typing import Any

import torch

from otdiv.core.validation import invalid
from otdiv.costs import as_cost
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem
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
    for name, points in (("x", x), ("y", y)):
        if not isinstance(points, torch.Tensor) or not points.is_floating_point():
            raise invalid(name, "be a tensor of floats", type(points).__name__, "For arrays use otdiv.emd.")
    return _ExactTransport.apply(x, y, a, b, cost)


def _measures(x: Any, y: Any, a: Any, b: Any) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """Both measures; totals that differ by the rounding of the weights' own type are made equal."""
    mu, nu = DiscreteMeasure(x, a), DiscreteMeasure(y, b)
    given = [weights.dtype for weights in (a, b) if isinstance(weights, torch.Tensor) and weights.is_floating_point()]
    rounding = _ROUNDINGS * max((torch.finfo(dtype).eps for dtype in given), default=0.0)
    if abs(mu.mass - nu.mass) <= rounding * mu.mass:
        nu = DiscreteMeasure(nu.points, nu.weights * (mu.mass / nu.mass))
    return mu, nu


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
