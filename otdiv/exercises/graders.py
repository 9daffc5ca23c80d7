"""Graders: each hands the answer to the checker of otdiv that proves it, and says what is violated and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.certificates.certificate import certify
from otdiv.core.validation import Array, as_float_array
from otdiv.duality.farkas import verify_farkas
from otdiv.duality.zero_sum_games import MatrixGame
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.exercises.marks import CLOSED, Mark, by_interval
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.solve import solve


def _shaped(name: str, value: Any, shape: tuple[int, ...]) -> Array | Mark:
    """The answer as an array of that shape, or the mark that says what came instead."""
    if value is None:
        return Mark(False, f"Give {name} of shape {list(shape)}.")
    try:
        array = as_float_array(name, value)
    except InvalidInput as problem:
        return Mark(False, str(problem))
    if array.shape != shape:
        return Mark(False, f"{name} must have shape {list(shape)}; got {list(array.shape)}.")
    if not np.isfinite(array).all():
        return Mark(False, f"{name} must be finite; got NaN or infinity.")
    return array


def _broken_plan(problem: TransportProblem, plan: Array) -> str:
    """Which condition of a plan is violated most; empty if none is."""
    tolerance = CLOSED * problem.mu.mass
    i, j = np.unravel_index(int(plan.argmin()), plan.shape)
    if plan[i, j] < -tolerance:
        return f"The plan is negative: {plan[i, j]:.4g} from source {i} to target {j}."
    for side, sums, wanted in (("source", plan.sum(axis=1), problem.a), ("target", plan.sum(axis=0), problem.b)):
        off = np.abs(sums - wanted)
        k = int(off.argmax())
        if off[k] > tolerance:
            verb = "sends" if side == "source" else "receives"
            return f"{side.capitalize()} {k} {verb} {sums[k]:.4g}, and should {verb[:-1]} {wanted[k]:.4g}."
    return ""


def _broken_prices(problem: TransportProblem, f: Array, g: Array) -> str:
    """The pair at which f + g <= c is violated most; empty if there is none."""
    costs = problem.costs()
    excess = f[:, None] + g - costs
    i, j = np.unravel_index(int(excess.argmax()), excess.shape)
    if excess[i, j] <= CLOSED * max(1.0, float(costs.max())):
        return ""
    return f"f + g <= c is violated at source {i}, target {j}: {f[i]:.4g} + {g[j]:.4g} > {costs[i, j]:.4g}."


def grade_plan(problem: TransportProblem, plan: Any) -> Mark:
    """Is this the cheapest plan?

    Parameters
    ----------
    problem : TransportProblem
    plan : array_like [n, m]

    Returns
    -------
    Mark
        Its interval: the plan's cost above, the optimum's own proof below.
    """
    matrix = _shaped("the plan", plan, (problem.n, problem.m))
    if isinstance(matrix, Mark):
        return matrix
    broken = _broken_plan(problem, matrix)
    if broken:
        return Mark(False, broken)
    best = solve(problem)
    proof = certify(problem, np.maximum(matrix, 0.0), best.potentials)
    cheaper = f"Another plan costs {proof.value - best.value:.4g} less."
    return by_interval(proof.bounds.lower, proof.bounds.upper, "No plan is cheaper.", cheaper)


def grade_prices(problem: TransportProblem, f: Any, g: Any) -> Mark:
    """Do these prices earn the most?

    Parameters
    ----------
    problem : TransportProblem
    f, g : array_like [n], [m]
        With f_i + g_j <= c_ij.

    Returns
    -------
    Mark
        Its interval: the income sum a f + sum b g below, a cheapest plan's cost above.
    """
    prices = [_shaped(name, value, (size,)) for name, value, size in (("f", f, problem.n), ("g", g, problem.m))]
    for price in prices:
        if isinstance(price, Mark):
            return price
    p, q = (np.asarray(price) for price in prices)
    broken = _broken_prices(problem, p, q)
    if broken:
        return Mark(False, broken)
    income = float(problem.a @ p + problem.b @ q)
    upper = certify(problem, solve(problem).plan).bounds.upper
    more = f"They are admissible and earn {income:.6g}; {upper - income:.4g} more can be earned."
    return by_interval(income, upper, "No admissible prices earn more.", more)


def grade_pair(problem: TransportProblem, plan: Any, f: Any, g: Any) -> Mark:
    """Do a plan and prices prove the distance by themselves, without a solver?

    Parameters
    ----------
    problem : TransportProblem
    plan : array_like [n, m]
    f, g : array_like [n], [m]

    Returns
    -------
    Mark
        Its interval: the prices' income below, the plan's cost above.
    """
    parts = [("the plan", plan, (problem.n, problem.m)), ("f", f, (problem.n,)), ("g", g, (problem.m,))]
    arrays = [_shaped(*part) for part in parts]
    for array in arrays:
        if isinstance(array, Mark):
            return array
    matrix, p, q = (np.asarray(array) for array in arrays)
    broken = _broken_plan(problem, matrix) or _broken_prices(problem, p, q)
    if broken:
        return Mark(False, broken)
    income, cost = float(problem.a @ p + problem.b @ q), float((matrix * problem.costs()).sum())
    gap = f"The plan costs {cost:.6g}, the prices earn {income:.6g}: a gap of {cost - income:.4g} is left."
    return by_interval(income, cost, "Plan and prices meet: together they are the proof.", gap)


def grade_witness(A: Any, b: Any, *, x: Any = None, F: Any = None) -> Mark:
    """Does a witness prove one of Farkas' alternatives: x >= 0 with A x = b, or A'F <= 0 with b'F > 0?

    Parameters
    ----------
    A, b : array_like [m, n], [m]
    x, F : array_like [n], [m]
        One of the two.

    Returns
    -------
    Mark
    """
    if x is None and F is None:
        return Mark(False, "Give a witness: x or F.")
    try:
        found = verify_farkas(A, b, x=x, F=F)
    except (CertificateRefused, InvalidInput) as problem:
        return Mark(False, f"{str(problem).rstrip('.')}.")
    if found.alternative == 1:
        return Mark(True, "b is a combination of the columns with weights that are not negative.")
    return Mark(True, f"A'F <= 0 and b'F = {found.gain:.6g} > 0: no x >= 0 solves A x = b.")


def grade_critic(problem: TransportProblem, critic: Any) -> Mark:
    """Is a function 1-Lipschitz on the points, and does it find the whole distance?

    Parameters
    ----------
    problem : TransportProblem
        Of points, the cost a metric.
    critic : callable
        Points [n, d] to values [n].  Its value is sum a h(x) - sum b h(y).

    Returns
    -------
    Mark
        Its interval: the critic's value below, a cheapest plan's cost above.
    """
    if not callable(critic):
        return Mark(False, "Give a function of points [n, d].")
    points = np.concatenate([problem.mu.points, problem.nu.points])
    values = _shaped("The function's values", critic(points), (len(points),))
    if isinstance(values, Mark):
        return values
    distances = problem.cost.matrix(points, points)
    steep = np.abs(values[:, None] - values) - distances
    i, j = np.unravel_index(int(steep.argmax()), steep.shape)
    if steep[i, j] > CLOSED * max(1.0, float(distances.max())):
        slope = abs(values[i] - values[j]) / distances[i, j] if distances[i, j] > 0 else np.inf
        places = " and ".join(str(points[k].tolist()) for k in (i, j))
        return Mark(False, f"It is not 1-Lipschitz: between {places} its slope is {slope:.4g}.")
    h = values[: problem.n], values[problem.n :]
    value = float(problem.a @ h[0] - problem.b @ h[1])
    upper = certify(problem, solve(problem).plan).bounds.upper
    turned = " With the other sign it finds more." if value < 0 else ""
    part = f"It is 1-Lipschitz on the points and finds {value:.6g} of at most {upper:.6g}.{turned}"
    return by_interval(value, upper, "It is 1-Lipschitz on the points and finds the whole distance.", part)


def grade_game(payoff: Any, x: Any, y: Any) -> Mark:
    """Are these mixed strategies a saddle point?

    Parameters
    ----------
    payoff : array_like [m, n]
        What the row player receives.
    x, y : array_like [m], [n]
        Probabilities.

    Returns
    -------
    Mark
        Its interval for the value of the game: what x guarantees, and what y loses at most.
    """
    game = MatrixGame(payoff)
    strategies = [_shaped(name, s, (k,)) for name, s, k in zip("xy", (x, y), game.payoff.shape, strict=True)]
    for name, strategy in zip("xy", strategies, strict=True):
        if isinstance(strategy, Mark):
            return strategy
        if strategy.min() < -CLOSED or abs(strategy.sum() - 1) > CLOSED:
            return Mark(False, f"{name} must hold probabilities that add up to 1; got {strategy.tolist()}.")
    p, q = (np.maximum(np.asarray(strategy), 0.0) for strategy in strategies)
    lower, upper = game.guaranteed_payoff(p).lower, game.worst_case_loss(q).upper
    gap = "x guarantees the lower end, y loses at most the upper one; at a saddle point they meet."
    return by_interval(lower, upper, "Neither player gains by another strategy.", gap)


def grade_number(answer: Any, truth: float, *, unit: str = "", below: str = "", above: str = "") -> Mark:
    """Is a number right, to 1e-6 of it?

    Parameters
    ----------
    answer : float
    truth : float
    unit : str
        What the number counts, for the sentence.
    below, above : str
        What goes wrong with a number that is too small, or too large.

    Returns
    -------
    Mark
    """
    value = _shaped("a number", answer, ())
    if isinstance(value, Mark):
        return Mark(False, "Give one number.")
    if abs(float(value) - truth) <= 1e-6 * max(1.0, abs(truth)):
        return Mark(True, f"It is {truth:.6g}{unit}.")
    fault = below if float(value) < truth else above
    return Mark(False, f"It is not {float(value):.6g}{unit}{': ' + fault if fault else ''}.")


def grade_pmfs(p: Any, q: Any, conditions: dict[str, Callable[[Array, Array], bool]]) -> Mark:
    """Are these two probability vectors with the properties asked for?

    Parameters
    ----------
    p, q : array_like [k]
        Non-negative, each of sum 1.
    conditions : dict
        A sentence for each property, and the function of (p, q) that decides it.

    Returns
    -------
    Mark
    """
    if p is None or q is None:
        return Mark(False, "Give two lists of probabilities, (p, q).")
    size = np.shape(p)
    pair = [_shaped(name, value, size) for name, value in (("p", p), ("q", q))]
    for name, vector in zip("pq", pair, strict=True):
        if isinstance(vector, Mark):
            return vector
        if vector.ndim != 1 or vector.size == 0 or vector.min() < 0 or abs(vector.sum() - 1) > CLOSED:
            return Mark(False, f"{name} must hold probabilities that add up to 1; got {vector.tolist()}.")
    first, second = (np.asarray(vector) for vector in pair)
    for sentence, holds in conditions.items():
        if not holds(first, second):
            return Mark(False, f"This does not hold: {sentence}.")
    return Mark(True, f"{'; '.join(conditions)}.")
