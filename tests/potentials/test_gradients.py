"""Derivatives of the exact value, against finite differences; exact transport as a training loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otdiv import emd
from otdiv.autograd import emd_loss, emd_loss_many
from otdiv.costs import Power, as_cost
from otdiv.errors import InvalidInput

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3", Power(as_cost("euclidean"), 1.5))


def slope(value, at, direction, step=1e-6):
    return (value(at + step * direction) - value(at - step * direction)) / (2 * step)


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost if isinstance(cost, str) else cost.name)
def test_in_the_points(cost):
    rng = np.random.default_rng(0)
    x, y, a, b = (
        rng.normal(size=(12, 3)),
        rng.normal(size=(9, 3)),
        rng.dirichlet(np.ones(12)),
        rng.dirichlet(np.ones(9)),
    )
    found = emd(x, y, a, b, cost=cost).gradients
    for _ in range(5):
        u, v = rng.normal(size=x.shape), rng.normal(size=y.shape)
        assert slope(lambda z: emd(z, y, a, b, cost=cost).value, x, u) == pytest.approx((found.x * u).sum(), abs=1e-6)
        assert slope(lambda z: emd(x, z, a, b, cost=cost).value, y, v) == pytest.approx((found.y * v).sum(), abs=1e-6)
    # translating both clouds changes nothing: the pulls add up to zero
    assert np.abs(found.x.sum(axis=0) + found.y.sum(axis=0)).max() < 1e-12


def test_in_the_weights():
    rng = np.random.default_rng(1)
    x, y, a, b = (
        rng.normal(size=(12, 3)),
        rng.normal(size=(9, 3)),
        rng.dirichlet(np.ones(12)),
        rng.dirichlet(np.ones(9)),
    )
    result = emd(x, y, a, b)
    found = result.gradients
    assert result.uniqueness.potentials  # then the value is differentiable in the weights
    assert a @ found.a == pytest.approx(b @ found.b) == pytest.approx(result.value / 2)
    for _ in range(5):
        u, v = rng.normal(size=12), rng.normal(size=9)
        u -= u.mean()
        v -= v.mean()
        assert slope(lambda w: emd(x, y, w, b).value, a, u, 1e-7) == pytest.approx(found.a @ u, abs=1e-5)
        assert slope(lambda w: emd(x, y, a, w).value, b, v, 1e-7) == pytest.approx(found.b @ v, abs=1e-5)


def test_s22_the_lectures_generator_gradient():
    """x_g = t (0, 1, 2.5) against (0.4, 2.2, 3): W(1) = 0.7, dW/dt = -7/6."""
    z, y = np.array([0.0, 1.0, 2.5]), np.array([0.4, 2.2, 3.0])
    result = emd(1.0 * z, y)
    assert result.value == pytest.approx(0.7)
    assert (result.gradients.x[:, 0] * z).sum() == pytest.approx(-7 / 6)


def test_where_the_plan_is_not_unique_it_is_one_sided():
    """Two sources between two targets: both plans are optimal, and the kink shows in the two one-sided slopes."""
    x, y = np.array([[0.0, 1.0], [0.0, -1.0]]), np.array([[1.0, 0.0], [-1.0, 0.0]])
    result = emd(x, y)
    assert not result.uniqueness.plan
    turn = np.array([[1.0, 0.0], [-1.0, 0.0]])
    ahead = (emd(x + 1e-6 * turn, y).value - result.value) / 1e-6
    behind = (result.value - emd(x - 1e-6 * turn, y).value) / 1e-6
    assert ahead == pytest.approx(-behind, rel=1e-3) and abs(ahead) > 0.5
    assert min(ahead, behind) - 1e-5 <= (result.gradients.x * turn).sum() <= max(ahead, behind) + 1e-5


@pytest.mark.parametrize("cost", ["discrete", np.zeros((2, 2))], ids=["discrete", "matrix"])
def test_costs_without_a_gradient_are_refused(cost):
    found = emd([0.0, 1.0], [0.0, 1.0], cost=cost).gradients
    assert found.a @ [0.5, 0.5] == found.b @ [0.5, 0.5] == 0, "those in the weights are there"
    with pytest.raises(InvalidInput, match="cost must have a gradient"):
        found.x  # noqa: B018


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock"])
def test_torch_gradcheck(cost):
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(k, 2, dtype=torch.float64, generator=generator).requires_grad_() for k in (6, 5))
    logits = torch.randn(6, dtype=torch.float64, generator=generator).requires_grad_()

    def loss(x, y, logits):
        return emd_loss(x, y, torch.softmax(logits, 0), None, cost=cost)

    assert torch.autograd.gradcheck(loss, (x, y, logits), eps=1e-7, atol=1e-5)


def test_a_cloud_descends_to_its_target():
    """Gradient steps on the exact loss move one cloud onto another; no critic, no regularisation."""
    generator = torch.Generator().manual_seed(1)
    y = torch.randn(64, 2, generator=generator) + 3.0
    x = torch.randn(64, 2, generator=generator).requires_grad_()
    optimiser = torch.optim.SGD([x], lr=16.0)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = emd_loss(x, y, cost="sqeuclidean")
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 10 and losses[-1] < 1e-6
    assert x.grad.dtype == torch.float32


def test_vectors_are_points_on_the_line_and_errors_are_readable():
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    emd_loss(x, torch.tensor([2.0, 3.0])).backward()
    assert x.grad.shape == (2,) and x.grad.tolist() == [-0.5, -0.5]
    with pytest.raises(InvalidInput, match="x must be a tensor of floats"):
        emd_loss(np.zeros((2, 2)), torch.zeros(2, 2))
    with pytest.raises(InvalidInput, match="x must be a tensor of floats"):
        emd_loss(torch.zeros(2, dtype=torch.int64), torch.zeros(2))
    with pytest.raises(ValueError, match="points must be finite"):
        emd_loss(torch.tensor([float("nan")]), torch.zeros(1))


def test_weights_after_a_softmax_may_be_of_single_precision():
    """Their total differs from 1 by the rounding of their type; a larger difference is still refused."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        logits = torch.randn(40, generator=generator, requires_grad=True)
        other = torch.softmax(torch.randn(50, generator=generator), 0)
        points = torch.randn(40, 2, generator=generator), torch.randn(50, 2, generator=generator)
        loss = emd_loss(*points, torch.softmax(logits, 0), other)
        loss.backward()
        exact = emd(
            *(p.numpy() for p in points), torch.softmax(logits, 0).double().detach(), other.double(), normalize=True
        )
        assert loss.item() == pytest.approx(exact.value, rel=1e-5) and bool(torch.isfinite(logits.grad).all())
    with pytest.raises(InvalidInput, match="same total mass"):
        emd_loss(*points, torch.full((40,), 0.026), other)
    with pytest.raises(InvalidInput, match="same total mass"):  # float64 has no such rounding
        emd_loss(
            *points, torch.full((40,), 0.025 * (1 + 1e-6), dtype=torch.float64), other.double() / other.double().sum()
        )


