"""Linear programs in both forms, their duals, two backends and an exact simplex."""

from otdiv.linear_programming.exact_simplex import ExactSolution, solve_exact
from otdiv.linear_programming.program import DualProgram, LinearProgram
from otdiv.linear_programming.rational import RationalProgram
from otdiv.linear_programming.solve import LPSolution, solve_lp
from otdiv.linear_programming.surplus_form import surplus_form

__all__ = [
    "DualProgram",
    "ExactSolution",
    "LPSolution",
    "LinearProgram",
    "RationalProgram",
    "solve_exact",
    "solve_lp",
    "surplus_form",
]
