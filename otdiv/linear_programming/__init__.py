"""Linear programs in both forms, their duals, two backends and an exact simplex."""

from otdiv.linear_programming.exact_simplex import RationalProgram, solve_exact
from otdiv.linear_programming.program import LinearProgram, LPSolution, solve_lp

__all__ = ["LPSolution", "LinearProgram", "RationalProgram", "solve_exact", "solve_lp"]
