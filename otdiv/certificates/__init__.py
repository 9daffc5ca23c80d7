"""What proves an answer: any plan and any potentials in, a proved interval out."""

import typing as _typing

from otdiv._lazy import lazy_names as _lazy_names

if _typing.TYPE_CHECKING:
    from otdiv.certificates.certificate import Certificate, certify
    from otdiv.certificates.infeasibility import TransportWitness, transport_witness, verify_transport_witness

__all__ = ["Certificate", "TransportWitness", "certify", "transport_witness", "verify_transport_witness"]
_MODULES = {
    "Certificate": "otdiv.certificates.certificate",
    "TransportWitness": "otdiv.certificates.infeasibility",
    "certify": "otdiv.certificates.certificate",
    "transport_witness": "otdiv.certificates.infeasibility",
    "verify_transport_witness": "otdiv.certificates.infeasibility",
}
"""Where each public name is defined; imported when it is first used."""
__getattr__, __dir__ = _lazy_names("otdiv.certificates", _MODULES)
