"""Critics and data as people have them: built by name, in batches, wrapped, conditional, lazy, normalised."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from otdiv.cli.main import main
from otdiv.critics import audit, build_critic
from otdiv.critics.reading.modules import critic_of_module
from otdiv.errors import InvalidInput

X = np.random.default_rng(0).normal(size=(30, 2))
Y = X + [2.0, 0.0]

SOURCE = """
import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first, self.last = nn.Linear(2, width), nn.Linear(width, 1)

    def forward(self, z):
        return self.last(torch.relu(self.first(z))).squeeze(1)


def broken():
    raise ValueError("no such size")


def number():
    return 3


class Nested:
    @staticmethod
    def make():
        return Critic(width=6)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "user_code_of_critics"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "nets.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "user_code_of_critics.nets"
    for name in [name for name in sys.modules if name.startswith("user_code_of_critics")]:
        del sys.modules[name]


def saved(package, path, **content):
    module = importlib.import_module(package).Critic()
    torch.save(content or module.state_dict(), path)
    return module


def test_a_class_and_its_state_are_a_critic(package, tmp_path):
    module = saved(package, tmp_path / "c.pt")
    built = audit(f"{package}:Critic", X, Y, state=tmp_path / "c.pt")
    given = audit(module, X, Y)
    assert built.value == given.value and built.gradient_max == given.gradient_max
    torch.save(nn.DataParallel(module).state_dict(), tmp_path / "p.pt")
    assert audit(f"{package}:Critic", X, Y, state=tmp_path / "p.pt").value == given.value
    both = {"critic": module.state_dict(), "step": 3}
    torch.save(both, tmp_path / "both.pt")
    keyed = audit(f"{package}:Critic", X, Y, state=tmp_path / "both.pt", state_key="critic")
    assert keyed.value == given.value
    nested = importlib.import_module(package).Nested.make()
    torch.save(nested.state_dict(), tmp_path / "n.pt")
    assert not build_critic(f"{package}:Nested.make", tmp_path / "n.pt").training


@pytest.mark.parametrize(
    ("make", "change", "message"),
    [
        (":Critic", {"first.bias": None}, "state must fit the module .* missing first.bias"),
        (":Critic", {"extra": torch.zeros(2)}, "unexpected extra"),
        (":Critic", {"first.bias": torch.zeros(7)}, r"first.bias of shape \(7,\) instead of \(4,\)"),
        (":Cricket", {}, "critic must be in user_code_of_critics.nets; got no Cricket there"),
        (":broken", {}, "an error \\(ValueError: no such size\\)"),
        (":number", {}, "be a torch module"),
        ("_none:Critic", {}, "on the Python path"),
        ("", {}, "package.module:make"),
    ],
    ids=["missing", "unexpected", "shape", "name", "raises", "no module", "no package", "no colon"],
)
def test_what_does_not_fit_is_named(package, tmp_path, make, change, message):
    state = dict(saved(package, tmp_path / "c.pt").state_dict()) | change
    torch.save({name: value for name, value in state.items() if value is not None}, tmp_path / "c.pt")
    with pytest.raises(InvalidInput, match=message):
        build_critic(package + make, tmp_path / "c.pt")


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('ran')",)


