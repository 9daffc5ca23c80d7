"""Estimate W1 with a neural critic: fit, estimate, load.

This file is the door: it imports torch inside its functions, so that a user without
torch is told what to install.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import check_choice, invalid, optional_import
from otdiv.critics.choice import PENALTIES, STRATEGIES, ConstraintChoice, select_constraint
from otdiv.critics.result import CriticEstimate
from otdiv.problem.transport_problem import TransportProblem

if TYPE_CHECKING:
    from otdiv.critics.fitted import FittedCritic
    from otdiv.neural.samples import Law

ESTIMANDS = ("auto", "empirical", "population")


def fit(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    constraint: str = "auto",
    device: str = "auto",
    seed: int = 0,
    steps: int = 3000,
    batch: int = 512,
    time_limit: float | None = None,
    penalty_weight: float = 10.0,
    network: Any = None,
    checkpoint: str | Path | None = None,
    progress: bool | Callable[[Any], None] = False,
    **more: Any,
) -> FittedCritic:
    """Train a critic f that maximises sum a f(x) - sum b f(y) among (nearly) 1-Lipschitz functions.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d]; DiscreteMeasure; or samplers
        Points, or functions (n, rng) -> points [n, d] that draw new ones for every step.
    a, b : array_like, optional
        Weights of total 1; None is uniform.
    constraint : str
        One of :data:`otdiv.critics.STRATEGIES`, or "auto" (:func:`otdiv.critics.select_constraint`).
    device : str
        "auto" is CUDA where torch sees it, else the CPU; or a device of torch.
    seed : int
        The same seed gives the same critic on the same device.
    steps : int
        Most steps; a plateau makes the schedule run out sooner.
    batch : int
        Points of each law in a step; smaller clouds are used whole.
    time_limit : float, optional
        Seconds of training; runs then depend on the machine's speed.
    penalty_weight : float
        lambda of the gradient penalties, in units of a pilot distance, so that scaling the data scales the answer.
    network : torch.nn.Module, optional
        Your own, [n, d] -> [n] or [n, 1] in units of the data's spread; without batch norm.
    checkpoint : path, optional
        A file in which the run saves itself; where it exists already, the run goes on from there.
    progress : bool or callable
        True prints lines with the running proved interval; a callable is given each
        ``otdiv.critics.training.loop.Step``.
    **more
        rate, width, depth, groups, pieces, activation, clip, early_stop, start: see
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
    from otdiv.neural.samples import laws_of

    laws = laws_of(x, y, a, b)
    problem = _problem(laws)
    choice = _choice(constraint, "population" if problem is None else "empirical", laws, network)
    options = {"device": device, "seed": seed, "steps": steps, "batch": batch, "time_limit": time_limit}
    return _fit(
        laws, choice, {**options, "penalty_weight": penalty_weight, **more}, network, checkpoint, progress, None
    )


