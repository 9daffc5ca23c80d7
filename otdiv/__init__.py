"""otdiv: exact optimal transport and divergences, every distance with a proof."""

from otdiv._version import __version__
from otdiv.bounds import Bounds, Status
from otdiv.duality.certificate import Certificate, certify
from otdiv.measures import DiscreteMeasure, common_support
from otdiv.problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd, select_method, solve
from otdiv.transport.wasserstein import WassersteinDistance, wasserstein

__all__ = [
    "Bounds",
    "Certificate",
    "DiscreteMeasure",
    "Status",
    "TransportProblem",
    "TransportResult",
    "WassersteinDistance",
    "__version__",
    "certify",
    "common_support",
    "emd",
    "select_method",
    "solve",
    "wasserstein",
]
