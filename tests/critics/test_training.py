"""The training loop: seeds, checkpoints, weights, samplers, plateaus, and errors that say what to do."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from otdiv import DiscreteMeasure, critics, emd
from otdiv.core.progress import ProgressEvent
from otdiv.critics.debias import penalty_bias, remove_bias
from otdiv.errors import InvalidInput, OtdivError, SolverFailed, TooLarge
from otdiv.neural.batches import Batches
from otdiv.neural.constraint_names import CONSTRAINTS
from otdiv.neural.constraints import CONSTRAINT_BY_NAME
from otdiv.neural.samples import as_distributions
from otdiv.neural.standardize import Standardizer

torch.set_num_threads(1)
X = np.random.default_rng(0).normal(size=(60, 3))
Y = 0.5 * np.random.default_rng(1).normal(size=(50, 3)) + 1
SMALL = {"steps": 60, "width": 16, "depth": 2, "groups": 4, "pieces": 8}


def test_every_named_constraint_is_implemented():
    assert tuple(CONSTRAINT_BY_NAME) == CONSTRAINTS == critics.CONSTRAINTS
    for name, constraint in CONSTRAINT_BY_NAME.items():
        assert constraint.name == name and constraint.guarantee


@pytest.mark.slow
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_seed_repeats_bit_for_bit_and_saving_loses_nothing(constraint, tmp_path):
    options = {**SMALL, "start": "random"}
    first, again = (critics.fit(X, Y, constraint=constraint, rng=3, **options) for _ in range(2))
    assert np.array_equal(first(X), again(X)) and first.history == again.history
    assert first.seed == 3
    other = critics.fit(X, Y, constraint=constraint, rng=4, **options)
    # a semi-discrete potential draws nothing and sees these few points whole
    assert np.array_equal(first(X), other(X)) == (constraint == "semi-discrete")
    assert first(X).mean() - first(Y).mean() >= 0
    first.save(tmp_path / "critic.pt")
    loaded = critics.load(tmp_path / "critic.pt")
    assert np.array_equal(loaded(X), first(X)) and np.array_equal(loaded.gradient(Y), first.gradient(Y))
    assert loaded.lipschitz == first.lipschitz and loaded.history == first.history and repr(loaded) == repr(first)


def test_a_min_max_critic_may_start_from_a_samples_exact_potential(tmp_path):
    """Before any step worth the name it is nearly exact on small clouds; it is never above, and saved whole."""
    exact = emd(X, Y).value
    options = {"constraint": "min-max", "steps": 1, "rate": 1e-6, "groups": 8, "pieces": 8}
    informed, drawn = (critics.fit(X, Y, start=start, **options) for start in ("exact", "random"))
    assert 0.999 * exact < informed(X).mean() - informed(Y).mean() <= exact * (1 + 1e-9)
    assert drawn(X).mean() - drawn(Y).mean() < 0.9 * exact
    informed.save(tmp_path / "critic.pt")
    assert np.array_equal(critics.load(tmp_path / "critic.pt")(X), informed(X))
    tried = critics.fit(X, Y, **options)  # both are tried and the better one is kept
    assert tried.architecture.initialization.kind == "exact"
    with pytest.raises(InvalidInput, match="start must be one of auto, random"):
        critics.fit(X, Y, constraint="spectral", start="exact")


def test_the_gradient_is_the_derivative():
    critic = critics.fit(X, Y, constraint="one-sided-penalty", activation="softplus", **SMALL)
    step = 1e-5 * np.eye(3)
    numeric = np.stack([(critic(X + e) - critic(X - e)) / 2e-5 for e in step], axis=1)
    assert np.allclose(critic.gradient(X), numeric, atol=1e-7)
    assert np.array_equal(critic.values(X), critic(X))


class Cut(Exception):
    """Ends a run in the middle."""


@pytest.mark.slow
@pytest.mark.parametrize("constraint", ["one-sided-penalty", "min-max", "spectral"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_run_cut_off_goes_on_as_if_it_had_not_been(constraint, drawn, tmp_path):
    data = (lambda n, rng: rng.normal(size=(n, 3)), lambda n, rng: rng.normal(size=(n, 3)) + 1) if drawn else (X, Y)
    options = {**SMALL, "constraint": constraint, "batch": 40, "steps": 80}
    whole = critics.fit(*data, **options)
    file = tmp_path / "run.pt"

    def cut(event):
        if event.counts["step"] >= 40:
            raise Cut

    with pytest.raises(Cut):
        critics.fit(*data, **options, checkpoint=file, progress=cut)
    assert file.exists()
    resumed = critics.fit(*data, **options, checkpoint=file)
    assert np.array_equal(resumed(X), whole(X)) and resumed.history == whole.history
    with pytest.raises(InvalidInput, match="checkpoint must belong to this very run"):
        critics.fit(*data, **{**options, "rng": 1}, checkpoint=file)


def test_a_resumed_run_keeps_the_start_that_was_chosen(tmp_path, monkeypatch):
    """Trials against the clock may end otherwise a second time, so there are none: the checkpoint says which start."""
    from otdiv.critics.training import train as training

    starts, run, tried, trials = [], training.run_schedule, [], training.run_trials
    monkeypatch.setattr(training, "run_schedule", lambda *args, **more: starts.append(args[1]) or run(*args, **more))
    monkeypatch.setattr(training, "run_trials", lambda *args: tried.append(args[1]) or trials(*args))
    options = {**SMALL, "constraint": "min-max", "checkpoint": tmp_path / "run.pt"}

    def cut(event):
        if event.counts["step"] >= 20:
            raise Cut

    with pytest.raises(Cut):
        critics.fit(X, Y, **options, progress=cut)
    assert len(tried) == 1 and len(tried[0]) == 4  # two signs, two kinds of initialization
    critics.fit(X, Y, **options)
    assert len(tried) == 1 and len(starts) == 2 and starts[1] == starts[0]


def test_a_damaged_checkpoint_and_a_foreign_critic_are_refused(tmp_path):
    file = tmp_path / "run.pt"
    file.write_bytes(b"no checkpoint")
    with pytest.raises(InvalidInput, match="checkpoint must be a file that a run wrote"):
        critics.fit(X, Y, constraint="min-max", **SMALL, checkpoint=file)
    with pytest.raises(InvalidInput, match="name a critic that otdiv saved"):
        critics.load(file)
    with pytest.raises(InvalidInput, match="name an existing file"):
        critics.load(tmp_path / "missing.pt")


def test_batches_draw_by_weight():
    """4 points of weights .1 .2 .3 .4, 200 draws of 100: each mean within 5 standard errors, false alarm 2e-6."""
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    points = np.arange(400.0)
    spread = np.repeat(weights / 100, 100)
    both = as_distributions(points, points, spread, spread)
    batches = Batches(both, Standardizer(np.zeros(1), 1.0), 100, 0, "cpu")
    drawn = np.concatenate([batches().z[:100, 0].numpy() for _ in range(200)])
    shares = np.bincount((drawn // 100).astype(int), minlength=4) / len(drawn)
    assert np.all(np.abs(shares - weights) <= 5 * np.sqrt(weights * (1 - weights) / len(drawn)))


def drawn_points(steps, ahead, seed=0, resumed=None):
    """The points of so many steps of two samplers, drawn ahead or not; the batches; the threads of the samplers."""
    names = set()

    def sampler(shift):
        def draw(n, rng):
            names.add(threading.current_thread().name)
            return rng.normal(size=(n, 2)) + shift

        return draw

    batches = Batches(as_distributions(sampler(0), sampler(1)), Standardizer(np.zeros(2), 1.0), 7, seed, "cpu")
    names.clear()
    if resumed is not None:
        batches.resume(*resumed)
    with batches.drawn_ahead(steps) if ahead else nullcontext():
        points = np.array([batches().z.numpy() for _ in range(steps)])
    return points, batches, names


@pytest.mark.parametrize("steps", [1, 9, 10, 11, 25])
def test_points_drawn_ahead_are_the_points_drawn_when_needed(steps):
    plain, _, here = drawn_points(steps, ahead=False)
    ahead, _, there = drawn_points(steps, ahead=True)
    assert np.array_equal(plain, ahead) and plain.shape == (steps, 14, 2)
    assert len(np.unique(plain)) == plain.size  # every step has points of its own
    assert not any(name.startswith("otdiv-ahead") for name in here)
    assert all(name.startswith("otdiv-ahead") for name in there)


@pytest.mark.parametrize("done", [1, 9, 10, 13, 20])
@pytest.mark.parametrize("ahead", [False, True])
def test_draws_go_on_from_a_saved_state_at_any_step(done, ahead):
    whole, _, _ = drawn_points(25, ahead=False)
    begun, batches, _ = drawn_points(done, ahead)
    state = batches.rng_state, batches.torch_rng.get_state(), done
    rest, _, _ = drawn_points(25 - done, ahead, seed=1, resumed=state)
    assert np.array_equal(np.concatenate([begun, rest]), whole)


def test_small_clouds_are_used_whole_with_their_weights():
    batch = Batches(as_distributions([0.0, 1.0], [2.0], [0.25, 0.75]), Standardizer(np.zeros(1), 1.0), 512, 0, "cpu")()
    assert batch.z[:, 0].tolist() == [0.0, 1.0, 2.0] and batch.w.tolist() == [0.25, 0.75, -1.0]


@pytest.mark.slow
@pytest.mark.parametrize("constraint", ["min-max", "semi-discrete"])
def test_weights_count(constraint):
    a = np.arange(1.0, 61.0) / np.arange(1.0, 61.0).sum()
    exact, plain = emd(X, Y, a).value, emd(X, Y).value
    answer = critics.estimate(X, Y, a, constraint=constraint, steps=600)
    assert abs(exact / plain - 1) > 0.02
    assert answer.value == pytest.approx(exact, rel=0.01) and answer.lower <= exact <= answer.upper + 1e-12
    measures = critics.estimate(DiscreteMeasure(X, a), DiscreteMeasure(Y), constraint=constraint, steps=600)
    assert measures.value == answer.value


def test_a_repeated_point_is_a_weight():
    doubled = critics.estimate(np.concatenate([X, X[:20]]), Y, constraint="semi-discrete", steps=400)
    weighted = critics.estimate(X, Y, np.r_[np.full(20, 2), np.ones(40)] / 80, constraint="semi-discrete", steps=400)
    assert doubled.value == pytest.approx(weighted.value, rel=1e-3)


def test_a_plateau_ends_the_run_sooner():
    options = {**SMALL, "steps": 800, "constraint": "semi-discrete"}
    short = critics.fit([0.0], [1.0], **options)
    assert short.steps < 800 and short.stopped == "plateau"
    assert critics.fit([0.0], [1.0], **options, early_stop=False).steps == 800


@pytest.mark.slow
def test_the_time_limit_holds_and_the_schedule_still_ends():
    critic = critics.fit(X, Y, constraint="min-max", steps=10**6, time_limit=1.0)
    assert critic.seconds < 2.0 and critic.stopped == "time limit"
    assert critic(X).mean() - critic(Y).mean() >= 0.95 * emd(X, Y).value


def test_your_own_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 32), nn.Softplus(), nn.Linear(32, 1))
    answer = critics.estimate(X, Y, network=network, steps=400)
    assert answer.constraint == "one-sided-penalty" and answer.lipschitz is None
    assert answer.lower <= emd(X, Y).value <= answer.upper + 1e-12
    assert answer.lower >= 0.9 * emd(X, Y).value
    with pytest.raises(InvalidInput, match="critic must be of a network of otdiv"):
        answer.critic.save("unused.pt")


def test_progress_is_a_bar_with_the_running_interval_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    answer = critics.estimate(X, Y, constraint="min-max", **SMALL, progress=True)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert f"step {answer.critic.steps}" in shown and "100%" in shown
    low, high = re.findall(r"in \[([\d.]+), ([\d.]+)\]", shown)[-1]
    assert float(low) <= emd(X, Y).value * (1 + 1e-5) and float(high) >= emd(X, Y).value * (1 - 1e-5)


def test_progress_prints_the_running_interval(capfd):
    exact = emd(X, Y)
    critics.estimate(X, Y, constraint="min-max", **SMALL, progress=True)
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) >= 10
    for line in lines:
        low, high = (float(end) for end in line.split("[")[1].rstrip("]").split(","))
        assert low <= exact.value * (1 + 1e-5) and high >= exact.value * (1 - 1e-5)


def test_a_callback_is_given_events_with_the_running_interval():
    """Of an estimate with the interval proved so far, of a fit without; value and penalty in the points' unit."""
    exact, options = emd(X, Y).value, {**SMALL, "constraint": "one-sided-penalty"}
    events, plain = [], []
    answer = critics.estimate(X, Y, **options, progress=events.append)
    critic = critics.fit(X, Y, **options, progress=plain.append)
    for event in events:
        assert isinstance(event, ProgressEvent) and event.stage == "training" and "training" in event.line
        assert event.lower <= exact * (1 + 1e-9) and exact <= event.upper * (1 + 1e-9)
    assert [tuple(event.counts.values()) for event in events] == answer.critic.history
    assert list(events[0].counts) == ["step", "value", "penalty"] and events[-1].share == 1.0
    assert [event.counts for event in plain] == [event.counts for event in events]
    assert all(event.lower == -np.inf and event.upper == np.inf for event in plain) and critic.steps == len(plain)


