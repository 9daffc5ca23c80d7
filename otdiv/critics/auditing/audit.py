"""Can a critic's estimate of W1 be believed?  The audit of any critic, trained by otdiv or elsewhere.

Values at the points are compared with exact transport: what they prove, how steep the critic is, whether
its gradients follow the transport rays, whether it matches the exact potentials; then a verdict with its
reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from otdiv.certificates.certificate import certify
from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array, as_float_array, as_rng, check_choice, invalid, require_finite
from otdiv.critics.auditing.diagnostics import (
    SINGLE_PRECISION,
    compute_null_floor,
    debias_value,
    match_potential,
    measure_gradients,
    pooled_spread,
    slopes,
)
from otdiv.critics.auditing.proved_constant import ProvedConstant, prove_constant
from otdiv.critics.auditing.reference import find_reference
from otdiv.critics.auditing.report import CriticReport
from otdiv.critics.auditing.slope_search import halve_pairs
from otdiv.critics.auditing.verdict import Evidence, judge
from otdiv.critics.choice import ESTIMANDS
from otdiv.critics.interval import difference_of_means
from otdiv.critics.reading.adapters import as_fitted, read_critic
from otdiv.critics.reading.builder import build_critic, names_builder
from otdiv.critics.reading.critic import Critic
from otdiv.critics.reading.shaped_points import Shape, flat_points, one_shape
from otdiv.critics.reading.streams import MOST_POINTS, collect, is_stream
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
    state: str | Path | None = None,
    state_key: str | None = None,
    shape: tuple[int, ...] | None = None,
    most_points: int = MOST_POINTS,
    prove: bool = True,
) -> CriticReport:
    """Audit a critic f of W1 = max over 1-Lipschitz f of sum a f(x) - sum b f(y).

    Parameters
    ----------
    critic : FittedCritic, torch.nn.Module, file, callable, or (values on x [n], values on y [m])
        See :func:`otdiv.critics.reading.adapters.read_critic`; arrays of values allow everything but gradients.
    x, y, a, b
        Points and weights as in :func:`otdiv.emd`; weights sum to 1.  Images [n, c, h, w] are given to the critic
        in that shape, and compared by the Euclidean distance over all entries.  A DataLoader, data set or other
        iterable of batches is collected up to ``most_points``; of a batch (images, labels) the images.
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
    state, state_key : optional
        A file of the state of the critic that ``critic`` builds, and the entry in it.
    shape : tuple of int, optional
        Of one point as the critic takes it, such as (channels, height, width), for flat points [n, d].
    most_points : int
        Points of an iterable at which its collection ends; the report counts them.
    prove : bool
        Prove a Lipschitz constant of the network, where its layers are known: a second or some.

    Returns
    -------
    CriticReport
        ``verdict.word`` is one of agrees, underfit, not a distance, not 1-Lipschitz, overfit, reference is biased.

    Raises
    ------
    InvalidInput
        Critics and points that do not fit, NaN, batch normalisation in training, weights that do not sum to 1, a
        program without ``trust``.

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
    if state is not None:
        critic = build_critic(critic, state, key=state_key)
    elif state_key is not None or names_builder(critic):
        raise invalid("state", "be given for a critic that is built by name", "none", "Pass the file of its weights.")
    trained = as_fitted(critic)
    if trained is not None:
        critic, penalty = trained, trained.weight if penalty is None else penalty
    (x, of_x, x_said), (y, of_y, y_said) = (_gathered(*side, most_points) for side in (("x", x), ("y", y)))
    shape = _shape_of_points(shape, one_shape(("x", "y"), [of_x, of_y]))
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
    constant = prove_constant(reader, mu, nu, shape) if prove else ProvedConstant(None, None)
    proved = Bounds(max(proved.lower, min(constant.lower, proved.upper)), proved.upper)
    secant, violated = slopes(exact, fx, fy, reader.resolution if reader else 0.0)
    found = measure_gradients(reader.gradients, sign, exact, generator) if reader and reader.gradients else None
    slope_found = max(secant, found.largest if found else 0.0, constant.attained)
    if reader:
        noise = max(SINGLE_PRECISION, 8 * reader.resolution) * float(max(np.abs(fx).max(), np.abs(fy).max()))
        slope_found = max(slope_found, halve_pairs(reader.values, exact, sign * fx, sign * fy, noise))
    matched, components = match_potential(exact, fx, fy)
    held_value, leaked = _evaluate_held_out(reader, held_out, sign, (mu, nu), most_points)
    corrected = debias_value(value, penalty, found)
    floor = compute_null_floor(mu, nu, generator)
    evidence = Evidence(
        estimand=estimand,
        value=value,
        error=error,
        held_out=held_value,
        exact=exact.value,
        scale=pooled_spread(problem),
        secant=slope_found,
        proved_lower=proved.lower,
        null_floor=floor,
        debiased=corrected.get("de-biased value"),
        exact_gap=reference.gap,
        leaked=leaked,
        constant=constant.smallest.value if constant.smallest else None,
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
        slope_found=slope_found,
        gradient_max=found.largest if found else None,
        gradient_99=found.percentile if found else None,
        constant=constant.product.value if constant.product else None,
        proved_constant=constant.smallest.value if constant.smallest else None,
        proved_by=constant.smallest.how if constant.smallest else "",
        ray_cosine=found.cosine if found else None,
        ray_slope=found.slope if found else None,
        violated=violated,
        match=matched,
        components=components,
        null_floor=floor,
        debiased=corrected,
        verdict=judge(evidence),
        undefined_gradients=found.undefined if found else 0,
        notes=(*filter(None, (x_said, y_said, _said_of_leaks(leaked))), *(reader.notes if reader else ())),
        curves={
            "fx": fx,
            "fy": fy,
            "exact_fx": exact.f,
            "exact_fy": -exact.g,
            "gradient_norms": found.norms if found else np.zeros(0),
            "rays": np.stack([part[:FIGURE_RAYS] for part in found.rays]) if found else np.zeros((4, 0, mu.d)),
        },
    )


