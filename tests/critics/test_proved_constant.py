"""The proved constant of a critic: found in the forward of any class, smaller than the product, never below a slope."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from otdiv import DiscreteMeasure, critics
from otdiv.critics import audit
from otdiv.critics.auditing.network_layers import network_layers
from otdiv.critics.auditing.proved_constant import prove_constant
from otdiv.critics.reading.adapters import read_critic
from otdiv.datasets import radial
from otdiv.lipschitz.layers import evaluate

SAMPLE = radial(3).sample(60, np.random.default_rng(0))


class Usual(nn.Module):
    """Written as most critics are."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.fc1, self.fc2, self.fc3 = nn.Linear(3, 16), nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, x):
        x = nn.functional.leaky_relu(self.fc1(x.view(x.size(0), -1)), 0.2)
        x = torch.tanh(self.fc2(x))
        return self.fc3(x).squeeze(1)


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.AvgPool2d(2), nn.Flatten()
        )
        self.last = nn.Linear(12, 1)

    def forward(self, x):
        return self.last(self.body(x))


def evaluated(module, points, shape=None):
    found = network_layers(module, points.shape[1], shape)
    assert found is not None and found.chain is not None
    given = torch.tensor(points if shape is None else points.reshape(-1, *shape))
    with torch.no_grad():
        own = module.double().eval()(given).reshape(-1).numpy()
    return found, evaluate(found.chain, points)[0][:, 0], own


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        Usual,
        lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 1))),
        lambda: nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 4), nn.ELU(), nn.Tanh(), nn.Linear(4, 1), nn.Softplus()),
        lambda: nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Linear(3, 8)), nn.Sigmoid(), nn.Linear(8, 1)
        ).eval(),
        lambda: nn.DataParallel(Usual()),
        lambda: torch.compile(Usual(), backend="eager"),
    ],
    ids=["class", "nested", "activations in a row", "spectral norm", "data parallel", "compiled"],
)
def test_the_chain_of_layers_is_the_module(make):
    _, values, own = evaluated(make(), SAMPLE.x)
    np.testing.assert_allclose(values, own, atol=1e-6)


def test_convolutions_are_layers_as_well():
    x = np.random.default_rng(0).uniform(size=(5, 64))
    found, values, own = evaluated(Images(), x, (1, 8, 8))
    np.testing.assert_allclose(values, own, atol=1e-6)
    y = x + 0.1 * np.random.default_rng(1).normal(size=x.shape)
    report = audit(Images(), x.reshape(-1, 1, 8, 8), y.reshape(-1, 1, 8, 8))
    assert report.gradient_max <= report.proved_constant < report.constant == pytest.approx(found.product.value)
    large = network_layers(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3600, 1)), 1024, (1, 32, 32)
    )
    assert large.chain is None and large.product.value > 0


class Modal(Usual):
    """Another function in training than in evaluation, and dropout in its usual form."""

    def forward(self, x):
        x = nn.functional.dropout(torch.relu(self.fc1(x)), 0.5, training=self.training)
        return self.fc3(10 * self.fc2(x)) if self.training else self.fc3(torch.relu(self.fc2(x)))


def test_the_forward_of_evaluation_is_traced():
    module = Modal()
    found, values, own = evaluated(module, SAMPLE.x)
    np.testing.assert_allclose(values, own, atol=1e-6)
    module.train()
    again = network_layers(module, 3)
    assert module.training and again.product == found.product
    steep = Modal()
    with torch.no_grad():
        for layer in (steep.fc1, steep.fc2, steep.fc3):
            layer.weight.mul_(3)
    report = audit(steep, SAMPLE.x, SAMPLE.y)
    assert f"the constant is at most {report.proved_constant:.4g}" in report.verdict.remedy


class Residual(Usual):
    def forward(self, x):
        return self.fc3(self.fc2(torch.relu(self.fc1(x))) + self.fc1(x))


class Branching(Usual):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(2 * x)


class Tripled(Usual):
    def forward(self, x):
        return 3 * super().forward(x)


