"""Exercises of the notebooks, graded by proof: a plan, prices, a witness, a critic in; the interval they prove out."""

from otdiv.exercises.catalogue import EXERCISES, Exercise, exercise, grade
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

__all__ = [
    "EXERCISES",
    "Exercise",
    "Mark",
    "exercise",
    "grade",
    "grade_critic",
    "grade_game",
    "grade_number",
    "grade_pair",
    "grade_plan",
    "grade_pmfs",
    "grade_prices",
    "grade_witness",
]
