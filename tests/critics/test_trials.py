"""Trials of initializations: on the same points, and those that are far behind end soon."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otdiv.critics.training import loop
from otdiv.critics.training.loop import JUDGED, SHARED_STEPS, Training, run_schedule, run_trials
from otdiv.critics.training.options import Options
from otdiv.critics.training.problem import TrainingProblem
from otdiv.datasets import power_funnels
from otdiv.neural.batches import STEPS_PER_CALL
from otdiv.neural.samples import as_distributions

torch.set_num_threads(1)
SIZES = {"groups": 4, "pieces": 8, "batch": 64, "steps": 60, "device": "cpu"}


def problem_of(x, y, **options):
    return TrainingProblem.of(as_distributions(x, y), Options.of("min-max", 0, **{**SIZES, **options}))


def normal(n, rng):
    return rng.normal(size=(n, 3))


def test_a_trial_is_a_training_of_its_own():
    problem = problem_of(normal, lambda n, rng: normal(n, rng) + 1)
    schedule = problem.options.schedule
    trials = run_trials(problem, problem.initializations, schedule)
    assert len(trials) > 1
    for value, initialization in trials:
        assert value == run_schedule(problem, initialization, schedule)[1].history[-1][1]


def test_points_are_drawn_once_for_all_trials():
    drawn = []

    def counted(n, rng):
        drawn.append(n)
        return normal(n, rng)

    problem = problem_of(counted, lambda n, rng: normal(n, rng) + 1)
    del drawn[:]
    run_trials(problem, problem.initializations, problem.options.schedule)
    assert drawn.count(STEPS_PER_CALL * SIZES["batch"]) == SIZES["steps"] / STEPS_PER_CALL


def test_a_start_far_behind_goes_no_further(monkeypatch):
    """Funnels in 16-D: cones of the other sign are nowhere near."""
    steps = {}

    class Counted(Training):
        def run(self, *args, **more):
            super().run(*args, **more)
            steps[self.initialization] = self.state.step

    monkeypatch.setattr(loop, "Training", Counted)
    pair = power_funnels(16, 16)
    problem = problem_of(pair.draw, lambda n, rng: pair.move(pair.draw(n, rng)), start="exact")
    trials = run_trials(problem, problem.initializations, problem.options.schedule)
    judged = -(-JUDGED * SIZES["steps"] // SHARED_STEPS) * SHARED_STEPS
    assert len(trials) == 1 and sorted(steps.values()) == [judged, SIZES["steps"]]
    assert steps[trials[0][1]] == SIZES["steps"]


def test_without_a_gain_every_trial_goes_to_its_end():
    problem = problem_of(np.zeros((20, 3)), np.zeros((20, 3)))
    trials = run_trials(problem, problem.initializations, problem.options.schedule)
    assert [one for _, one in trials] == problem.initializations
    assert max(value for value, _ in trials) == pytest.approx(0.0, abs=1e-5)
