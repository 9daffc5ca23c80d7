"""The exercises: three for each of the notebooks 01 to 08, with a solution and three answers that are not right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import check_choice
from otdiv.divergences.kl_js import js, kl
from otdiv.exercises.graders import (
    grade_critic,
    grade_game,
    grade_number,
    grade_pair,
    grade_plan,
    grade_pmfs,
    grade_prices,
    grade_witness,
)
from otdiv.exercises.marks import Mark
from otdiv.exercises.problems import (
    FOUR,
    GAME,
    SHIFT,
    SQUARE,
    THREE,
    TRANSLATED,
    WALLS,
    along,
    grade_arcs,
    grade_combination,
    grade_dual,
    grade_nearest,
    grade_norms,
    grade_permutation,
    grade_steep_pair,
    pair_of,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name : str
        Number of the notebook and of the exercise in it, such as "02.1".
    statement : str
        What is asked, in Markdown.
    grader : callable
        Answer to :class:`Mark`.
    solution : object
        An answer that is right.
    wrong : tuple
        Three that are not.
    """

    name: str
    statement: str
    grader: Callable[[Any], Mark]
    solution: Any
    wrong: tuple[Any, Any, Any]

    def grade(self, answer: Any) -> Mark:
        """The mark of an answer."""
        return self.grader(answer)


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        "01.1",
        "Give two pmfs p, q on three places with KL(p || q) finite and KL(q || p) infinite.",
        lambda answer: grade_pmfs(
            *pair_of(answer),
            {
                "KL(p || q) is finite": lambda p, q: math.isfinite(float(kl(p, q))),
                "KL(q || p) is infinite": lambda p, q: math.isinf(float(kl(q, p))),
            },
        ),
        ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]),
        (([0.25, 0.25, 0.5], [0.5, 0.5, 0.0]), ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]), ([0.5, 0.5, 0.5], [1.0, 0.0, 0.0])),
    ),
    Exercise(
        "01.2",
        "Give two pmfs on the places 0, 1, 2 whose JS is as large as it can be (log 2) and whose W1 is 1.",
        lambda answer: grade_pmfs(
            *pair_of(answer),
            {
                "JS is log 2": lambda p, q: abs(float(js(p, q)) - math.log(2)) < 1e-9,
                "W1 is 1": lambda p, q: len(p) == 3 and abs(np.abs(np.cumsum(p - q)).sum() - 1) < 1e-9,
            },
        ),
        ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        (([1.0, 0.0, 0.0], [0.0, 0.0, 1.0]), ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]), ([1.0, 0.0], [0.0, 0.0])),
    ),
    Exercise(
        "01.3",
        "At which distance theta > 0 of the two vertical bars is W1 a quarter of JS, both read as numbers?",
        lambda answer: grade_number(
            answer,
            math.log(2) / 4,
            below="W1 is then less than a quarter of JS",
            above="W1 is then more than a quarter of JS",
        ),
        math.log(2) / 4,
        (0.25, math.log(2), None),
    ),
    Exercise(
        "02.1",
        "Give the cheapest plan [3, 3] that moves the masses 1/2, 1/4, 1/4 on the places 0, 1, 2 onto 1/4, 1/4, 1/2.",
        lambda answer: grade_plan(THREE, answer),
        [[0.25, 0.0, 0.25], [0.0, 0.25, 0.0], [0.0, 0.0, 0.25]],
        (
            [[0.125, 0.125, 0.25], [0.0625, 0.0625, 0.125], [0.0625, 0.0625, 0.125]],
            [[0.25, 0.0, 0.25], [0.0, 0.25, 0.0], [0.0, 0.0, 0.5]],
            [[0.5, 0.25, -0.25], [-0.25, 0.0, 0.5], [0.0, 0.0, 0.25]],
        ),
    ),
    Exercise(
        "02.2",
        "Give prices (f, g), three numbers each, that prove that no plan for these masses is cheaper.",
        lambda answer: grade_prices(THREE, *pair_of(answer)),
        ([0.0, -1.0, -2.0], [0.0, 1.0, 2.0]),
        (([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]), ([0.0, -1.0], [0.0, 1.0, 2.0])),
    ),
    Exercise(
        "02.3",
        "Half of the mass lies at (0, 0) and half at (1, 0); half is to go to (0, 1) and half to (2, 0). Give a plan "
        "and prices, (plan, (f, g)), whose cost and income agree: a proof without a solver.",
        lambda answer: grade_pair(SQUARE, pair_of(answer)[0], *pair_of(pair_of(answer)[1])),
        ([[0.5, 0.0], [0.0, 0.5]], ([1.0, 0.0], [0.0, 1.0])),
        (
            ([[0.0, 0.5], [0.5, 0.0]], ([1.0, 0.0], [0.0, 1.0])),
            ([[0.5, 0.0], [0.0, 0.5]], ([1.0, 1.0], [0.0, 1.0])),
            ([[0.5, 0.0], [0.0, 0.5]], ([0.0, 0.0], [0.0, 0.0])),
        ),
    ),
    Exercise(
        "03.1",
        "min 2 x1 + 3 x2 with x1 + x2 >= 4, x1 + 3 x2 >= 6, x >= 0 is 9. Give y = (y1, y2) that proves that it "
        "cannot be less.",
        grade_dual,
        (1.5, 0.5),
        ((2.0, 0.0), (2.0, 1.0), (3.0, -1.0)),
    ),
    Exercise(
        "03.2",
        "For the prices f = (0, -1, -2), g = (0, 1, 2) on the places 0, 1, 2 with d = |i - j|: on which arcs (i, j) "
        "may an optimal plan move mass, if these prices are optimal?",
        lambda answer: grade_arcs(answer, {(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)}),
        [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)],
        ([(0, 0), (1, 1), (2, 2)], [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)], 3),
    ),
    Exercise(
        "03.3",
        "min x^2 with x >= 3: with which multiplier y >= 0 is the minimum of x^2 + y (3 - x) over all x equal to 9?",
        lambda answer: grade_number(
            answer,
            6.0,
            below="the minimum of x^2 + y (3 - x) over all x, 3 y - y^2 / 4, is then below 9",
            above="the minimum of x^2 + y (3 - x) over all x, 3 y - y^2 / 4, is then below 9",
        ),
        6.0,
        (3.0, 9.0, "six"),
    ),
    Exercise(
        "04.1",
        "The columns of A are (2, 1) and (1, 3). Give F that proves that b = (2, -1) is not in their cone.",
        lambda answer: grade_witness(WALLS, [2.0, -1.0], F=answer),
        [1.0, -2.0],
        ([1.0, 0.0], [-1.0, 0.0], None),
    ),
    Exercise(
        "04.2",
        "Give x >= 0 that proves that b = (4, 7) is in it.",
        grade_combination,
        [1.0, 2.0],
        ([2.0, 1.0], [-1.0, 6.0], [1.0]),
    ),
    Exercise(
        "04.3",
        "Which point k of the cone is nearest to b = (1, -1)? (F = b - k then separates.)",
        grade_nearest,
        [0.4, 0.2],
        ([0.0, 0.0], [2.0, 1.0], 0.4),
    ),
    Exercise(
        "05.1",
        "Masses 0.4, 0.1, 0.3, 0.2 on the places 0, 1, 2, 3 go onto 0.1, 0.4, 0.2, 0.3. Give one 1-Lipschitz "
        "function h of points [n, 1] whose value sum a h(x) - sum b h(y) is the distance.",
        lambda answer: grade_critic(FOUR, answer),
        lambda x: np.interp(x[:, 0], [0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, -1.0]),
        (
            lambda x: -x[:, 0] / 2,
            lambda x: -2 * x[:, 0],
            lambda x: x,
        ),
    ),
    Exercise(
        "05.2",
        "The row player receives [[3, -1], [-2, 1]]. Give the saddle point (x, y) in mixed strategies: x makes the row "
        "player's guaranteed payoff the largest, y the column player's worst loss the smallest.",
        lambda answer: grade_game(GAME, *pair_of(answer)),
        ([3 / 7, 4 / 7], [2 / 7, 5 / 7]),
        (([0.5, 0.5], [0.5, 0.5]), ([1.0, 0.0], [0.0, 1.0]), ([1.0, 1.0], [0.5, 0.5])),
    ),
    Exercise(
        "05.3",
        "What is the value of that game?",
        lambda answer: grade_number(
            answer,
            1 / 7,
            below="the row player has a strategy that guarantees more",
            above="the column player has a strategy that never pays as much",
        ),
        1 / 7,
        (0.25, -1.0, None),
    ),
    Exercise(
        "06.1",
        "Sources 0.3, 2.1, 1.2, 3.5 and targets 4.0, 0.9, 2.6, 1.7 on the line, equal masses: give the target of each "
        "source in a cheapest assignment.",
        grade_permutation,
        [1, 2, 3, 0],
        ([0, 1, 2, 3], [1, 3, 2, 3], [1, 2]),
    ),
    Exercise(
        "06.2",
        "A cloud in the plane is moved by (3, 4). Give a function of points [n, 2] that proves, at a million "
        "points as at five, that the distance is 5.",
        lambda answer: grade_critic(TRANSLATED, answer),
        along(-SHIFT / 5),
        (along(SHIFT / 5), along(-SHIFT), along(np.array([-1.0, 0.0]))),
    ),
    Exercise(
        "06.3",
        "How many gigabytes (10^9 bytes) does the matrix of costs between 100 000 and 100 000 points take in float64?",
        lambda answer: grade_number(
            answer,
            80.0,
            unit=" GB",
            below="that is too little, count the entries and the bytes of each",
            above="that is too much, count the entries and the bytes of each",
        ),
        80.0,
        (0.8, 10.0, 40.0),
    ),
    Exercise(
        "07.1",
        "What is the spectral norm of [[3, 0], [4, 5]]?",
        lambda answer: grade_number(
            answer,
            math.sqrt(45),
            below="some vector of length 1 is stretched to more",
            above="no vector of length 1 is stretched to as much",
        ),
        math.sqrt(45),
        (math.sqrt(50), 5.0, 9.0),
    ),
    Exercise(
        "07.2",
        "Give two points of the plane between which f(x) = |x1| + |x2| is as steep as it can be.",
        grade_steep_pair,
        ([0.0, 0.0], [1.0, 1.0]),
        (([0.0, 0.0], [1.0, 0.0]), ([1.0, 0.0], [0.0, 1.0]), ([1.0, 1.0], [1.0, 1.0])),
    ),
    Exercise(
        "07.3",
        "Give a 2 x 2 matrix whose spectral norm and Frobenius norm are both 2.",
        grade_norms,
        [[2.0, 0.0], [0.0, 0.0]],
        ([[2.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [-1.0, 1.0]], [2.0, 0.0]),
    ),
    Exercise(
        "08.1",
        "Give a critic of points [n, 2] that finds the whole distance between a cloud and the same moved by (3, 4).",
        lambda answer: grade_critic(TRANSLATED, answer),
        along(-SHIFT / 5),
        (lambda x: -np.abs(x @ SHIFT) / 6, lambda x: -x.sum(axis=1), None),
    ),
    Exercise(
        "08.2",
        "A critic's value is 113.3 and its steepest slope 2.8. What is the largest lower bound of W1 that this proves?",
        lambda answer: grade_number(
            answer,
            113.3 / 2.8,
            below="the critic proves more than that",
            above="a critic of that slope does not prove as much",
        ),
        113.3 / 2.8,
        (113.3, 113.3 * 2.8, 2.8),
    ),
    Exercise(
        "08.3",
        "Weights are clipped to [-0.01, 0.01] in a linear critic of 100 inputs. What is its largest possible slope?",
        lambda answer: grade_number(
            answer,
            0.1,
            below="some weights within the bounds are steeper",
            above="no weights within the bounds are as steep",
        ),
        0.1,
        (0.01, 1.0, 0.001),
    ),
)
"""In order of the notebooks."""


def exercise(name: str) -> Exercise:
    """The exercise of that name.

    Parameters
    ----------
    name : str
        Such as "02.1".

    Returns
    -------
    Exercise

    Raises
    ------
    InvalidInput
        There is none.

    Examples
    --------
    >>> print(exercise("07.1").grade(9.0))
    Not yet. It is not 9: no vector of length 1 is stretched to as much.
    """
    by_name = {entry.name: entry for entry in EXERCISES}
    return by_name[check_choice("name", name, tuple(by_name))]


def grade(name: str, answer: Any = None) -> Mark:
    """The mark of an answer to an exercise.

    Parameters
    ----------
    name : str
        Such as "02.1".
    answer : object
        What the exercise asks for.

    Returns
    -------
    Mark
        Full where the interval that the answer proves is closed; else what is violated and where.

    Raises
    ------
    InvalidInput
        No exercise of that name.

    Examples
    --------
    >>> print(grade("04.1", [1.0, -2.0]))
    Full marks. A'F <= 0 and b'F = 4 > 0: no x >= 0 solves A x = b.
    """
    return exercise(name).grade(answer)
