"""What is asked, a transport problem, and what a method hands over, a proposal."""

from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem

__all__ = ["Plan", "Proposal", "TransportProblem"]