def test_rng_is_an_integer_a_generator_or_none():
    """An integer is the seed, a generator gives one that repeats with it, None a new one; "seed" is no option."""
    options = {**SMALL, "constraint": "spectral", "steps": 2}
    one, again = (critics.fit(X, Y, rng=np.random.default_rng(7), **options) for _ in range(2))
    assert one.seed == again.seed and np.array_equal(one(X), again(X))
    assert np.array_equal(critics.fit(X, Y, rng=one.seed, **options)(X), one(X))
    assert critics.fit(X, Y, rng=None, **options).seed != critics.fit(X, Y, rng=None, **options).seed
    answer = critics.estimate(X, Y, rng=np.random.default_rng(7), **options)
    assert answer.critic.seed == one.seed
    reports = [critics.audit(one, X, Y, rng=rng) for rng in (5, np.random.default_rng(5))]
    assert reports[0].to_dict() == reports[1].to_dict()
    for function in (critics.fit, critics.estimate):
        with pytest.raises(InvalidInput, match="options must be known; got seed"):
            function(X, Y, seed=1)
        with pytest.raises(InvalidInput, match="rng must be a non-negative integer"):
            function(X, Y, rng=-1)


def test_files_keep_their_format(tmp_path):
    """A critic as the first version of the format wrote it: names in the description and of the weights."""
    critic = critics.fit(X, Y, constraint="min-max", **SMALL)
    critic.save(tmp_path / "critic.pt")
    content = torch.load(tmp_path / "critic.pt", weights_only=True)
    about = json.loads(content["about"])
    assert about["format"] == "otdiv critic 1"
    names = {"width", "depth", "groups", "pieces", "activation", "d", "spread", "sign", "start", "atoms"}
    assert set(about["plan"]) == names
    assert set(about) == {
        *("constraint", "weight", "seed", "device", "steps", "seconds", "stopped", "history", "plan", "format")
    }
    weights = {
        "centre",
        "inner.centres",
        "inner.signs",
        "inner.cone_heights",
        "inner.directions",
        "inner.plane_heights",
    }
    assert set(content["module"]) == weights
    assert critics.load(tmp_path / "critic.pt").architecture == critic.architecture