def _gathered(name: str, points: Any, most: int) -> tuple[Any, Shape | None, str]:
    """Points as flat ones with the shape of one, and what is to be said where they came in batches."""
    said = ""
    if is_stream(points):
        points, said = collect(name, points, most)
    return *flat_points(name, points), said


def _shape_of_points(asked: Shape | None, found: Shape | None) -> Shape | None:
    if asked is not None and found not in (None, tuple(asked)):
        raise invalid("shape", f"be that of the points, {found}", repr(asked), "Leave it out.")
    return found if asked is None else tuple(asked)


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
    if shape is not None and int(np.prod(shape)) != mu.d:
        raise invalid("shape", f"hold {mu.d} entries, as a point has", repr(shape), "Give channels, height, width.")
    reader = read_critic(critic, mu.d, trust=trust, output=output, shape=shape)
    fx, fy = reader.values(mu.points), reader.values(nu.points)
    for side, values in (("x", fx), ("y", fy)):
        require_finite(f"critic values on {side}", values)
    return reader.name, fx, fy, reader


def _evaluate_held_out(
    reader: Critic | None,
    held_out: tuple[Any, ...] | None,
    sign: float,
    given: tuple[DiscreteMeasure, DiscreteMeasure],
    most: int,
) -> tuple[float | None, float]:
    """The value on held-out points, and the share of them that are among the points of the audit."""
    if held_out is None:
        return None, 0.0
    if reader is None:
        raise invalid(
            "held_out", "come with a critic that can be evaluated", "arrays of values", "Pass the module or a function."
        )
    if len(held_out) not in (2, 4):
        raise invalid("held_out", "be (x', y') or (x', y', a', b')", f"{len(held_out)} parts", "Pass both sides.")
    x, y = (_gathered("held_out", points, most)[0] for points in held_out[:2])
    if len(held_out) == 4:
        x, y = DiscreteMeasure(x, held_out[2]), DiscreteMeasure(y, held_out[3])
    others = tuple(_weighted(*part) for part in zip("xy", (x, y), given, strict=True))
    fx, fy = (reader.values(other.points) for other in others)
    value, _ = difference_of_means(fx, fy, *others)
    shares = [_share_among(other.points, one.points) for other, one in zip(others, given, strict=True)]
    return sign * value, max(shares)


def _share_among(points: Array, known: Array) -> float:
    """The share of the points that are, entry by entry, among the known ones."""
    rows = {row.tobytes() for row in np.ascontiguousarray(known)}
    return sum(row.tobytes() in rows for row in np.ascontiguousarray(points)) / len(points)


def _said_of_leaks(share: float) -> str:
    return f"{100 * share:.3g} % of the held-out points are among those of the audit: no test of them." if share else ""


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
