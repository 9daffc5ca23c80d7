"""The problems that the exercises are about, and graders of the few answers that are of no common kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.exercises.graders import grade_plan, grade_witness
from otdiv.exercises.marks import Mark
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem


def measure(points: Any, masses: Any = None) -> DiscreteMeasure:
    """Masses, or equal ones, at points."""
    return DiscreteMeasure.from_samples(np.array(points), masses)


def on_line(p: Any, q: Any) -> TransportProblem:
    """Masses p and q on the places 0, 1, 2, ..."""
    return TransportProblem(measure(np.arange(len(p)), p), measure(np.arange(len(q)), q))


def pair_of(answer: Any) -> tuple[Any, Any]:
    """The two parts of an answer; None and None where it has not two."""
    return (answer[0], answer[1]) if isinstance(answer, tuple | list) and len(answer) == 2 else (None, None)


THREE = on_line([0.5, 0.25, 0.25], [0.25, 0.25, 0.5])
"""Exercises 02.1 and 02.2."""
SQUARE = TransportProblem(measure([[0, 0], [1, 0]]), measure([[0, 1], [2, 0]]))
"""Exercise 02.3: half of the mass at each point; distances 1, 2, sqrt 2, 1."""
FOUR = on_line([0.4, 0.1, 0.3, 0.2], [0.1, 0.4, 0.2, 0.3])
"""Exercise 05.1."""
WALLS = np.array([[2.0, 1.0], [1.0, 3.0]])
"""Exercises 04.1 to 04.3: the columns are (2, 1) and (1, 3)."""
GAME = np.array([[3.0, -1.0], [-2.0, 1.0]])
"""Exercise 05.2: what the row player receives."""
SHUFFLED = TransportProblem(measure([0.3, 2.1, 1.2, 3.5]), measure([4.0, 0.9, 2.6, 1.7]))
"""Exercise 06.1."""
SHIFT = np.array([3.0, 4.0])
"""Exercises 06.2 and 08.1: how far the second cloud is moved, 5 in length."""
CLOUD = np.array([[0.0, 0.0], [1.0, 0.5], [-0.5, 2.0], [2.0, -1.0], [0.3, 1.1]])
TRANSLATED = TransportProblem(DiscreteMeasure(CLOUD), DiscreteMeasure(CLOUD + SHIFT))
PROGRAM = (np.array([2.0, 3.0]), np.array([[1.0, 1.0], [1.0, 3.0]]), np.array([4.0, 6.0]))
"""Exercise 03.1: min c'x with A x >= b, x >= 0."""


def grade_dual(y: Any) -> Mark:
    """y >= 0 with A'y <= c proves that every x costs at least b'y."""
    c, A, b = PROGRAM
    witness = np.concatenate([np.ravel(y), [0.0, 0.0]])[:2] if y is not None and np.size(y) == 2 else None
    if witness is None:
        return Mark(False, "Give y of shape [2].")
    excess = A.T @ witness - c
    if witness.min() < 0 or excess.max() > 1e-9:
        k, least = int(excess.argmax()), witness.min()
        found = f"{least:.4g} in y is negative" if least < 0 else f"(A'y)_{k} > c_{k} by {excess[k]:.4g}"
        return Mark(False, f"y is not admissible: {found}.")
    value = float(b @ witness)
    return Mark(abs(value - 9.0) < 1e-9, f"It proves that the program costs at least {value:.6g}; 9 is its value.")


def grade_arcs(answer: Any, truth: set[tuple[int, int]]) -> Mark:
    """A set of pairs of indices."""
    try:
        found = {(int(i), int(j)) for i, j in answer}
    except (TypeError, ValueError):
        return Mark(False, "Give a list of pairs (source, target).")
    missing, more = truth - found, found - truth
    if missing or more:
        lacks, wrong = f"{len(missing)} arcs are missing", f"on {sorted(more)[0] if more else ()} f + g is not d"
        return Mark(False, f"{'; '.join([lacks] * bool(missing) + [wrong] * bool(more)).capitalize()}.")
    return Mark(True, f"{sorted(truth)}.")


def grade_combination(x: Any) -> Mark:
    return grade_witness(WALLS, [4.0, 7.0], x=x)


def grade_nearest(point: Any) -> Mark:
    """The point k of the cone of the columns nearest to b = (1, -1): in the cone, A'(b - k) <= 0 and k'(b - k) = 0."""
    if np.shape(point) != (2,):
        return Mark(False, "Give a point of shape [2].")
    k = np.asarray(point, float)
    weights, F = np.linalg.solve(WALLS, k), np.array([1.0, -1.0]) - k
    turned, along_k = WALLS.T @ F, float(k @ F)
    if weights.min() < -1e-9:
        return Mark(False, f"It is not in the cone: its weights of the columns are {weights.round(6).tolist()}.")
    if turned.max() > 1e-9:
        column = WALLS[:, turned.argmax()].tolist()
        return Mark(
            False, f"A step from k along the column {column} comes nearer to b: (b - k) has {turned.max():.4g} > 0."
        )
    if abs(along_k) > 1e-9:
        return Mark(False, f"Another multiple of k is nearer to b: k'(b - k) is {along_k:.4g}, and should be 0.")
    return Mark(True, "k is in the cone, b - k is orthogonal to k and turns away from both columns.")


def grade_permutation(order: Any) -> Mark:
    if np.shape(order) != (4,):
        return Mark(False, "Give the target of each of the 4 sources.")
    if not np.isin(order, range(4)).all():
        return Mark(False, f"Targets are numbered 0 to 3; got {np.asarray(order).tolist()}.")
    plan = np.zeros((4, 4))
    plan[np.arange(4), np.asarray(order, int)] = 0.25
    return grade_plan(SHUFFLED, plan)


def grade_steep_pair(points: Any) -> Mark:
    """Two points between which |x_1| + |x_2| has the slope sqrt 2."""
    p, q = (np.asarray(point, float) if np.shape(point) == (2,) else None for point in pair_of(points))
    if p is None or q is None or (p == q).all():
        return Mark(False, "Give two different points of shape [2].")
    slope = abs(np.abs(p).sum() - np.abs(q).sum()) / np.linalg.norm(p - q)
    full = bool(slope > math.sqrt(2) - 1e-9)
    return Mark(full, f"The slope between them is {slope:.6g}{'' if full else ', and other pairs are steeper'}.")


def grade_norms(W: Any) -> Mark:
    """A 2 x 2 matrix of spectral norm 2 and Frobenius norm 2."""
    if np.shape(W) != (2, 2):
        return Mark(False, "Give a matrix of shape [2, 2].")
    values = np.linalg.svd(np.asarray(W, float), compute_uv=False)
    frobenius = float(np.sqrt((values**2).sum()))
    full = abs(values[0] - 2) < 1e-9 and abs(frobenius - 2) < 1e-9
    return Mark(full, f"Its spectral norm is {values[0]:.6g}, its Frobenius norm {frobenius:.6g}.")


def along(direction: Array) -> Callable[[Array], Array]:
    """The linear critic h(x) = direction . x."""
    return lambda x: x @ np.asarray(direction)