def test_bias_formulas_invert_each_other():
    for w in (1e-9, 0.5, 10.0, 1e4):
        for weight in (0.1, 10.0, 1e6):
            assert remove_bias(w + penalty_bias(w, weight), weight) == pytest.approx(w, rel=1e-12)


class Hungry(nn.Module):
    """A network that runs out of memory in training."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.calls = 0

    def forward(self, z):
        if len(z) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return self.layer(z)


class Diverging(nn.Module):
    """A network whose value is NaN."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, z):
        return self.layer(z) * float("nan")


def test_divergence_and_memory_say_what_to_do():
    with pytest.raises(SolverFailed, match=r"training diverged at step 0: .* nan.* smaller learning rate"):
        critics.fit(X, Y, network=Diverging())
    with pytest.raises(TooLarge, match=r"batch = 512 needs more memory .* smaller batch"):
        critics.fit(X, Y, network=Hungry())
    with pytest.raises(SolverFailed, match="diverged"):
        critics.fit(X, Y, constraint="gradient-penalty", rate=1e20, **SMALL)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, Y), {"network": nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))}, "batch norm in"),
        ((X, Y), {"network": nn.Linear(5, 1)}, r"network must take points \[n, 3\]"),
        ((X, Y), {"network": nn.Linear(3, 2)}, "network must return one value a point"),
        ((X, Y), {"network": nn.Linear(3, 1), "constraint": "spectral"}, "constraint must be one of gradient-pen"),
        ((X, Y), {"constraint": "hope"}, "constraint must be one of auto, clipping"),
        ((X, Y), {"steps": 0}, "steps must be a positive integer"),
        ((X, Y), {"batch": 2.5}, "batch must be a positive integer"),
        ((X, Y), {"pieces": 2}, "pieces must be an integer from 4"),
        ((X, Y), {"time_limit": -1.0}, "time_limit must be a positive number"),
        ((X, Y), {"rate": float("nan")}, "rate must be a positive number"),
        ((X, Y), {"penalty_weight": 0.0}, "penalty_weight must be a positive number"),
        ((X, Y), {"activation": "gelu"}, "activation must be one of relu"),
        ((X, Y), {"device": "abacus"}, "device must be 'auto' or name a device that torch can use"),
        ((X, Y), {"lambda_": 3}, "options must be known; got lambda_"),
        ((X, Y[:, :2]), {}, "points of the same dimension"),
        ((X, None), {}, "y must be points"),
        ((X, [[np.nan, 0, 0]]), {}, "of y: points must be finite"),
        ((X, Y, np.ones(60)), {}, "the weights of x must sum to 1"),
        ((lambda n, rng: rng.normal(size=(n, 3)), Y, np.ones(60)), {}, "the weights of x must be left out"),
        ((lambda n, rng: rng.normal(size=(3, 3)), Y), {}, "sampler x must return 2 points"),
        ((lambda n: np.zeros((n, 3)), Y), {}, r"sampler x must be a function of \(n, rng\)"),
        ((lambda n, rng: np.full((n, 3), np.inf), Y), {}, "points of sampler x must be finite"),
    ],
)
def test_errors_of_fit(arguments, options, message):
    with pytest.raises(InvalidInput, match=message):
        critics.fit(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, Y), {"estimand": "both"}, "estimand must be one of auto, empirical, population"),
        ((X, Y), {"seeds": 0}, "seeds must be a positive integer"),
        ((X, Y), {"seeds": 2, "checkpoint": "a.pt"}, "checkpoint must go with one seed"),
        (
            (X[:4], Y),
            {"estimand": "population"},
            "x must have at least 8 points to estimate the distance",
        ),
        ((X, lambda n, rng: rng.normal(size=(n, 3))), {"estimand": "empirical"}, "be 'population' for a sampler"),
    ],
)
def test_errors_of_estimate(arguments, options, message):
    with pytest.raises(InvalidInput, match=message):
        critics.estimate(*arguments, **options)


def test_points_of_another_dimension_are_refused_by_the_critic():
    critic = critics.fit(X, Y, constraint="min-max", **SMALL)
    with pytest.raises(InvalidInput, match="z must have points of dimension 3; got 2"):
        critic(X[:, :2])


def test_without_torch_the_message_names_the_remedy():
    code = "import sys; sys.modules['torch'] = None\nfrom otdiv import critics\ncritics.estimate([0.0], [1.0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "MissingPackage: A neural critic needs the package torch: install it with pip install 'otdiv[torch]'" in (
        done.stderr
    )
    assert issubclass(TooLarge, OtdivError)
