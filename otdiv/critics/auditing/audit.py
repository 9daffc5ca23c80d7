"""Can a critic's estimate of W1 be believed?  The audit of any critic, trained by otdiv or elsewhere.

Values at the points are compared with exact transport: what they prove, how steep the critic is, whether
its gradients follow the transport rays, whether it matches the exact potentials; then a verdict with its
reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.certificates.certificate import certify
from otdiv.core.validation import Array, as_float_array, as_rng, check_choice, invalid, require_finite
from otdiv.critics.auditing.diagnostics import (
    compute_null_floor,
    debias_value,
    match_potential,
    measure_gradients,
    pooled_spread,
    slopes,
)
from otdiv.critics.auditing.reference import find_reference
from otdiv.critics.auditing.report import CriticReport
from otdiv.critics.auditing.verdict import Evidence, judge
from otdiv.critics.choice import ESTIMANDS
from otdiv.critics.interval import difference_of_means
from otdiv.critics.reading.adapters import Critic, as_fitted, read_critic
from otdiv.critics.reading.shaped_points import Shape, flat_points, one_shape
from otdiv.measures.arguments import as_measures, require_probability
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem

FIGURE_RAYS = 60
"""Most rays kept for the figure; more of them hide each other."""


def audit(
    critic: Any,
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    held_out: tuple[Any, ...] | None = None,
    estimand: str = "empirical",
    penalty: float | None = None,
    rng: int | np.random.Generator | None = 0,
    trust: bool = False,
    output: int | str | None = None,
) -> CriticReport:
    """Audit a critic f of W1 = max over 1-Lipschitz f of sum a f(x) - sum b f(y).

    Parameters
    ----------
    critic : FittedCritic, torch.nn.Module, file, callable, or (values on x [n], values on y [m])
        See :func:`otdiv.critics.reading.adapters.read_critic`; arrays of values allow everything but gradients.
    x, y, a, b
        Points and weights as in :func:`otdiv.emd`; weights sum to 1.  Images [n, c, h, w] are given to the critic
        in that shape, and compared by the Euclidean distance over all entries.
    held_out : (x', y') or (x', y', a', b'), optional
        Points that the critic was not trained on; without them overfitting cannot be detected.  Where x or y have
        weights, so must these: by a' and b', as measures, or, for as many points, those of a and b hold.
    estimand : {"empirical", "population"}
        What the critic is meant to estimate.
    penalty : float, optional
        The weight lambda of a gradient penalty it was trained with, in the unit of the points; a
        FittedCritic brings its own.
    rng : int or numpy.random.Generator, optional
        For random interpolates and halves; None is new at each call.
    trust : bool
        Open a TorchScript or exported-program file.  Both are programs, which can run code and write files:
        only for files whose author you know.
    output : int or str, optional
        Which output counts, of a module or function that returns several: a position in a tuple, or a key.

    Returns
    -------
    CriticReport
        ``verdict.word`` is one of agrees, underfit, not a distance, not 1-Lipschitz, overfit, reference is biased.

    Raises
    ------
    InvalidInput
        Critics and points that do not fit, NaN, batch normalisation, weights that do not sum to 1, a program
        without ``trust``.

    Examples
    --------
    >>> report = audit(lambda z: -z[:, 0], [[0.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [2.0, 1.0]])
    >>> report.verdict.word, report.value, report.exact
    ('agrees', 2.0, 2.0)
    """
    check_choice("estimand", estimand, ESTIMANDS)
    if penalty is not None and not penalty > 0:
        raise invalid("penalty", "be positive", repr(penalty), "Pass the weight lambda of the gradient penalty.")
    generator = as_rng(rng)
    trained = as_fitted(critic)
    if trained is not None:
        critic, penalty = trained, trained.weight if penalty is None else penalty
    (x, of_x), (y, of_y) = flat_points("x", x), flat_points("y", y)
    shape = one_shape(("x", "y"), [of_x, of_y])
    mu, nu = as_measures(x, y, a, b)
    for side, measure in (("x", mu), ("y", nu)):
        require_probability(measure, f"the weights of {side}", "Divide them by their sum first.")
    problem = TransportProblem(mu, nu)
    name, fx, fy, reader = _evaluate(critic, mu, nu, trust, output, shape)
    reference = find_reference(problem)
    exact = reference.result
    value, error = difference_of_means(fx, fy, mu, nu)
    flipped = value < 0
    sign = -1.0 if flipped else 1.0
    fx, fy, value = sign * fx, sign * fy, abs(value)

    first, second = (certify(problem, exact.plan, pair) for pair in ((fx, None), (None, -fy)))
    proved = first.bounds.intersect(second.bounds)
    secant, violated = slopes(exact, fx, fy, reader.resolution if reader else 0.0)
    found = measure_gradients(reader, sign, exact, generator) if reader else None
    matched, components = match_potential(exact, fx, fy)
    held_value = _evaluate_held_out(reader, held_out, sign, mu, nu)
    corrected = debias_value(value, penalty, found)
    floor = compute_null_floor(mu, nu, generator)
    evidence = Evidence(
        estimand=estimand,
        value=value,
        error=error,
        held_out=held_value,
        exact=exact.value,
        scale=pooled_spread(problem),
        secant=max(secant, found.largest if found else 0.0),
        proved_lower=proved.lower,
        null_floor=floor,
        debiased=corrected.get("de-biased value"),
        exact_gap=reference.gap,
    )
    return CriticReport(
        critic=name,
        estimand=estimand,
        value=value,
        flipped=flipped,
        standard_error=error,
        held_out=held_value,
        exact=exact.value,
        reference=reference.how,
        proved=proved,
        scaled=value / max(1.0, secant),
        secant=secant,
        gradient_max=found.largest if found else None,
        gradient_99=found.percentile if found else None,
        constant=reader.constant.value if reader and reader.constant else None,
        ray_cosine=found.cosine if found else None,
        ray_slope=found.slope if found else None,
        violated=violated,
        match=matched,
        components=components,
        null_floor=floor,
        debiased=corrected,
        verdict=judge(evidence),
        undefined_gradients=found.undefined if found else 0,
        curves={
            "fx": fx,
            "fy": fy,
            "exact_fx": exact.f,
            "exact_fy": -exact.g,
            "gradient_norms": found.norms if found else np.zeros(0),
            "rays": np.stack([part[:FIGURE_RAYS] for part in found.rays]) if found else np.zeros((4, 0, mu.d)),
        },
    )


def _evaluate(
    critic: Any,
    mu: DiscreteMeasure,
    nu: DiscreteMeasure,
    trust: bool,
    output: int | str | None,
    shape: Shape | None,
) -> tuple[str, Array, Array, Critic | None]:
    if isinstance(critic, tuple):
        if len(critic) != 2:
            raise invalid("critic", "be a pair (values on x, values on y)", f"{len(critic)} arrays", "Pass both.")
        fx, fy = (
            as_float_array(f"critic values on {side}", v).reshape(-1) for side, v in zip("xy", critic, strict=True)
        )
        for side, values, measure in (("x", fx, mu), ("y", fy, nu)):
            if len(values) != measure.n:
                raise invalid(
                    f"critic values on {side}",
                    f"have shape [{measure.n}]",
                    f"shape {values.shape}",
                    "One value a point.",
                )
            require_finite(f"critic values on {side}", values)
        return "values given at the points", fx, fy, None
    reader = read_critic(critic, mu.d, trust=trust, output=output, shape=shape)
    fx, fy = reader.values(mu.points), reader.values(nu.points)
    for side, values in (("x", fx), ("y", fy)):
        require_finite(f"critic values on {side}", values)
    return reader.name, fx, fy, reader


def _evaluate_held_out(
    reader: Critic | None, held_out: tuple[Any, ...] | None, sign: float, mu: DiscreteMeasure, nu: DiscreteMeasure
) -> float | None:
    if held_out is None:
        return None
    if reader is None:
        raise invalid(
            "held_out", "come with a critic that can be evaluated", "arrays of values", "Pass the module or a function."
        )
    if len(held_out) not in (2, 4):
        raise invalid("held_out", "be (x', y') or (x', y', a', b')", f"{len(held_out)} parts", "Pass both sides.")
    x, y = (flat_points("held_out", points)[0] for points in held_out[:2])
    if len(held_out) == 4:
        x, y = DiscreteMeasure(x, held_out[2]), DiscreteMeasure(y, held_out[3])
    others = (_weighted("x", x, mu), _weighted("y", y, nu))
    fx, fy = (reader.values(other.points) for other in others)
    value, _ = difference_of_means(fx, fy, *others)
    return sign * value


def _weighted(side: str, other: Any, given: DiscreteMeasure) -> DiscreteMeasure:
    """Held-out points with their weights: their own, or, of as many points, those of the points of the audit."""
    if isinstance(other, DiscreteMeasure):
        require_probability(other, f"the weights of held_out {side}", "Divide them by their sum first.")
        return other
    bare = DiscreteMeasure(other)
    if np.ptp(given.weights) <= 1e-12 * given.weights.max():
        return bare
    if bare.n != given.n:
        raise invalid(
            "held_out",
            f"have weights, since {side} has",
            f"{bare.n} points without",
            "Pass (x', y', a', b'), or two DiscreteMeasure.",
        )
    return DiscreteMeasure(bare.points, given.weights)
