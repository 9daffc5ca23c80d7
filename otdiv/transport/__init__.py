"""Exact optimal transport: independent methods, one answer record, one auditor."""

import typing as _typing

from otdiv._lazy import lazy_names as _lazy_names

if _typing.TYPE_CHECKING:
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
_MODULES = {
    "TransportResult": "otdiv.transport.result",
    "WassersteinDistance": "otdiv.transport.wasserstein",
    "emd": "otdiv.transport.solve",
    "emd_images": "otdiv.transport.images",
    "marginal_matrix": "otdiv.transport.methods.linear_program",
    "select_method": "otdiv.transport.selection",
    "solve": "otdiv.transport.solve",
    "transport_program": "otdiv.transport.methods.linear_program",
    "wasserstein": "otdiv.transport.wasserstein",
}
"""Where each public name is defined; imported when it is first used."""
__getattr__, __dir__ = _lazy_names("otdiv.transport", _MODULES)
