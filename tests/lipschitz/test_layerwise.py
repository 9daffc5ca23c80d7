"""Proved constants of networks: below the product of norms, above every slope, and refused when tampered with."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from otdiv.errors import InvalidInput
from otdiv.lipschitz import (
    Layer,
    activation,
    box_constant,
    layerwise_constant,
    network_constant,
    prove_layerwise,
    verify_layerwise,
)
from otdiv.lipschitz.layers import NAMES, evaluate
from otdiv.lipschitz.layerwise import positive_semidefinite


def network(*sizes, name="relu", parameter=None, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    layers = []
    for k, (p, q) in enumerate(zip(sizes, sizes[1:], strict=False)):
        last = k == len(sizes) - 2
        W = scale * rng.normal(size=(q, p)) / np.sqrt(p)
        layers.append(Layer(W, rng.normal(size=q), activation("identity" if last else name, parameter)))
    return layers


def attained(layers, points, step=1e-6):
    """Largest difference quotient between close points: a lower bound of the constant, but for 1e-8 of rounding."""
    rng = np.random.default_rng(1)
    moves = rng.normal(size=points.shape)
    moves *= step / np.linalg.norm(moves, axis=1, keepdims=True)
    rise = evaluate(layers, points + moves)[0] - evaluate(layers, points)[0]
    return float(np.linalg.norm(rise, axis=1).max() / step)


@pytest.mark.parametrize(("name", "parameter"), [(n, {"leaky_relu": 0.2, "softplus": 2.0}.get(n)) for n in NAMES])
def test_every_slope_is_below_the_bound_and_the_bound_below_the_product(name, parameter):
    layers = network(3, 12, 12, 1, name=name, parameter=parameter)
    bound = layerwise_constant(layers)
    steepest = activation(name, parameter).high
    product = network_constant([one.weight for one in layers]).value * steepest**2
    assert bound.kind == "upper" and bound.value <= product * (1 + 1e-4)
    if layers[0].activation.value is not None:
        points = np.random.default_rng(2).normal(size=(3000, 3)) * 2
        assert attained(layers, points) <= bound.value * (1 + 1e-6)
    if name == "relu":
        assert bound.value < 0.8 * product


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "tanh", "sigmoid", "softplus", "elu"])
def test_declared_slopes_are_those_of_the_values(name):
    sigma = activation(name)
    z = np.linspace(-6, 6, 4001)
    quotients = np.diff(sigma.value(z)) / np.diff(z)
    assert sigma.low - 1e-9 <= quotients.min() and quotients.max() <= sigma.high + 1e-9
    least, most = sigma.slopes(z[:-1], z[1:])
    assert (least <= quotients + 1e-9).all() and (quotients <= most + 1e-9).all()


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_ranges_of_smooth_activations_hold_the_derivatives(name):
    torch = pytest.importorskip("torch")
    z = torch.linspace(-8, 8, 20001, dtype=torch.float64, requires_grad=True)
    forms = [torch.nn.functional.silu(z)]
    if name == "gelu":
        forms = [torch.nn.functional.gelu(z, approximate=form) for form in ("none", "tanh")]
    for form in forms:
        (slope,) = torch.autograd.grad(form.sum(), z, retain_graph=True)
        assert activation(name).low < float(slope.min()) and float(slope.max()) < activation(name).high


def lipsdp(layers):
    """The semidefinite program of Fazlyab et al. 2019 with one multiplier a unit, for slopes in [0, 1]."""
    W = [one.weight for one in layers]
    square = cp.Variable()
    t = [cp.Variable(len(w), nonneg=True) for w in W[:-1]]
    sizes = [W[0].shape[1], *(len(w) for w in W[:-1])]
    blocks = [[np.zeros((p, q)) for q in sizes] for p in sizes]
    blocks[0][0] = square * np.eye(sizes[0])
    for k, w in enumerate(W[:-1]):
        T = cp.diag(t[k])
        blocks[k + 1][k + 1] = T
        blocks[k + 1][k], blocks[k][k + 1] = -T @ w / 2, -(w.T @ T) / 2
    blocks[-1][-1] = blocks[-1][-1] - W[-1].T @ W[-1]
    whole = cp.bmat(blocks)
    cp.Problem(cp.Minimize(square), [(whole + whole.T) / 2 >> 0]).solve(solver=cp.CLARABEL)
    return float(np.sqrt(square.value))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_multipliers_reach_the_optimum_of_the_semidefinite_program(seed):
    layers = network(2, 8, 7, 1, seed=seed)
    assert layerwise_constant(layers).value == pytest.approx(lipsdp(layers), rel=2e-3)


def test_one_layer_and_several_outputs():
    (only,) = network(4, 3)
    assert layerwise_constant([only]).value == pytest.approx(np.linalg.norm(only.weight, 2), rel=1e-5)
    layers = network(3, 10, 2)
    points = np.random.default_rng(2).normal(size=(3000, 3))
    bound = layerwise_constant(layers).value
    assert attained(layers, points) <= bound <= network_constant([one.weight for one in layers]).value


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_unit_does_not_matter(scale):
    plain, scaled = network(3, 8, 8, 1), network(3, 8, 8, 1, scale=scale)
    assert layerwise_constant(scaled).value == pytest.approx(scale**3 * layerwise_constant(plain).value, rel=1e-4)


def tampered(certificate):
    """Certificates with one entry changed, each of which claims more than is true, or nothing."""
    form, t = certificate.forms[1].copy(), certificate.multipliers[0].copy()
    form[2, 2] *= 1.01
    yield "a form's entry", replace(certificate, forms=(certificate.forms[0], form))
    crooked = certificate.forms[0].copy()
    crooked[0, 1] += 1e-6
    yield "a form that is not symmetric", replace(certificate, forms=(crooked, certificate.forms[1]))
    t[3] *= 0.9
    yield "a multiplier", replace(certificate, multipliers=(t, certificate.multipliers[1]))
    yield "a negative multiplier", replace(certificate, multipliers=(-t, certificate.multipliers[1]))
    yield "the square", replace(certificate, square=certificate.square * 0.999)
    weight = certificate.weights[1].copy()
    weight[0, 0] += 0.05 * np.sign(weight[0, 0])
    yield "a weight", replace(certificate, weights=(certificate.weights[0], weight, certificate.weights[2]))
    yield "slopes", replace(certificate, slopes=((0.0, 1.1), (0.0, 1.0)))
    yield "NaN", replace(certificate, square=float("nan"))
    yield "a step left out", replace(certificate, forms=certificate.forms[:1])
    yield "scales beyond float64", replace(certificate, multipliers=(t * 1e-200, certificate.multipliers[1]))


def test_a_tampered_certificate_is_refused():
    certificate = prove_layerwise(network(3, 8, 8, 1))
    assert verify_layerwise(certificate).value > 0
    kinds = list(tampered(certificate))
    assert len(kinds) == 10
    for kind, changed in kinds:
        with pytest.raises(InvalidInput, match="certificate must prove its bound"):
            pytest.fail(f"{kind}: {verify_layerwise(changed)}")


def test_definite_matrices_are_proved_and_others_are_not():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(20, 20))
    gram = A @ A.T
    least = float(np.linalg.eigvalsh(gram)[0])
    none = np.zeros_like(gram)
    assert positive_semidefinite(gram + 1e-6 * np.eye(20), none)
    assert not positive_semidefinite(gram - (least + 1e-9) * np.eye(20), none)
    assert not positive_semidefinite(gram, np.full_like(gram, least))  # within the errors some are not
    assert not positive_semidefinite(np.array([[1.0, np.nan], [np.nan, 1.0]]), np.zeros((2, 2)))
    assert not positive_semidefinite(np.array([[0.0, 1.0], [1.0, 1.0]]), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("name", "parameter", "ratio"),
    # where kinks of a piecewise linear network cross, their units are enclosed one by one
    [("relu", None, 1.25), ("leaky_relu", 0.2, 1.25), ("tanh", None, 1.1), ("softplus", 3.0, 1.1)],
)
def test_the_constant_on_a_box_closes_on_the_true_slope(name, parameter, ratio):
    layers = network(2, 6, 6, 1, name=name, parameter=parameter, seed=3)
    upper, lower = box_constant(layers, [-1.0, -1.0], [1.0, 1.0], most_boxes=3000)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 120)] * 2), axis=-1).reshape(-1, 2)
    inside = attained(layers, grid * (1 - 1e-6))
    assert inside <= upper.value * (1 + 1e-6) and lower.value <= upper.value
    assert upper.value <= ratio * inside and lower.value >= 0.95 * inside


def test_a_box_knows_which_units_are_off():
    layers = [
        Layer(np.array([[1.0], [1.0]]), np.array([0.0, -10.0]), activation("relu")),
        Layer(np.array([[1.0, 5.0]]), np.array([0.0]), activation("identity")),
    ]
    assert box_constant(layers, [0.5], [9.0])[0].value == pytest.approx(1.0)
    assert box_constant(layers, [0.5], [11.0])[0].value == pytest.approx(6.0)
    assert layerwise_constant(layers).value == pytest.approx(6.0, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layerwise_constant([]), "hold at least one layer"),
        (lambda: layerwise_constant(network(2, 3, 1)[:1]), "end with an affine map"),
        (lambda: layerwise_constant([*network(2, 3), *network(2, 1)]), "layers must fit each other"),
        (lambda: activation("cube"), "activation must be one of"),
        (lambda: box_constant(network(2, 3, 1), [0.0, 0.0], [1.0, -1.0]), "be corners of a box"),
        (lambda: box_constant(network(2, 3, 1, name="gelu"), [0.0, 0.0], [1.0, 1.0]), "known slopes"),
        (lambda: layerwise_constant(network(2, 3, 1, scale=0.0)), "proved definite"),
        (lambda: evaluate(network(2, 3, 1, name="gelu"), np.zeros((1, 2))), "known values"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
