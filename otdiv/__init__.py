"""otdiv: exact optimal transport and divergences, every distance with a proof.

The names below are the whole front door; further rooms are ``otdiv.divergences``,
``otdiv.duality``, ``otdiv.games``, ``otdiv.lecture`` and ``otdiv.plots``.
"""

from otdiv._version import __version__
from otdiv.bounds import Bounds, Status
from otdiv.compare import Comparison, compare
from otdiv.divergences import f_divergence, js, kl
from otdiv.duality.certificate import Certificate, certify
from otdiv.duality.farkas import farkas
from otdiv.duality.transforms import c_transform
from otdiv.files import read_measure
from otdiv.games import MatrixGame, solve_game
from otdiv.measures import DiscreteMeasure, common_support
from otdiv.plan import Plan
from otdiv.problem import TransportProblem
from otdiv.proof import Verification, verify
from otdiv.transport.choice import select_method
from otdiv.transport.images import emd_images
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd, solve
from otdiv.transport.wasserstein import WassersteinDistance, wasserstein

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
