"""Linear-programming duality step by step: Farkas, Lagrangian, strong duality, cones, games."""

from otdiv.duality.cone import ConeShape, Geometry, Membership, cone_shape, in_cone, in_convex_hull, separation
from otdiv.duality.extended_system import AlphaConditions, alpha_conditions, extended_system
from otdiv.duality.farkas import FarkasAlternative, box_certificate, farkas, verify_farkas
from otdiv.duality.lagrangian import DualValue, KKTReport, dual_function, kkt, lagrangian, weak_duality
from otdiv.duality.nearest_point import NearestPoint, independent_combinations, nearest_in_cone
from otdiv.duality.strong_duality import StrongDuality, StrongDualityStep, strong_duality, strong_duality_step
from otdiv.duality.transport_game import BalancedFlow, balanced_flow, critic_payoff
from otdiv.duality.zero_sum_games import GameSolution, MatrixGame, solve_game

__all__ = [
    "AlphaConditions",
    "BalancedFlow",
    "ConeShape",
    "DualValue",
    "FarkasAlternative",
    "GameSolution",
    "Geometry",
    "KKTReport",
    "MatrixGame",
    "Membership",
    "NearestPoint",
    "StrongDuality",
    "StrongDualityStep",
    "alpha_conditions",
    "balanced_flow",
    "box_certificate",
    "cone_shape",
    "critic_payoff",
    "dual_function",
    "extended_system",
    "farkas",
    "in_cone",
    "in_convex_hull",
    "independent_combinations",
    "kkt",
    "lagrangian",
    "nearest_in_cone",
    "separation",
    "solve_game",
    "strong_duality",
    "strong_duality_step",
    "verify_farkas",
    "weak_duality",
]
