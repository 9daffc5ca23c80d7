"""What proves an answer: any plan and any potentials in, a proved interval out."""

from otdiv.certificates.certificate import Certificate, certify
from otdiv.certificates.infeasibility import TransportWitness, transport_witness, verify_transport_witness

__all__ = ["Certificate", "TransportWitness", "certify", "transport_witness", "verify_transport_witness"]
