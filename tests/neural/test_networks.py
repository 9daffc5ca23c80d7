"""Networks and constraints: what each certifies holds for random critics, trained or not (items S50, X1, X2)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from otdiv import TransportProblem, certify, emd
from otdiv.critics.fitted import in_float64
from otdiv.critics.interval import mean_difference, proved_on_points
from otdiv.errors import InvalidInput
from otdiv.lipschitz import clipped_constant, on_points
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.neural import minmax
from otdiv.neural.constraint_names import CONSTRAINTS
from otdiv.neural.constraints import CONSTRAINT_BY_NAME, norm_product
from otdiv.neural.minmax import MinMaxNetwork, distances, soft_max, soft_min
from otdiv.neural.mlp import MLP, bjorck, linear_layers, max_min, polar, refuse_batch_norm
from otdiv.neural.network_spec import NetworkSizes, NetworkSpec
from otdiv.neural.standardize import Standardizer

torch.set_num_threads(1)
RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(20, 2)), RNG.normal(size=(20, 2)) + np.array([1.0, 0.5])
W1 = 1.082120408207


def random_critic(name: str, seed: int, x, y, *, width: int = 16, depth: int = 2, clip: float = 0.3):
    """An untrained critic of a constraint with weights of random size, repaired as its training would."""
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.from_numpy(points).float() for points in (x, y)]
    sizes = NetworkSizes(width, depth, 3, 8, "relu", clip)
    constraint = CONSTRAINT_BY_NAME[name]
    module = constraint.build(NetworkSpec(sizes, tensors[0], tensors[1], torch.ones(len(y)), None, generator))
    with torch.no_grad():
        for parameter in module.parameters():
            if name == "orthonormal":  # its retraction repairs small steps only
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
                continue
            parameter.mul_(float(torch.rand(1, generator=generator)) * 4)
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    for _ in range(20 if name == "orthonormal" else 3):
        constraint.project(module, sizes)
    if constraint.at_end is not None:
        constraint.at_end(module)
    return in_float64(module, Standardizer(np.zeros(x.shape[1]), 1.0), 1.0), constraint


def as_function(module):
    return lambda z: module(torch.from_numpy(np.array(z))).detach().numpy()


def test_the_pair_of_the_lecture():
    assert emd(X, Y).value == pytest.approx(W1, abs=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_x1_2400_random_critics_never_prove_too_much(name):
    """300 random critics of each of 8 constraints, of random size: V <= L W1, no proved lower end above the exact EMD.

    Each proof is tried: the constant (by norms of layers or by construction), and both c-transforms.
    """
    rng = np.random.default_rng(5)
    proved_most = 0.0
    for d in (1, 2, 8):
        x, y = rng.normal(size=(20, d)), 0.5 * rng.normal(size=(15, d)) + 1
        exact = emd(x, y)
        for seed in range(100):
            width, depth = int(rng.integers(1, 24)), int(rng.integers(1, 4))
            module, constraint = random_critic(name, seed, x, y, width=width, depth=depth)
            bound = constraint.bound(module.inner)
            f = as_function(module)
            value, _ = mean_difference(f, exact.problem.mu, exact.problem.nu)
            assert bound is not None and bound.kind == "upper"
            assert abs(value) <= bound.value * exact.value * (1 + 1e-9)
            proved = proved_on_points(f, exact.problem, bound.value)
            assert 0 <= proved.lower <= exact.upper
            assert proved.upper >= exact.lower
            proved_most = max(proved_most, proved.lower / exact.value)
    assert proved_most > 0.5  # the bounds say something


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_slopes_stay_below_the_certified_constant(name):
    for seed in range(10):
        module, constraint = random_critic(name, seed, X, Y)
        z = np.concatenate([X, Y, np.random.default_rng(seed).normal(size=(200, 2)) * 3])
        slope = on_points(as_function(module)(z), z).value
        assert slope <= constraint.bound(module.inner).value * (1 + 1e-9)
        assert slope > 0


def test_a_critic_that_is_too_steep_is_seen():
    module, _ = random_critic("min-max", 0, X, Y)
    z = np.concatenate([X, Y])
    assert on_points(2 * as_function(module)(z), z).value > 1.5


def test_x2_the_extension_of_the_exact_potential_is_an_exact_critic():
    from otdiv.potentials.c_transform import mcshane, to_lipschitz

    exact = emd(X, Y)
    one = to_lipschitz(exact.problem, exact.f, exact.g)
    f = mcshane(one.u, one.points)
    value, _ = mean_difference(f, exact.problem.mu, exact.problem.nu)
    assert value == pytest.approx(W1, abs=1e-11)
    z = np.concatenate([X, Y, np.random.default_rng(0).normal(size=(100, 2))])
    assert on_points(f(z), z).value <= 1 + 1e-12


def test_s50_clipped_weights_stay_below_the_lectures_bound():
    for seed in range(20):
        module, _ = random_critic("clipping", seed, X, Y, width=32, clip=0.01)
        assert max(float(p.abs().max()) for p in module.parameters()) <= 0.01 + 1e-9
        assert norm_product(module.inner).value <= clipped_constant(0.01, (2, 32, 32, 1)).value * (1 + 1e-6)


def test_spectral_norms_are_one_and_orthonormal_layers_orthonormal():
    for name in ("spectral", "orthonormal", "frobenius"):
        module, constraint = random_critic(name, 3, X, Y)
        norms = [np.linalg.norm(layer.weight.numpy(), 2) for layer in linear_layers(module)]
        assert max(norms) <= 1 + 1e-6
        assert constraint.bound(module.inner).value <= 1 + 1e-5
        if name == "orthonormal":
            for layer in linear_layers(module):
                assert np.linalg.svd(layer.weight.numpy(), compute_uv=False).min() >= 1 - 1e-6
        if name == "frobenius":
            assert min(norms) < 0.95  # looser: this is what it loses


def test_bjorck_goes_to_the_polar_factor():
    W = polar(torch.randn(5, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    near = W + 0.05 * torch.randn(5, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(bjorck(near, 10), polar(near), atol=1e-12)
    assert not torch.allclose(near @ near.T, torch.eye(5, dtype=torch.float64), atol=1e-2)


def test_max_min_sorts_pairs_and_keeps_the_norm():
    z = torch.tensor([[1.0, 2.0, 5.0, 3.0]])
    assert max_min(z).tolist() == [[2.0, 1.0, 5.0, 3.0]]


def test_soft_minimum_and_its_gradient():
    v = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.allclose(soft_min(v, 0.3), -0.3 * torch.logsumexp(-v / 0.3, dim=-1))
    assert torch.autograd.gradcheck(lambda t: soft_min(t, 0.3), (v,))
    assert torch.allclose(soft_max(v, 1e-4), v.max(dim=-1).values, atol=1e-3)
    assert torch.equal(soft_min(v, 0.0), v.min(dim=-1).values)


def test_distances_keep_their_digits_at_near_coincidences():
    z = torch.tensor([[1e3, 1.0], [1e3, 1.0 + 1e-7]], dtype=torch.float64)
    assert float(distances(z, z)[0, 1]) == pytest.approx(1e-7, rel=1e-6)
    assert float(distances(z, z)[0, 0]) == 0.0


@pytest.mark.parametrize("temperature", [0.5, 0.05, 0.0])
def test_min_max_is_1_lipschitz_while_soft_as_well(temperature):
    module = MinMaxNetwork.drawn(torch.randn(50, 3), 4, 8, torch.Generator().manual_seed(0)).double()
    module.temperature = temperature
    z = np.random.default_rng(0).normal(size=(150, 3))
    assert 0.3 < on_points(as_function(module)(z), z).value <= 1 + 1e-9


def test_batch_norm_is_refused():
    refuse_batch_norm(nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3)))
    with pytest.raises(InvalidInput, match=r"network must be a function of one point; got batch norm in layer '1'"):
        refuse_batch_norm(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


def test_an_unknown_network_has_no_product_of_norms():
    assert norm_product(nn.Linear(2, 1)) is None
    assert norm_product(MLP(2, 4, 1, "tanh", torch.Generator().manual_seed(0))).kind == "upper"


def test_certify_never_believes_a_steep_critic():
    """300 random functions, up to a thousand times too steep: none proves more than the exact distance."""
    rng = np.random.default_rng(7)
    problem = TransportProblem(DiscreteMeasure(X), DiscreteMeasure(Y))
    for k in range(300):
        steep = 10.0 ** rng.uniform(-2, 3)
        direction = rng.normal(size=2)
        f = steep * np.sin(X @ direction + k)
        assert certify(problem, None, (f, None)).bounds.lower <= W1 + 1e-9


def test_coincident_points_are_computed_in_blocks(monkeypatch):
    """With the cancellation left in, the distances of points that nearly coincide would be off by 1e-8."""
    z = 100 + 1e-6 * np.random.default_rng(0).random((30, 5))
    exact = np.sqrt(((z[:, None] - z[None]) ** 2).sum(axis=2))
    monkeypatch.setattr(minmax, "_NEAR_ENTRIES", 40)
    np.testing.assert_allclose(minmax.distances(*[torch.from_numpy(z)] * 2), exact, rtol=1e-12, atol=0)


@pytest.mark.parametrize("stacked", [False, True])
def test_the_gradient_of_soft_cones_by_hand_is_that_of_the_chain(stacked):
    """In float32, one step's points; an atom that is a point has no slope there in either."""
    rng = torch.Generator().manual_seed(0)
    z, atoms = torch.randn(200, 3, generator=rng), torch.randn(40, 3, generator=rng)
    atoms[:5] = z[:5]
    network = MinMaxNetwork.of_potential(atoms, 0.1 * torch.randn(40, generator=rng))
    weights = [network.centres, network.cone_heights]
    if stacked:
        network.temperature = torch.tensor([0.2, 0.05])
        z = torch.stack([z, 2 * z])
        weights = [torch.stack([weight, weight]).detach().requires_grad_(True) for weight in weights]
    outer = torch.randn(z.shape[:-1], generator=rng)

    def value_and_gradients():
        changed = dict(zip(("centres", "cone_heights"), weights, strict=True))
        values = torch.func.functional_call(network, changed, (z,))
        return values, *torch.autograd.grad((outer * values).sum(), weights)

    by_hand = value_and_gradients()
    assert network._rising
    network._rising = False
    torch.testing.assert_close(by_hand, value_and_gradients(), rtol=1e-4, atol=2e-4)
    with torch.no_grad():
        soft = torch.func.functional_call(network, dict(zip(("centres", "cone_heights"), weights, strict=True)), (z,))
    torch.testing.assert_close(by_hand[0], soft)
