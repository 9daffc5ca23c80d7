"""Trainings that run together are those that run one by one; draws of a sampler that are made ahead and used again."""

import numpy as np
import pytest
import torch

from otdiv import critics
from otdiv.critics.training.drawn_ahead import DrawnAhead
from otdiv.critics.training.options import Options
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.stacked import StackedNetworks
from otdiv.critics.training.stacked_batches import StackedBatches
from otdiv.critics.training.train import train
from otdiv.errors import InvalidInput, SolverFailed, TooLarge
from otdiv.neural.minmax import MinMaxNetwork, least_of_parts, soft_max, soft_min
from otdiv.neural.samples import as_distributions
from otdiv.neural.slopes import gradient_norms
from otdiv.neural.standardize import Standardizer

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 2)), RNG.normal(size=(30, 2)) + 1.0
WEIGHTS = np.linspace(1, 3, 40) / np.linspace(1, 3, 40).sum()


def problems_of(distributions, constraint, seeds=2, **options):
    return [
        TrainingProblem.of(distributions, Options.of(constraint, seed, device="cpu", **options))
        for seed in range(seeds)
    ]


def draws_of(problem, most=4096):
    samplers = [one for one in problem.distributions if one.measure is None]
    return DrawnAhead(samplers, problem.standardizer, block=512, most=most, seed=0, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("constraint", critics.CONSTRAINTS)
def test_whole_clouds_give_the_same_critics_together_and_one_by_one(constraint):
    distributions = as_distributions(X, Y, WEIGHTS)
    # the points between clouds, at which a penalty is taken, are other ones: it is tested by itself
    options = {"steps": 3, "groups": 2, "pieces": 8, "width": 16, "penalty_weight": 1e-9}
    alone, together = (
        train(problems_of(distributions, constraint, **options), together=together) for together in (False, True)
    )
    for one, other in zip(alone, together, strict=True):
        assert one.architecture == other.architecture
        assert other.lipschitz.value == pytest.approx(one.lipschitz.value, rel=1e-3)
        # Adam moves the last bias, of which the value does not depend, by rounding alone
        shift = np.mean(other(X) - one(X))
        np.testing.assert_allclose(other(X) - shift, one(X), rtol=0, atol=1e-5)


def test_a_seed_does_not_depend_on_the_others():
    distributions = as_distributions(RNG.normal(size=(700, 2)), RNG.normal(size=(900, 2)) + 1)
    options = {"steps": 10, "groups": 2, "pieces": 8}
    both = train(problems_of(distributions, "min-max", 3, **options), together=True)
    last = train(problems_of(distributions, "min-max", 3, **options)[2:], together=True)
    np.testing.assert_allclose(both[2](X), last[0](X), atol=1e-4)
    assert np.abs(both[1](X) - both[2](X)).max() > 1e-3


def test_stacked_networks_are_the_networks():
    points = torch.from_numpy(X).float()
    networks = [MinMaxNetwork.drawn(points, 3, 8, torch.Generator().manual_seed(seed)) for seed in range(3)]
    z = torch.randn(3, 20, 2, generator=torch.Generator().manual_seed(9))
    for network in networks:
        network.anneal(0.5)
    expected = torch.stack([network(one) for network, one in zip(networks, z, strict=True)])
    temperature = networks[0].temperature
    stacked = StackedNetworks(networks)
    stacked.temperature.fill_(temperature)
    torch.testing.assert_close(stacked(z), expected)
    stacked.temperature.fill_(2 * temperature)
    assert (stacked(z) - expected).abs().max() > 1e-3


def test_temperatures_of_several_networks():
    values = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    both = soft_min(values, torch.tensor([0.1, 0.7]))
    torch.testing.assert_close(both, torch.stack([soft_min(values[0], 0.1), soft_min(values[1], 0.7)]))
    torch.testing.assert_close(soft_max(values, torch.tensor([0.1, 0.1])), soft_max(values, 0.1))


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_the_minimum_of_parts_is_that_of_all(temperature):
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(2, 5, 3, size, generator=generator, requires_grad=True) for size in (4, 6)]
    found = [least_of_parts(parts, temperature, copied=copied) for copied in (True, False)]
    torch.testing.assert_close(*found)
    slopes = [torch.autograd.grad(one.square().sum(), parts) for one in found]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("constraint", ["gradient-penalty", "one-sided-penalty"])
def test_the_penalty_of_stacked_networks_is_that_of_each(constraint):
    from otdiv.critics.training.stacked import StackedStep

    problems = problems_of(as_distributions(X, Y), constraint, width=8)
    modules = [problem.build_network(problem.initializations[0]) for problem in problems]
    with draws_of(problems[0]) as drawn:
        batches = StackedBatches(problems, drawn, 2, True)
        batches.refill(2)
        step = StackedStep(problems, [1.0, 1.0], StackedNetworks(modules), batches, 2)
        z = batches.between(batches.sample())
    found = step._penalty(z)
    penalty = problems[0].options.constraint.penalty
    expected = [penalty(gradient_norms(module, one).double()).mean() for module, one in zip(modules, z, strict=True)]
    torch.testing.assert_close(found, torch.stack(expected))


