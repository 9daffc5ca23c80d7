"""otdiv: exact optimal transport and divergences, every distance with a proof.

Further public packages, each with the names of its ``__all__``: ``otdiv.certificates``, ``otdiv.costs``,
``otdiv.critics``, ``otdiv.datasets``, ``otdiv.divergences``, ``otdiv.duality``, ``otdiv.gans``, ``otdiv.lecture``,
``otdiv.linear_programming``, ``otdiv.lipschitz``, ``otdiv.measures``, ``otdiv.plots``, ``otdiv.potentials`` and
``otdiv.verification``; ``otdiv.autograd`` needs torch.
"""

from otdiv._version import __version__
from otdiv.certificates.certificate import Certificate, certify
from otdiv.compare import Comparison, compare
from otdiv.core.bounds import Bounds, Status
from otdiv.divergences import f_divergence, js, kl
from otdiv.duality.farkas import farkas
from otdiv.duality.zero_sum_games import MatrixGame, solve_game
from otdiv.measures.discrete import DiscreteMeasure, common_support
from otdiv.measures.files import read_measure
from otdiv.potentials.c_transform import c_transform
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.images import emd_images
from otdiv.transport.result import TransportResult
from otdiv.transport.selection import select_method
from otdiv.transport.solve import emd, solve
from otdiv.transport.wasserstein import WassersteinDistance, wasserstein
from otdiv.verification import Verification, verify

__all__ = [
    "Bounds",
    "Certificate",
    "Comparison",
    "DiscreteMeasure",
    "MatrixGame",
    "Plan",
    "Status",
    "TransportProblem",
    "TransportResult",
    "Verification",
    "WassersteinDistance",
    "__version__",
    "c_transform",
    "certify",
    "common_support",
    "compare",
    "emd",
    "emd_images",
    "f_divergence",
    "farkas",
    "js",
    "kl",
    "read_measure",
    "select_method",
    "solve",
    "solve_game",
    "verify",
    "wasserstein",
]
