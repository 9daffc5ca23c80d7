"""Steps on tensors alone, which a graphics card records, against all other devices' steps on the same batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from otdiv.errors import InvalidInput, SolverFailed
from otdiv.gans import MODELS, GanSettings, train, train_seeds
from otdiv.gans.models.base import GanSpec, GanState
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.gans.sghmc import SGHMC
from otdiv.gans.training.data import as_training_data
from otdiv.gans.training.measured_training import MeasuredTraining
from otdiv.gans.training.scheduled_step import ScheduledSteps, run_scheduled
from otdiv.gans.training.together import run_together
from otdiv.neural.captured import put_back

torch.set_num_threads(1)

SMALL = {"steps": 12, "batch": 32, "width": 16, "depth": 2, "generators": 3, "device": "cpu"}
CASES = [(name, {}) for name in MODELS if MODEL_BY_NAME[name].capturable] + [
    ("wgan-gp", {"constraint": constraint}) for constraint in ("min-max", "orthonormal", "frobenius")
]


def start(model: str, **changed) -> tuple[GanState, torch.Tensor, torch.Generator]:
    """A training's first state, its real points and its generator."""
    settings = GanSettings.of(model, **{**SMALL, **changed})
    data = as_training_data("ring8", 0)
    spec = GanSpec(settings, data.d, data.shape, "cpu", data.size, data.training_unit)
    state = MODEL_BY_NAME[model].initial(spec, torch.Generator().manual_seed(0))
    return state, data.pool("cpu"), torch.Generator().manual_seed(0)


def scheduled(model: str, **changed) -> tuple[ScheduledSteps, GanState, torch.Generator]:
    state, pool, rng = start(model, **changed)
    steps = ScheduledSteps(MODEL_BY_NAME[model], state, pool, rng, capture=False, remedy="Mend it.")
    return steps, state, rng


@pytest.mark.parametrize(("model", "changed"), CASES)
def test_the_same_batches_give_the_same_networks(model, changed):
    state, pool, rng = start(model, **changed)
    values = {}
    for _ in range(12):
        real = pool[torch.randint(len(pool), (32,), generator=rng)]
        state, values = MODEL_BY_NAME[model].step(state, real, rng)
    steps, other, _ = scheduled(model, **changed)
    for group in steps._groups:  # rates as the other steps have them; single precision is that of the card's Adam
        group["lr"] = group["lr"].double()
    other, _ = steps.run(other, 5)
    other, info = steps.run(other, 7)
    assert other.step == state.step == 12
    assert list(info) == list(values)
    assert list(info.values()) == pytest.approx([float(value) for value in values.values()], rel=1e-4, abs=1e-6)
    for name, weight in state.networks.state_dict().items():
        assert torch.allclose(other.networks.state_dict()[name], weight, rtol=1e-5, atol=1e-6), name


def test_rates_follow_the_schedule_from_where_the_state_stands():
    """A training resumed at step 6 goes on at the rate of step 6: half of the first."""
    state, pool, rng = start("gan-logd")
    state = replace(state, step=6)
    steps = ScheduledSteps(MODEL_BY_NAME["gan-logd"], state, pool, rng, capture=False, remedy="")
    steps.run(state, 1)
    group = state.optimizers["generator"].param_groups[0]
    assert float(group["lr"]) == pytest.approx(group["initial_lr"] / 2, rel=1e-6)


def test_a_planted_nan_is_found_with_its_first_step():
    steps, state, _ = scheduled("wgan-gp")
    state, _ = steps.run(state, 3)

    plain, calls = steps._replay, []

    def spoiled():
        calls.append(None)
        if len(calls) == 3:
            with torch.no_grad():
                next(state.networks["critic"].parameters()).fill_(float("nan"))
        plain()

    steps._replay = spoiled
    with pytest.raises(SolverFailed, match=r"diverged at step 6: critic_value nan, penalty nan. Mend it."):
        steps.run(state, 5)


def test_one_bad_value_among_good_ones_is_found():
    """A value that is finite again in the last step was not finite before it."""

    class Once:
        calls = 0

        def step(self, state, real, rng):
            self.calls += 1
            return state, {"loss": torch.tensor(float("inf") if self.calls == 2 else 1.0)}

    state, pool, rng = start("gan-logd")
    model = MODEL_BY_NAME["gan-logd"]
    steps = ScheduledSteps(model, state, pool, rng, capture=False, remedy="")
    steps._model = Once()
    with pytest.raises(SolverFailed, match="diverged at step 2: loss inf"):
        steps.run(state, 4)


def test_what_the_warm_up_changed_is_put_back():
    old, new = torch.arange(3.0), torch.ones(2)
    before = [(old, old.clone())]
    old.mul_(7)
    put_back(before, [old, new])
    assert old.tolist() == [0.0, 1.0, 2.0] and new.tolist() == [0.0, 0.0]


def test_all_that_a_step_changes_is_named():
    """Put back after some steps, a training goes on as if they had never been."""
    steps, state, rng = scheduled("bayesian")
    generators = steps._generators()
    assert rng in generators and len(generators) == 3
    before = [(tensor, tensor.detach().clone()) for tensor in steps._changed()]
    positions = [generator.get_state() for generator in generators]
    found = []
    for _ in range(2):
        _, info = steps.run(state, 3)
        found.append((info, [weight.clone() for weight in state.networks.state_dict().values()]))
        put_back(before, steps._changed())
        steps._restart()
        for generator, position in zip(generators, positions, strict=True):
            generator.set_state(position)
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))