def test_points_of_a_step_come_by_weight_and_lie_between():
    """False alarm below 1e-6: counts of 40 rows, each within 6 standard deviations."""
    heavy = np.where(np.arange(600) < 40, 10.0, 1.0)
    cloud = RNG.normal(size=(600, 2))
    problems = problems_of(as_distributions(cloud, Y, heavy / heavy.sum()), "gradient-penalty", batch=64)
    with draws_of(problems[0]) as drawn:
        batches = StackedBatches(problems, drawn, 200, True)
        batches.refill(200)
        sample = batches.sample()
        between = batches.between(sample)
        rows = batches._rows[0][:, 1].ravel().numpy()
    assert sample.x.shape == (2, 64, 2) and sample.y.shape == (2, 30, 2)  # the small cloud is used whole
    torch.testing.assert_close(sample.w.sum(1), torch.zeros(2, dtype=torch.float64))
    counts = np.bincount(rows, minlength=600)
    mean = len(rows) * heavy / heavy.sum()
    assert (np.abs(counts - mean)[:40] < 6 * np.sqrt(mean[:40])).all()
    low, high = sample.z.amin(1, keepdim=True), sample.z.amax(1, keepdim=True)
    assert ((between >= low) & (between <= high)).all() and between.shape == (2, 64, 2)


def test_a_divergence_names_seed_and_step():
    problems = problems_of(as_distributions(X, Y), "gradient-penalty", steps=20, rate=1e30, width=8)
    with pytest.raises(SolverFailed, match=r"diverged at step \d+: seed [01]\. Pass a smaller learning rate"):
        train(problems, together=True)


def test_no_memory_is_one_sentence(monkeypatch):
    def greedy(self):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(StackedBatches, "sample", greedy)
    problems = problems_of(as_distributions(X, Y), "min-max", steps=5, groups=2, pieces=8)
    with pytest.raises(TooLarge, match=r"batch = 512 needs more memory .* smaller batch"):
        train(problems, together=True)


def test_a_time_limit_ends_the_schedule():
    problems = problems_of(
        as_distributions(X, Y), "min-max", steps=10**6, time_limit=0.4, start="random", groups=2, pieces=8
    )
    for critic in train(problems, together=True):
        assert critic.stopped == "time limit" and critic.steps < 10**5
        assert critic.history[-1][0] == critic.steps


def test_reports_are_those_of_the_first_seed():
    events = []
    problems = problems_of(as_distributions(X, Y), "min-max", steps=40, start="random", groups=2, pieces=8)
    train(problems, together=True, progress=events.append)
    assert [event.counts["step"] for event in events] == sorted({event.counts["step"] for event in events})
    assert events[-1].share == 1.0


def test_draws_are_limited_made_ahead_and_counted():
    drawn = {"x": 0, "y": 0}

    def sampler(name):
        def draw(n, rng):
            drawn[name] += n
            return rng.normal(size=(n, 2)) + (name == "y")

        return draw

    options = {"steps": 30, "groups": 2, "pieces": 8}
    critics.fit(sampler("x"), sampler("y"), **options, draws=1500)
    before_training = 2 + 2048 * 2 + 256 + 512  # dimension, fixed points, pilot and the exact start
    assert all(1500 < count <= 1500 + before_training for count in drawn.values())
    answers = [critics.fit(sampler("x"), sampler("y"), **options, draws=1500) for _ in range(2)]
    assert answers[0].uses == pytest.approx(42 * 512 / 1500)  # 30 steps, and as many again as 0.4 of them in trials
    np.testing.assert_array_equal(answers[0](X), answers[1](X))
    assert critics.fit(sampler("x"), Y, **options).uses is None


def test_what_a_sampler_raises_is_raised():
    def broken(n, rng):
        if n > 600:
            raise OSError("the simulator is gone")
        return rng.normal(size=(n, 2))

    standardizer = Standardizer(np.zeros(2), 1.0)
    samplers = [as_distributions(broken, Y)[0]]
    drawing = DrawnAhead(samplers, standardizer, block=700, most=700, seed=0, device="cpu")
    with drawing as drawn, pytest.raises(OSError, match="the simulator is gone"):
        drawn.grow()


@pytest.mark.parametrize("beside", ["checkpoint", "network"])
def test_limited_draws_beside_what_they_do_not_go_with(beside, tmp_path):
    given = {"checkpoint": tmp_path / "run.pt"}
    if beside == "network":
        given = {"network": torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))}
    with pytest.raises(InvalidInput, match="draws must be left out beside"):
        critics.fit(X, Y, draws=100, steps=3, **given)
