"""The audit judges what the critic's forward computes, in its own format and the caller's context."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from otdiv import DiscreteMeasure, critics, emd
from otdiv.critics import audit
from otdiv.divergences import kl
from otdiv.errors import InvalidInput

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = X + [2.0, 0.0]


def down() -> nn.Linear:
    """f(z) = -z_0, an exact potential of (X, Y)."""
    layer = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-1.0, 0.0]]))
    return layer


class Answering(nn.Module):
    """A critic that answers in one of several forms."""

    def __init__(self, form):
        super().__init__()
        self.layer, self.form = down(), form

    def forward(self, z):
        s = self.layer(z)
        return {"tuple": (z, s), "list": [z, s], "dict": {"features": z, "score": s}, "none": None}[self.form]


@pytest.mark.parametrize(
    ("form", "said", "output"),
    [
        ("tuple", r"got a tuple of 2\. Pass output=0", 1),
        ("list", r"got a list of 2\. Pass output=0", -1),
        ("dict", r"got a dict with 'features', 'score'\. Pass output='features'", "score"),
    ],
)
def test_of_several_outputs_one_is_selected_by_name(form, said, output):
    with pytest.raises(InvalidInput, match=said):
        audit(Answering(form), X, Y)
    report = audit(Answering(form), X, Y, output=output)
    assert report.verdict.word == "agrees" and report.value == pytest.approx(2, abs=1e-6)
    assert report.gradient_max == pytest.approx(1, abs=1e-6)
    with pytest.raises(InvalidInput, match="output must be"):
        audit(Answering(form), X, Y, output="nothing" if form == "dict" else 7)


def test_none_and_needless_selections_are_refused():
    with pytest.raises(InvalidInput, match=r"got None\. Return the values from its forward"):
        audit(Answering("none"), X, Y)
    with pytest.raises(InvalidInput, match="output must be left out"):
        audit(down(), X, Y, output=1)
    with pytest.raises(InvalidInput, match="critic must return numbers"):
        audit(lambda z: np.array(["a"] * len(z)), X, Y)


def test_forward_is_judged_and_no_attribute():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = down()

        def forward(self, z):
            return 3 * self.module(z)

    report = audit(Scaled(), X, Y)
    assert report.verdict.word == "not 1-Lipschitz"
    assert report.value == pytest.approx(6, abs=1e-5) and report.gradient_max == pytest.approx(3, abs=1e-6)

    class Keeper:  # no module itself: the one that it keeps is meant
        module = down()

    assert audit(Keeper(), X, Y).value == pytest.approx(2, abs=1e-6)
    assert audit(nn.DataParallel(down()), X, Y).verdict.word == "agrees"


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_the_callers_context_changes_nothing(context):
    outside = audit(down(), X, Y)
    layer = down()
    with context():
        inside = audit(layer, X, Y)
        fitted = critics.fit(X, Y, constraint="spectral", steps=3)
        value = critics.estimate(X, Y, steps=5, rng=0).value
    assert inside.gradient_max == outside.gradient_max and inside.verdict == outside.verdict
    assert fitted.lipschitz.value <= 1 + 1e-9
    assert value == critics.estimate(X, Y, steps=5, rng=0).value


def test_a_nan_gradient_hides_no_slope():
    class Ripple(nn.Module):
        """-x with ripples of slope 20 that vanish at the points; the root has no gradient at the origin."""

        def __init__(self, root):
            super().__init__()
            self.root = root

        def forward(self, z):
            f = -z[:, 0] + 0.2 * torch.sin(100 * z[:, 1])
            return f + 0 * torch.sqrt((z**2).sum(1)) if self.root else f

    x = np.column_stack([np.zeros(20), np.arange(20) * np.pi / 50])
    y = x + [2.0, 0]
    plain, rooted = audit(Ripple(False), x, y), audit(Ripple(True), x, y)
    assert plain.verdict.word == rooted.verdict.word == "not 1-Lipschitz"
    assert rooted.gradient_max > 19 and plain.undefined_gradients == 0
    assert rooted.undefined_gradients >= 1 and "NaN or infinite" in repr(rooted)
    with pytest.raises(InvalidInput, match="critic must have a gradient somewhere"):
        audit(nn.Sequential(down(), Nothing()), x, y)


class Nothing(nn.Module):
    def forward(self, s):
        return s + 0 * torch.sqrt(s - s.detach())


@pytest.mark.parametrize("d", [2, 50, 100])
@pytest.mark.parametrize("kind", [np.float32, "values of float32"])
def test_a_function_of_single_precision_is_as_steep_as_it_is(d, kind):
    rng = np.random.default_rng(0)
    w = rng.normal(size=d)
    w /= np.linalg.norm(w)
    x = rng.normal(size=(60, d))

    def single(z):
        values = z.astype(np.float32) @ (-w).astype(np.float32)
        return values if kind is np.float32 else values.astype(np.float64)

    report = audit(single, x, x + 2 * w)
    assert report.verdict.word == "agrees" and report.gradient_max == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_critic_of_half_precision_is_no_steeper_for_its_rounding(dtype):
    report = audit(down().to(dtype), X, Y)
    assert report.verdict.word == "agrees" and report.violated == 0.0
    steep = down()
    with torch.no_grad():
        steep.weight.mul_(2)
    assert audit(steep.to(dtype), X, Y).verdict.word == "not 1-Lipschitz"


def test_one_point_is_a_block_as_well():
    class Squeezing(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = down()

        def forward(self, z):
            return self.layer(z).squeeze()

    assert audit(Squeezing(), X[:1], Y[:1]).verdict.word == "agrees"


def test_functions_of_tensors_and_bound_forwards_are_read():
    layer = down()
    for critic in (lambda z: layer(torch.as_tensor(z, dtype=torch.float32)), layer.forward, lambda z: layer(z)):
        report = audit(critic, X, Y)
        assert report.verdict.word == "agrees" and report.gradient_max == pytest.approx(1, abs=1e-3)
    with pytest.raises(InvalidInput, match="critic must take points of dimension 2"):
        audit(lambda z: z[:, 5], X, Y)


def test_held_out_points_carry_their_weights():
    x, y, a = np.array([[0.0, 0], [1, 0]]), np.array([[2.0, 0], [3, 0]]), np.array([0.9, 0.1])
    b = a[::-1]
    for held_out in ((x, y), (x, y, a, b), (DiscreteMeasure(x, a), DiscreteMeasure(y, b))):
        report = audit(down(), x, y, a, b, held_out=held_out)
        assert report.held_out == pytest.approx(report.value, abs=1e-6) and report.value == pytest.approx(2.8, abs=1e-6)
    with pytest.raises(InvalidInput, match="held_out must have weights, since x has"):
        audit(down(), x, y, a, b, held_out=(np.vstack([x, x]), y))
    with pytest.raises(InvalidInput, match="held_out must be"):
        audit(down(), x, y, held_out=(x, y, a))
    with pytest.raises(InvalidInput, match="weights of held_out x"):
        audit(down(), x, y, held_out=(DiscreteMeasure(x, [2, 2]), DiscreteMeasure(y, [2, 2])))


def test_tensors_that_numpy_lacks_are_read_or_named():
    x, y = torch.tensor([[0.0, 0], [1, 0]]), torch.tensor([[0.0, 1], [1, 1]])
    assert emd(x.bfloat16(), y).value == 1.0
    assert kl(torch.tensor([0.5, 0.5], dtype=torch.bfloat16), [0.5, 0.5]) == 0
    assert emd([torch.tensor(1.0, requires_grad=True)], [0.0]).value == 1.0
    with pytest.raises(InvalidInput, match=r"dense tensor.*to_dense"):
        emd(x.to_sparse(), y)


def test_image_critics_are_given_images():
    rng = np.random.default_rng(3)
    x = rng.uniform(size=(12, 1, 6, 6))
    y = x.copy()
    y[:, :, 2, 3] += 2.0
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 1))
    flat = nn.Sequential(nn.Unflatten(1, (1, 6, 6)), *net)
    shaped = audit(net, x, y, held_out=(x, y))
    by_hand = audit(flat, x.reshape(12, 36), y.reshape(12, 36), held_out=(x.reshape(12, 36), y.reshape(12, 36)))
    assert shaped.value == by_hand.value and shaped.gradient_max == by_hand.gradient_max
    assert shaped.held_out == by_hand.held_out and shaped.exact == pytest.approx(2.0, abs=1e-12)

    def pixel(z):
        assert z.shape[1:] == (1, 6, 6)
        return -z[:, 0, 2, 3]

    assert audit(pixel, x, y).verdict.word == "agrees"
    assert audit(pixel, torch.from_numpy(x), torch.from_numpy(y)).verdict.word == "agrees"
    with pytest.raises(InvalidInput, match=r"x and y must have one shape; got shape \(1, 6, 6\) and flat points"):
        audit(net, x, y.reshape(12, 36))
    with pytest.raises(InvalidInput, match="x must have entries"):
        audit(net, np.zeros((0, 1, 6, 6)), y)


def test_a_file_of_layers_is_given_images(tmp_path):
    x = np.random.default_rng(3).uniform(size=(12, 1, 6, 6))
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 1))
    critics.save_layers(net, tmp_path / "c.safetensors")
    assert audit(tmp_path / "c.safetensors", x, x + 0.1).value == audit(net, x, x + 0.1).value