def test_a_state_file_runs_no_code(package, tmp_path):
    torch.save({"first.weight": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(InvalidInput, match="hold weights only"):
        build_critic(f"{package}:Critic", tmp_path / "bomb.pt")
    torch.save({"generator": {}, "critic": {"a": torch.zeros(1)}, "step": 3}, tmp_path / "several.pt")
    with pytest.raises(InvalidInput, match=r"entries generator, critic, step\. Pass state_key='generator'"):
        build_critic(f"{package}:Critic", tmp_path / "several.pt")
    with pytest.raises(InvalidInput, match=r"state_key must be an entry of several\.pt; got 'net'; it holds generator"):
        build_critic(f"{package}:Critic", tmp_path / "several.pt", key="net")
    with pytest.raises(InvalidInput, match="existing file"):
        build_critic(f"{package}:Critic", tmp_path / "none.pt")
    with pytest.raises(InvalidInput, match="state must be given"):
        audit(f"{package}:Critic", X, Y)


def test_the_command_builds_it(package, tmp_path, capsys):
    module = saved(package, tmp_path / "c.pt")
    np.save(tmp_path / "a.npy", X)
    np.save(tmp_path / "b.npy", Y)
    files = (str(tmp_path / "a.npy"), str(tmp_path / "b.npy"))

    def run(*argv):
        with pytest.raises(SystemExit) as stop:
            main(["audit", *files, *argv])
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    named = ("--critic", f"{package}:Critic", "--state", str(tmp_path / "c.pt"))
    code, out, _ = run(*named, "--json")
    assert code == 1 and json.loads(out)["value"] == audit(module, X, Y).value
    code, _, err = run(*named, "--state-key", "net")
    assert code == 2 and "--state-key must be an entry" in err
    assert run(*named, "--shape", "2,x")[0] == 2
    code, _, err = run(*named, "--shape", "1,3")
    assert code == 2 and "shape must hold 2 entries" in err


def down(d=2):
    layer = nn.Linear(d, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()[0, 0] = -1.0
    return layer


def test_loaders_data_sets_and_iterables_are_collected_and_counted():
    x, y = torch.tensor(X), torch.tensor(Y)
    whole = audit(down(), X, Y)
    labelled = DataLoader(TensorDataset(x, torch.arange(30)), batch_size=8)
    report = audit(down(), labelled, (block for block in y.split(7)))
    assert report.value == pytest.approx(whole.value) and report.verdict.word == "agrees"
    assert report.notes == (
        "x: 30 points of 4 batches, all there are, of each the first entry.",
        "y: 30 points of 5 batches, all there are.",
    )
    assert report.notes[0] in repr(report) and report.to_dict()["notes"] == list(report.notes)
    few = audit(down(), labelled, Y[:20], most_points=20, held_out=(labelled, Y + 1))
    assert few.notes == (
        "x: 20 points of 3 batches, the limit of 20: others are left out, of each the first entry.",
        "100 % of the held-out points are among those of the audit: no test of them.",
    )

    class Positions:
        def __len__(self):
            return 30

        def __getitem__(self, k):
            return X[k], 0

    assert audit(down(), Positions(), Y).notes[0].startswith("x: 30 points of 30 items, all there are")


def test_an_endless_sampler_ends_at_the_limit_and_no_further():
    drawn = []

    def endless():
        while True:
            drawn.append(1)
            yield X[:10]

    report = audit(down(), endless(), Y[:25], most_points=25)
    assert len(drawn) == 3 and "25 points of 3 batches, the limit of 25" in report.notes[0]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (lambda: iter([]), "x must give points; got none"),
        (lambda: iter([{"image": X}]), r"Pass \(batch\['image'\] for batch in loader\)"),
        (lambda: iter([X, X[:, :1]]), "batches of one shape"),
        (lambda: iter(X), r"got shape \(2,\)\. Stack points to \[k, d\]"),
        (lambda: set(range(3)), r"got shape \(\)"),
        (lambda: type("IterableDataset", (), {"__iter__": lambda self: iter(X)})(), "single points. Pass .*DataLoader"),
    ],
    ids=["empty", "mapping", "shapes", "single points", "numbers", "iterable data set"],
)
def test_streams_that_do_not_fit_are_refused(stream, message):
    with pytest.raises(InvalidInput, match=message):
        audit(down(), stream(), Y)


@pytest.mark.slow
def test_wrapped_and_compiled_modules_are_judged():
    plain = audit(down(), X, Y)
    for wrapped in (nn.DataParallel(down()), torch.compile(down(), backend="eager")):
        report = audit(wrapped, X, Y)
        assert report.value == plain.value and report.gradient_max == plain.gradient_max


class Conditional(nn.Module):
    """f(z, label) = -(1 + label) z_0."""

    def forward(self, z, label):
        return -(1 + label) * z[:, 0]


class OfLabel(nn.Module):
    def __init__(self, critic, label):
        super().__init__()
        self.critic, self.label = critic, label

    def forward(self, z):
        return self.critic(z, torch.full((len(z),), self.label))


def test_a_conditional_critic_is_judged_for_each_label():
    words = [audit(OfLabel(Conditional(), label), X, Y).verdict.word for label in (0.0, 1.0)]
    assert words == ["agrees", "not 1-Lipschitz"]
    with pytest.raises(InvalidInput, match="label"):
        audit(Conditional(), X, Y)


def test_lazy_meta_and_poisoned_modules_are_refused_with_a_remedy():
    poisoned = nn.BatchNorm1d(2).eval()
    poisoned.running_mean[0] = np.nan
    for module, message in (
        (nn.LazyLinear(1), "Give it one batch of points first"),
        (nn.Linear(2, 1, device="meta"), "meta device.*assign=True"),
        (nn.Sequential(poisoned, down()), "finite weights; got NaN or infinity in 0.running_mean"),
        (nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False), down()).eval(), "batch normalisation"),
    ):
        with pytest.raises(InvalidInput, match=message):
            audit(module, X, Y)


def test_batch_norm_in_evaluation_mode_is_accepted_and_said():
    norm = nn.BatchNorm1d(2, affine=False)
    report = audit(nn.Sequential(norm, down()).eval(), X, Y)
    assert report.value == pytest.approx(2.0, rel=1e-4) and "evaluation mode: checked" in report.notes[0]
    report = audit(nn.Sequential(down(), nn.Dropout(0.5)), X, Y)
    assert report.verdict.word == "agrees" and "without dropout" in report.notes[0]


def test_dropout_that_is_always_on_is_refused():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = down()

        def forward(self, z):
            return nn.functional.dropout(self.layer(z), 0.3, training=True)

    torch.manual_seed(0)
    with pytest.raises(InvalidInput, match="same value beside any other points"):
        audit(Noisy(), X, Y)


def test_flat_rows_are_given_in_the_shape_asked_for():
    x = np.random.default_rng(1).uniform(size=(10, 16))

    def corner(z):
        assert z.shape[1:] == (1, 4, 4)
        return -z[:, 0, 0, 0]

    y = x + np.eye(16)[0]
    assert audit(corner, x, y, shape=(1, 4, 4)).verdict.word == "agrees"
    with pytest.raises(InvalidInput, match="shape must hold 16 entries"):
        audit(corner, x, y, shape=(1, 3, 4))
    with pytest.raises(InvalidInput, match="shape must be that of the points"):
        audit(corner, x.reshape(10, 1, 4, 4), y.reshape(10, 1, 4, 4), shape=(16,))


def test_blocks_are_as_small_as_the_largest_layer_asks():
    seen = []

    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.Linear(2, 2**18, bias=False)

        def forward(self, z):
            seen.append(len(z))
            return self.up(z)[:, 0]

    critic = critic_of_module(Wide(), 2, "wide")
    critic.values(np.zeros((64, 2)))
    assert max(seen) <= 16  # 2**22 values of a layer at a time
