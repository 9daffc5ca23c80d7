"""What proves an answer: certificates, transforms, and the alternatives of duality."""

from otdiv.duality.certificate import Certificate, certify
from otdiv.duality.cone import cone_shape, in_cone, in_convex_hull, separation
from otdiv.duality.farkas import FarkasAlternative, box_certificate, farkas, verify_farkas
from otdiv.duality.lagrangian import dual_function, kkt, lagrangian, weak_duality
from otdiv.duality.rational import RationalProgram, solve_exact
from otdiv.duality.strong import alpha_conditions, extended_system, strong_duality, strong_duality_step, surplus_form
from otdiv.duality.transforms import (
    LipschitzPotential,
    PotentialFunction,
    c_transform,
    double_transform,
    mcshane,
    to_lipschitz,
)
from otdiv.duality.transport_witness import TransportWitness, transport_witness, verify_transport_witness
from otdiv.duality.uniqueness import Uniqueness, uniqueness

__all__ = [
    "Certificate",
    "FarkasAlternative",
    "LipschitzPotential",
    "PotentialFunction",
    "RationalProgram",
    "TransportWitness",
    "Uniqueness",
    "alpha_conditions",
    "box_certificate",
    "c_transform",
    "certify",
    "cone_shape",
    "double_transform",
    "dual_function",
    "extended_system",
    "farkas",
    "in_cone",
    "in_convex_hull",
    "kkt",
    "lagrangian",
    "mcshane",
    "separation",
    "solve_exact",
    "strong_duality",
    "strong_duality_step",
    "surplus_form",
    "to_lipschitz",
    "transport_witness",
    "uniqueness",
    "verify_farkas",
    "verify_transport_witness",
    "weak_duality",
]
