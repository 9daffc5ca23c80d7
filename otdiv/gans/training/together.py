"""The recorded steps of one training or of several, which a graphics card runs at once."""

from __future__ import annotations

import torch

from otdiv.gans.training.measured_training import MeasuredTraining
from otdiv.gans.training.record import TrainingRecord
from otdiv.gans.training.scheduled_step import CHUNK, run_scheduled
from otdiv.neural.loop import memory_in_words

AT_ONCE = 8
"""Trainings whose steps run at once.  Torch has 32 streams, of which each training takes two; more of them would share
the scratch memory of their matrix products."""


def run_together(trainings: list[MeasuredTraining], *, capture: bool = True) -> list[TrainingRecord]:
    """Run all steps of trainings of one model and length, from where each stands, and measure each at its reports.

    Parameters
    ----------
    trainings : list of MeasuredTraining
        Of the same settings but for the seed, at the same step.
    capture : bool
        Whether the steps are recorded as CUDA graphs; without it they run one operation after the other, on any device.

    Returns
    -------
    list of TrainingRecord
        In the order of the trainings.

    Raises
    ------
    SolverFailed
        A training diverged.
    TooLarge
        Out of memory.
    """
    first = trainings[0]
    batch = first.model.batch(first.settings)
    states = [training.begin() for training in trainings]
    with memory_in_words(batch):
        several = capture and len(trainings) > 1
        streams = [torch.cuda.Stream(first.device) if several else None for _ in trainings]
        steps = [
            training.scheduled_steps(state, capture=capture, stream=stream)
            for training, state, stream in zip(trainings, states, streams, strict=True)
        ]
    while not first.finished(states[0]):
        count = min(CHUNK, first.steps_to_report(states[0]))
        with memory_in_words(batch):
            found = run_scheduled(steps, states, count)
        states = [training.after_step(*one) for training, one in zip(trainings, found, strict=True)]
    return [training.record(state) for training, state in zip(trainings, states, strict=True)]