@pytest.mark.parametrize("cost", COSTS[:5])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_at_once_are_the_single_ones(cost, weighted):
    """Values, and derivatives in points and weights, of problems with one plan and one pair of potentials each."""
    generator = torch.Generator().manual_seed(0)
    x, y, u, v = (torch.randn(shape, generator=generator) for shape in ((5, 9, 2), (5, 7, 2), (5, 9), (5, 7)))
    inputs = [tensor.requires_grad_() for tensor in (x, y, u, v)]

    def weights():
        return (torch.softmax(u, 1), torch.softmax(v, 1)) if weighted else (None, None)

    a, b = weights()
    many = emd_loss_many(x, y, a, b, cost=cost)
    one_by_one = torch.stack(
        [emd_loss(x[i], y[i], *(None if w is None else w[i] for w in weights()), cost=cost) for i in range(5)]
    )
    assert many.dtype == torch.float32 and torch.allclose(many, one_by_one, rtol=1e-6)
    factors = torch.arange(1.0, 6.0)
    for used, tensor in zip((True, True, weighted, weighted), inputs, strict=True):
        if used:
            found, single = (
                torch.autograd.grad((values * factors).sum(), tensor, retain_graph=True)[0]
                for values in (many, one_by_one)
            )
            assert torch.allclose(found, single, atol=1e-6), cost


def test_many_refuse_other_shapes():
    with pytest.raises(InvalidInput, match=r"x and y must have shapes"):
        emd_loss_many(torch.zeros(3, 2), torch.zeros(3, 2))
    with pytest.raises(InvalidInput, match=r"x must be a tensor"):
        emd_loss_many(np.zeros((2, 3, 2)), torch.zeros(2, 3, 2))
    with pytest.raises(InvalidInput, match="problem 0"):
        emd_loss_many(torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), torch.full((2, 3), 0.4))
