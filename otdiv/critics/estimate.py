"""Estimate W1 with a neural critic: fit, estimate, load.

Importing this module does not import torch: its functions do, and without torch they raise an error that
names what to install.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.progress import Progress
from otdiv.core.validation import as_rng, check_choice, invalid, optional_import
from otdiv.critics.choice import ESTIMANDS, ConstraintChoice, resolve_constraint
from otdiv.critics.result import CriticEstimate
from otdiv.files.writing import require_writable
from otdiv.neural.samples import Pair, as_distributions
from otdiv.problem.transport_problem import TransportProblem

if TYPE_CHECKING:
    from otdiv.critics.fitted import FittedCritic
    from otdiv.critics.training.problem import TrainingProblem

_ONE_THREAD_UP_TO = 256
"""Dimension up to which a step beside a sampler takes one thread: 256 funnels in 32-D take 93 s with two threads on two
cores and 40 s with one; images in thousands of dimensions have products large enough for many."""


def fit(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    constraint: str = "auto",
    device: str = "auto",
    rng: int | np.random.Generator | None = 0,
    steps: int = 3000,
    batch: int | None = None,
    time_limit: float | None = None,
    penalty_weight: float = 10.0,
    network: Any = None,
    checkpoint: str | Path | None = None,
    progress: Progress = False,
    **more: Any,
) -> FittedCritic:
    """Train a critic f that maximises sum a f(x) - sum b f(y) among (nearly) 1-Lipschitz functions.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d]; DiscreteMeasure; or samplers
        Points, or functions (n, rng) -> points [n, d] that draw new ones for every step: one call at a time, most of
        them in a thread, for ten steps ahead of their use.  Where they draw from ``rng`` a seed repeats the run.
    a, b : array_like, optional
        Weights of total 1; None is uniform.
    constraint : str
        One of :data:`otdiv.critics.CONSTRAINTS`, or "auto" (:func:`otdiv.critics.select_constraint`).
    device : str
        "auto" is CUDA where torch sees it, else the CPU; or a device of torch.
    rng : int or numpy.random.Generator, optional
        An integer is the seed: the same one gives the same critic on the same device.  From a generator one
        seed is drawn; None draws a new one.
    steps : int
        Most steps; a plateau ends the schedule sooner.
    batch : int, optional
        Points of each distribution in a step; smaller clouds are used whole.  None is 512, and 1024 for samplers and
        more than 2048 points in 65 to 256 dimensions, where a min-max critic needs them.
    time_limit : float, optional
        Seconds of training; runs then depend on the machine's speed.
    penalty_weight : float
        lambda of the gradient penalties, in units of a pilot distance, so that scaling the data scales the answer.
    network : torch.nn.Module, optional
        Your own, [n, d] -> [n] or [n, 1] in units of the data's spread; without batch norm.
    checkpoint : path, optional
        A file in which the run saves itself; where it exists already, the run goes on from there.
    progress : bool or callable
        True shows a bar on a terminal, else prints lines, with the running proved interval; a callable is given
        each :class:`otdiv.core.progress.ProgressEvent`, with counts step, value and penalty.
    **more
        rate, width, depth, groups, pieces, activation, clip, early_stop, start, draws: see
        ``otdiv.critics.training.options.Options``.

    Returns
    -------
    FittedCritic
        Callable on arrays; ``gradient``, ``module``, ``save``, ``lipschitz``.

    Raises
    ------
    InvalidInput
        Arguments that do not fit, batch norm, a checkpoint of another run.
    MissingPackage
        torch is not installed.
    SolverFailed
        The training diverged.
    TooLarge
        Out of memory.

    Examples
    --------
    >>> critic = fit([[0.0], [1.0]], [[2.0], [3.0]], constraint="min-max", steps=50)
    >>> float(critic([[0.0]])[0] - critic([[2.0]])[0]) <= 2.0 + 1e-9
    True
    """
    optional_import("torch", "A neural critic", "torch")
    from otdiv.critics.training.options import Options
    from otdiv.critics.training.problem import TrainingProblem
    from otdiv.critics.training.train import train
    from otdiv.neural.slopes import gradients_enabled

    distributions = as_distributions(x, y, a, b)
    choice = _resolve(constraint, None, distributions, network)
    options = Options.of(
        choice.constraint,
        _seed_from(rng),
        device=device,
        steps=steps,
        batch=batch,
        time_limit=time_limit,
        penalty_weight=penalty_weight,
        **more,
    )
    with gradients_enabled():
        problem = TrainingProblem.of(distributions, options, network=network)
        with _one_thread_beside_samplers(problem):
            return train([problem], checkpoint=checkpoint, progress=progress)[0]


def load(path: str | Path) -> FittedCritic:
    """Read a critic that :meth:`FittedCritic.save` wrote; no code in the file is run.

    Parameters
    ----------
    path : str or Path
        A file (.pt).

    Returns
    -------
    FittedCritic

    Raises
    ------
    InvalidInput
        Another kind of file.
    MissingPackage
        torch is not installed.
    """
    optional_import("torch", "A neural critic", "torch")
    from otdiv.critics.fitted import FittedCritic

    return FittedCritic.load(path)


def estimate(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    estimand: str = "auto",
    constraint: str = "auto",
    seeds: int = 1,
    rng: int | np.random.Generator | None = 0,
    exact: bool | None = None,
    progress: Progress = False,
    network: Any = None,
    checkpoint: str | Path | None = None,
    **options: Any,
) -> CriticEstimate:
    """Estimate W1 with a neural critic, with an interval and a verdict.

    Parameters
    ----------
    x, y, a, b, constraint, rng, progress, network, checkpoint
        As :func:`fit`.
    estimand : {"auto", "empirical", "population"}
        "empirical": the distance of these point sets, with a proved interval.  "population": the distance
        of the distributions that they were drawn from, with a 95 % interval; a quarter of the points is held
        out for it, and an eighth to choose an initialization and to detect a plateau.
        "auto" is "population" for samplers, else "empirical".
    seeds : int
        Number of critics to train, from consecutive seeds; the one that proves most is kept.  On CUDA they are trained
        together, in one captured step.
    exact : bool, optional
        Whether to compute exact distances as the reference and upper end; by default where they are cheap.
    **options
        device, steps, batch, time_limit, penalty_weight, draws (for a slow sampler: the most points to draw from it for
        the training) and the sizes of networks, as :func:`fit`.

    Returns
    -------
    CriticEstimate

    Raises
    ------
    InvalidInput, MissingPackage, SolverFailed, TooLarge
        As :func:`fit`; also estimand "empirical" for a sampler.

    Notes
    -----
    The empirical estimate is the larger of the critic value and what its c-transform on the points proves;
    the exact reference is never mixed into it.

    Examples
    --------
    >>> answer = estimate([[0.0], [1.0]], [[2.0], [3.0]], steps=100)
    >>> answer.lower <= 2.0 <= answer.upper, answer.verdict.word
    (True, 'agrees')
    """
    optional_import("torch", "A neural critic", "torch")
    from otdiv.critics.estimands import EmpiricalEstimand, PopulationEstimand
    from otdiv.critics.training.options import Options
    from otdiv.critics.training.problem import TrainingProblem
    from otdiv.critics.training.train import train
    from otdiv.neural.slopes import gradients_enabled

    began = time.monotonic()
    check_choice("estimand", estimand, ("auto", *ESTIMANDS))
    if not (isinstance(seeds, int | np.integer) and seeds >= 1):
        raise invalid("seeds", "be a positive integer", repr(seeds), "1 trains one critic.")
    if checkpoint is not None and seeds > 1:
        raise invalid("checkpoint", "go with one seed", f"seeds = {seeds}", "Train one seed, or leave it out.")
    if checkpoint is not None:
        require_writable(checkpoint, "checkpoint")
    distributions, seed = as_distributions(x, y, a, b), _seed_from(rng)
    transport = _transport_problem(distributions)
    if estimand == "auto":
        estimand = "population" if transport is None else "empirical"
    choice = _resolve(constraint, estimand, distributions, network)
    if estimand == "population":
        asked: EmpiricalEstimand | PopulationEstimand = PopulationEstimand.of(distributions, seed, exact)
    elif transport is not None:
        asked = EmpiricalEstimand.of(distributions, transport, exact)
    else:
        raise invalid("estimand", "be 'population' for a sampler", "'empirical'", "Points of a sampler never end.")
    with gradients_enabled():
        problems = [
            TrainingProblem.of(
                asked.train,
                Options.of(choice.constraint, seed + k, **options),
                validation=asked.validation,
                network=network,
            )
            for k in range(seeds)
        ]
        with _one_thread_beside_samplers(problems[0]):
            trained = train(problems, checkpoint=checkpoint, progress=progress, band=asked.band)
        answers = [asked.answer(critic, choice) for critic in trained]
    best = max(answers, key=lambda answer: answer.lower)
    values = tuple(answer.value for answer in answers)
    return replace(best, seed_values=values, seconds=time.monotonic() - began)


@contextmanager
def _one_thread_beside_samplers(problem: TrainingProblem) -> Iterator[None]:
    """One thread of torch while samplers are called, in up to ``_ONE_THREAD_UP_TO`` dimensions; then as many as before.

    The matrix products of a sampler leave threads of NumPy's library that wait for the next one without sleeping, and
    torch's threads, which meet many times in a step of milliseconds, wait for them.
    """
    import torch

    threads = torch.get_num_threads()
    if problem.d <= _ONE_THREAD_UP_TO and any(one.measure is None for one in problem.distributions):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _seed_from(rng: int | np.random.Generator | None) -> int:
    """The seed: an integer as it is, or one drawn from a generator or from new entropy."""
    generator = as_rng(rng)
    return int(rng) if isinstance(rng, int | np.integer) else int(generator.integers(2**31))


def _transport_problem(distributions: Pair) -> TransportProblem | None:
    """Both point sets as a transport problem; None where one distribution is a sampler."""
    mu, nu = distributions[0].measure, distributions[1].measure
    return None if mu is None or nu is None else TransportProblem(mu.normalized(), nu.normalized())


def _resolve(constraint: str, estimand: str | None, distributions: Pair, network: Any) -> ConstraintChoice:
    """The constraint for these distributions; without an estimand, that of points is "empirical"."""
    n, m = (np.inf if one.measure is None else one.measure.n for one in distributions)
    d = 1 if distributions[0].measure is None else distributions[0].measure.d
    estimand = estimand or ("population" if max(n, m) == np.inf else "empirical")
    return resolve_constraint(constraint, estimand, n, m, d, network)
