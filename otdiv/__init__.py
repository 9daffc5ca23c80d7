"""otdiv: exact optimal transport and divergences, every distance with a proof.

Further public packages, each with the names of its ``__all__``: ``otdiv.certificates``, ``otdiv.costs``,
``otdiv.critics``, ``otdiv.datasets``, ``otdiv.distance_matrix``, ``otdiv.divergences``, ``otdiv.drift``,
``otdiv.duality``, ``otdiv.embedding``, ``otdiv.estimators``, ``otdiv.exercises``, ``otdiv.gans``, ``otdiv.lecture``,
``otdiv.linear_programming``, ``otdiv.lipschitz``, ``otdiv.measures``, ``otdiv.plots``, ``otdiv.potentials``,
``otdiv.sample_quality``, ``otdiv.two_sample`` and ``otdiv.verification``; ``otdiv.autograd`` needs torch.
Names and packages are imported when they are first used.
"""

import typing as _typing
from importlib import import_module as _import_module

from otdiv._version import __version__

if _typing.TYPE_CHECKING:
    from otdiv.certificates.certificate import Certificate, certify
    from otdiv.comparison import Comparison, compare, compare_all
    from otdiv.core.bounds import Bounds, Status
    from otdiv.distance_matrix.pairwise import pairwise
    from otdiv.divergences import f_divergence, js, kl
    from otdiv.duality.farkas import farkas
    from otdiv.duality.zero_sum_games import MatrixGame, solve_game
    from otdiv.measures.discrete import DiscreteMeasure
    from otdiv.measures.files import read_measure
    from otdiv.measures.support import common_support
    from otdiv.potentials.c_transform import c_transform
    from otdiv.problem.plan import Plan
    from otdiv.problem.transport_problem import TransportProblem
    from otdiv.sample_quality.judge import judge
    from otdiv.transport.batches.emd_many import emd_many
    from otdiv.transport.images import emd_images
    from otdiv.transport.result import TransportResult
    from otdiv.transport.saved_answers.reading import load
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
    "compare_all",
    "emd",
    "emd_images",
    "emd_many",
    "f_divergence",
    "farkas",
    "js",
    "judge",
    "kl",
    "load",
    "pairwise",
    "read_measure",
    "select_method",
    "solve",
    "solve_game",
    "verify",
    "wasserstein",
]
_MODULES = {
    "Bounds": "otdiv.core.bounds",
    "Certificate": "otdiv.certificates.certificate",
    "Comparison": "otdiv.comparison",
    "DiscreteMeasure": "otdiv.measures.discrete",
    "MatrixGame": "otdiv.duality.zero_sum_games",
    "Plan": "otdiv.problem.plan",
    "Status": "otdiv.core.bounds",
    "TransportProblem": "otdiv.problem.transport_problem",
    "TransportResult": "otdiv.transport.result",
    "Verification": "otdiv.verification",
    "WassersteinDistance": "otdiv.transport.wasserstein",
    "c_transform": "otdiv.potentials.c_transform",
    "certify": "otdiv.certificates.certificate",
    "common_support": "otdiv.measures.support",
    "compare": "otdiv.comparison",
    "compare_all": "otdiv.comparison",
    "emd": "otdiv.transport.solve",
    "emd_images": "otdiv.transport.images",
    "emd_many": "otdiv.transport.batches.emd_many",
    "f_divergence": "otdiv.divergences",
    "farkas": "otdiv.duality.farkas",
    "js": "otdiv.divergences",
    "judge": "otdiv.sample_quality.judge",
    "kl": "otdiv.divergences",
    "load": "otdiv.transport.saved_answers.reading",
    "pairwise": "otdiv.distance_matrix.pairwise",
    "read_measure": "otdiv.measures.files",
    "select_method": "otdiv.transport.selection",
    "solve": "otdiv.transport.solve",
    "solve_game": "otdiv.duality.zero_sum_games",
    "verify": "otdiv.verification",
    "wasserstein": "otdiv.transport.wasserstein",
}
"""Where each public name is defined."""
_PACKAGES = (
    "autograd",
    "certificates",
    "costs",
    "critics",
    "datasets",
    "distance_matrix",
    "divergences",
    "drift",
    "duality",
    "embedding",
    "errors",
    "estimators",
    "exercises",
    "gans",
    "lecture",
    "linear_programming",
    "lipschitz",
    "measures",
    "plots",
    "potentials",
    "sample_quality",
    "two_sample",
    "verification",
)
"""Public packages and modules."""


def __getattr__(name: str) -> _typing.Any:
    if name in _MODULES:
        globals()[name] = found = getattr(_import_module(_MODULES[name]), name)
        return found
    if name in _PACKAGES:
        return _import_module(f"otdiv.{name}")
    raise AttributeError(f"module 'otdiv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})