@pytest.mark.parametrize("model", ["gan-logd", "bayesian"])
@pytest.mark.parametrize("then_scheduled", [True, False], ids=["scheduled", "plain"])
def test_a_training_goes_on_from_saved_optimizers(model, then_scheduled):
    """Rates and counts that were tensors when they were saved serve both kinds of steps."""
    whole, last, _ = scheduled(model)
    last, _ = whole.run(last, 12)
    first, state, rng = scheduled(model)
    state, _ = first.run(state, 6)
    fresh, pool, _ = start(model)
    fresh.networks.load_state_dict(state.networks.state_dict())
    for name, optimizer in fresh.optimizers.items():
        optimizer.load_state_dict(state.optimizers[name].state_dict())
        if isinstance(optimizer, SGHMC):
            optimizer.generator = state.optimizers[name].generator
    fresh = replace(fresh, step=6)
    if then_scheduled:
        rest = ScheduledSteps(MODEL_BY_NAME[model], fresh, pool, rng, capture=False, remedy="")
        rest.run(fresh, 6)
    else:
        for _ in range(6):
            fresh, _ = MODEL_BY_NAME[model].step(fresh, pool[torch.randint(len(pool), (32,), generator=rng)], rng)
    for name, weight in last.networks.state_dict().items():
        assert torch.allclose(fresh.networks.state_dict()[name], weight, rtol=1e-4, atol=1e-5), name


def test_a_sampler_steps_alike_with_a_tensor_for_its_rate():
    weights = []
    for rate in (0.01, torch.tensor(0.01)):
        weight = nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
        sampler = SGHMC([weight], 0.01, 0.1, 0.5, True, torch.Generator().manual_seed(0))
        sampler.param_groups[0]["lr"] = rate
        for _ in range(20):
            weight.grad = weight.detach().clone()
            sampler.step()
        weights.append(weight.detach().numpy())
    assert weights[0] == pytest.approx(weights[1], rel=1e-5)
    assert not np.allclose(weights[0], [1.0, -2.0, 3.0], atol=0.05)


def test_trainings_run_in_turn_as_each_by_itself():
    """What streams run at once on a graphics card: steps of one training between those of another change neither."""
    kinds = [("wgan-gp", {"seed": k}) for k in (0, 1)] + [("bayesian", {"seed": 2})]
    alone, together = [], []
    for model, changed in kinds:
        steps, state, _ = scheduled(model, **changed)
        alone.append(steps.run(state, 6))
        together.append(scheduled(model, **changed))
    found = run_scheduled([steps for steps, _, _ in together], [state for _, state, _ in together], 6)
    for (state, info), (other, other_info) in zip(alone, found, strict=True):
        assert other.step == 6 and dict(info) == dict(other_info)
        weights, others = state.networks.state_dict(), other.networks.state_dict()
        assert all(torch.equal(weights[name], others[name]) for name in weights)


def measured_training(seed: int) -> MeasuredTraining:
    settings = GanSettings.of("gan-logd", **SMALL, seed=seed)
    return MeasuredTraining(as_training_data("ring8", seed), settings, "cpu", reports=3)


def test_trainings_that_run_together_are_reported_and_measured_each():
    alone = [run_together([measured_training(seed)], capture=False)[0] for seed in (4, 5)]
    found = run_together([measured_training(seed) for seed in (4, 5)], capture=False)
    for record, other in zip(alone, found, strict=True):
        assert [entry["step"] for entry in other.history] == [4, 8, 12]
        assert record.settings == other.settings and record.measures == other.measures
        assert np.array_equal(record.sample(20, 0), other.sample(20, 0))
    assert found[0].measures["w1"] != found[1].measures["w1"]


def test_seeds_give_what_each_gives_alone():
    settings = {**SMALL, "reports": 1}
    found = train_seeds("ring8", "gan-logd", seeds=[4, 1], **settings)
    for record, seed in zip(found, (4, 1), strict=True):
        assert record.measures == train("ring8", "gan-logd", seed=seed, **settings).measures


@pytest.mark.parametrize("seeds", [0, [], [1, 1], [0.5], True, ["1"], "12", None, 2.5])
def test_seeds_are_different_integers(seeds):
    with pytest.raises(InvalidInput, match=r"seeds must be a positive integer or different integers; got"):
        train_seeds("ring8", "gan-logd", seeds=seeds)


def test_one_seed_beside_seeds_is_refused():
    with pytest.raises(InvalidInput, match=r"seed must be left out; got 3"):
        train_seeds("ring8", "gan-logd", seed=3)


def test_a_capture_is_refused_where_there_is_none():
    with pytest.raises(InvalidInput, match=r"capture must be False or None where .*; got True for 'meg' on 'cpu'"):
        train("ring8", "meg", capture=True, device="cpu")
    with pytest.raises(InvalidInput, match="capture must be True, False or None"):
        train("ring8", "meg", capture="yes", device="cpu")