@pytest.mark.parametrize("kind", [Residual, Branching, Tripled])
def test_what_is_no_chain_of_plain_layers_has_no_constant(kind):
    assert network_layers(kind(), 3) is None
    hooked = Usual()
    hooked.fc1.register_forward_hook(lambda layer, inputs, out: 10 * out)
    assert network_layers(hooked, 3) is None
    assert network_layers(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1)), 3) is None
    assert audit(kind(), SAMPLE.x, SAMPLE.y).proved_constant is None


def test_the_audit_prints_proved_found_and_product():
    report = audit(Usual(), SAMPLE.x, SAMPLE.y)
    assert report.gradient_max <= report.proved_constant < report.constant
    text = repr(report)
    assert "proved Lipschitz constant" in text and "product of layer norms" in text and "largest slope found" in text
    assert report.to_dict()["proved_constant"] == report.proved_constant
    assert audit(Usual(), SAMPLE.x, SAMPLE.y, prove=False).proved_constant is None


def test_the_proved_constant_bounds_w1_from_below_where_it_is_small():
    """f = -s z_0 with a network of two equal units: V / L is W1 with the proved constant."""
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        net[2].weight.copy_(torch.tensor([[-1.0, -1.0]]))
    x = np.random.default_rng(0).uniform(1, 2, size=(30, 2))
    mu, nu = DiscreteMeasure(x), DiscreteMeasure(x + [2.0, 0.0])
    found = prove_constant(read_critic(net, 2), mu, nu)
    assert found.smallest.value == pytest.approx(2.0, rel=1e-6) and found.lower == pytest.approx(2.0, rel=1e-6)
    assert found.lower <= 2.0


def test_a_critic_of_otdiv_is_proved_in_the_unit_of_the_points():
    for scale in (1.0, 100.0):
        critic = critics.fit(
            scale * SAMPLE.x, scale * SAMPLE.y, constraint="one-sided-penalty", steps=60, width=16, device="cpu"
        )
        report = audit(critic, scale * SAMPLE.x, scale * SAMPLE.y)
        assert report.gradient_max <= report.proved_constant * (1 + 1e-9) < report.constant
        assert report.proved.lower <= report.exact * (1 + 1e-9)


def test_a_network_that_is_read_wrongly_is_not_believed(monkeypatch):
    from otdiv.critics.auditing import proved_constant

    def other(module, d, shape=None):
        return network_layers(Usual(seed=1), d, shape)

    monkeypatch.setattr(proved_constant, "network_layers", other)
    assert audit(Usual(seed=0), SAMPLE.x, SAMPLE.y).proved_constant is None


def test_halving_finds_a_step_that_lies_between_the_points():
    def steps(z):
        return -z[:, 0] - 0.05 * np.tanh(40 * (z[:, 0] - 3.0))  # slope 3 at 3, out of reach of gradients at the points

    x = np.column_stack([np.linspace(2.0, 2.2, 20), np.arange(20.0)])
    report = audit(steps, x, x + [2.0, 0.0])
    assert report.slope_found == pytest.approx(3.0, rel=0.05) and report.secant < 1.5
    assert report.verdict.word == "not 1-Lipschitz"


def test_the_search_climbs_a_piecewise_linear_critic():
    def kink(z):
        return -np.maximum(z[:, 0], 4 * z[:, 0] - 6.0)  # four times as steep beyond 2

    x = np.random.default_rng(0).uniform(0, 1.5, size=(50, 2))
    report = audit(kink, x, x + [0.6, 0.0])
    assert report.gradient_max == pytest.approx(4.0, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_in_the_plane_no_slope_that_is_found_is_above_the_constant_on_the_box(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 1))
    sample = radial(2).sample(50, np.random.default_rng(seed))
    report = audit(net, sample.x, sample.y)
    assert report.slope_found <= report.proved_constant * (1 + 1e-5) <= 1.0001 * report.slope_found
    assert "linear pieces on the points' box" in report.proved_by and report.proved_constant < 0.8 * report.constant
