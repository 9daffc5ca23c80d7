"""Exact optimal transport: independent methods, one answer record, one auditor."""

from otdiv.transport.images import emd_images
from otdiv.transport.methods.linear_program import marginal_matrix, transport_program
from otdiv.transport.result import TransportResult
from otdiv.transport.selection import select_method
from otdiv.transport.solve import emd, solve
from otdiv.transport.wasserstein import WassersteinDistance, wasserstein

__all__ = [
    "TransportResult",
    "WassersteinDistance",
    "emd",
    "emd_images",
    "marginal_matrix",
    "select_method",
    "solve",
    "transport_program",
    "wasserstein",
]