def load(path: str | Path) -> FittedCritic:
    """Read a critic that :meth:`FittedCritic.save` wrote; no code in the file is run.

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
    seed: int = 0,
    exact: bool | None = None,
    progress: bool | Callable[[Any], None] = False,
    network: Any = None,
    checkpoint: str | Path | None = None,
    **options: Any,
) -> CriticEstimate:
    """Estimate W1 with a neural critic, with an interval and a verdict.

    Parameters
    ----------
    x, y, a, b, constraint, seed, progress, network, checkpoint
        As :func:`fit`.
    estimand : {"auto", "empirical", "population"}
        "empirical": the distance of these point sets, with a proved interval.  "population": the distance
        of the laws that they were drawn from, with a 95 % interval; a quarter of the points is held out for
        it, and an eighth to choose a start and to see a plateau.
        "auto" is "population" for samplers, else "empirical".
    seeds : int
        Train so many critics and keep the one that proves most.
    exact : bool, optional
        Whether to compute exact distances as the referee and upper end; by default where they are cheap.
    **options
        device, steps, batch, time_limit, penalty_weight and the sizes of networks, as :func:`fit`.

    Returns
    -------
    CriticEstimate

    Raises
    ------
    InvalidInput, MissingPackage, SolverFailed, TooLarge
        As :func:`fit`; also estimand "empirical" for a sampler.

    Notes
    -----
    The empirical estimate is the larger of the critic's own value and what its c-transform on the points
    proves; the exact referee is never mixed into it.

    Examples
    --------
    >>> answer = estimate([[0.0], [1.0]], [[2.0], [3.0]], steps=100)
    >>> answer.lower <= 2.0 <= answer.upper, answer.verdict.word
    (True, 'agrees')
    """
    optional_import("torch", "A neural critic", "torch")
    from otdiv.critics.estimands import OfLaws, OfPoints
    from otdiv.neural.samples import laws_of

    began = time.monotonic()
    check_choice("estimand", estimand, ESTIMANDS)
    if not (isinstance(seeds, int | np.integer) and seeds >= 1):
        raise invalid("seeds", "be a positive integer", repr(seeds), "1 trains one critic.")
    if checkpoint is not None and seeds > 1:
        raise invalid("checkpoint", "go with one seed", f"seeds = {seeds}", "Train one seed, or leave it out.")
    laws = laws_of(x, y, a, b)
    problem = _problem(laws)
    if estimand == "auto":
        estimand = "population" if problem is None else "empirical"
    choice = _choice(constraint, estimand, laws, network)
    if estimand == "empirical":
        if problem is None:
            raise invalid("estimand", "be 'population' for a sampler", "'empirical'", "Points of a sampler never end.")
        asked: OfPoints | OfLaws = OfPoints.of(laws, problem, exact)
    else:
        asked = OfLaws.of(laws, seed, exact)
    best, values = None, []
    for k in range(seeds):
        chosen = {"seed": seed + k, **options}
        critic = _fit(asked.train, choice, chosen, network, checkpoint, progress, asked.band, asked.watched)
        answer = asked.answer(critic, choice)
        values.append(answer.value)
        if best is None or answer.lower > best.lower:
            best = answer
    assert best is not None
    return replace(best, seed_values=tuple(values), seconds=time.monotonic() - began)


def _problem(laws: tuple[Law, Law]) -> TransportProblem | None:
    """Both point sets as a transport problem; None where one law is a sampler."""
    mu, nu = laws[0].measure, laws[1].measure
    return None if mu is None or nu is None else TransportProblem(mu.normalized(), nu.normalized())


def _choice(constraint: str, estimand: str, laws: tuple[Law, Law], network: Any) -> ConstraintChoice:
    check_choice("constraint", constraint, ("auto", *STRATEGIES))
    if network is not None:
        if constraint == "auto":
            return ConstraintChoice("one-sided-penalty", "your own network: a penalty needs nothing of its layers")
        if constraint not in PENALTIES:
            raise invalid(
                "constraint",
                f"be one of {', '.join(PENALTIES)} for your own network",
                repr(constraint),
                "The others build their own networks.",
            )
    if constraint != "auto":
        return ConstraintChoice(constraint, "asked for")
    sizes = [np.inf if law.measure is None else law.measure.n for law in laws]
    d = 1 if laws[0].measure is None else laws[0].measure.d
    return select_constraint(estimand, sizes[0], sizes[1], d)


def _fit(
    laws: tuple[Law, Law],
    choice: ConstraintChoice,
    options: dict[str, Any],
    network: Any,
    checkpoint: str | Path | None,
    progress: bool | Callable[[Any], None],
    band: Callable[[FittedCritic], tuple[float, float]] | None,
    watched: tuple[Law, Law] | None = None,
) -> FittedCritic:
    from otdiv.critics.training.fit import fit_laws
    from otdiv.critics.training.options import Options

    unknown = sorted(set(options) - set(Options.__dataclass_fields__))
    if unknown:
        raise invalid(
            "options", "be known", ", ".join(unknown), f"There are {', '.join(Options.__dataclass_fields__)}."
        )
    file = None if checkpoint is None else Path(checkpoint)
    return fit_laws(
        laws,
        Options(choice.constraint, **options),
        network=network,
        checkpoint=file,
        progress=progress,
        band=band,
        watched=watched,
    )
