"""A long solve that a kill does not undo: its interval so far stands in a certificate file.

The checkpoint is a certificate like any other: ``otdiv verify`` proves the interval that had been reached when it was
written.  A later solve of the same problem goes on from its plan and potentials, and its interval never grows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from otdiv.certificates.certificate import Certificate, certify
from otdiv.core.bounds import Status
from otdiv.core.options import SolverOptions
from otdiv.core.validation import invalid
from otdiv.errors import CertificateRefused
from otdiv.files.writing import require_writable
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.certified_solve import solve_with
from otdiv.transport.result import TransportResult
from otdiv.transport.saved_answers.reading import audited
from otdiv.transport.stated_problem import require_proof_of
from otdiv.verification.file import SUFFIXES, load_proof
from otdiv.verification.record import COSTS

_SHARE = 10
"""Least time between two checkpoints in units of what the last one took: they cost at most a tenth of a solve."""


class CheckpointFile:
    """Writes the narrowest interval so far to a file.

    Parameters
    ----------
    problem : TransportProblem
    path : Path
    options : SolverOptions
    best : TransportResult, optional
        What the file holds.
    """

    def __init__(
        self, problem: TransportProblem, path: Path, options: SolverOptions, best: TransportResult | None
    ) -> None:
        self.problem, self.path, self.options, self.best = problem, path, options, best
        self.clock = options.tuning.clock
        self.last, self.took = self.clock(), 0.0
        self.end = float("inf") if options.time_limit is None else self.last + options.time_limit

    def due(self) -> bool:
        """Whether the last one is long enough ago, and there is time left for another."""
        now = self.clock()
        enough = max(self.options.tuning.checkpoint_seconds, _SHARE * self.took)
        return now - self.last >= enough and now + 2 * self.took < self.end

    def keep(self, proposal: Proposal) -> None:
        """Prove the interval, and write it if it is narrower than the file's."""
        started = self.clock()
        proof = certify(self.problem, proposal.plan, (proposal.f, proposal.g), options=self.options)
        stats = {**proposal.stats, "reason": "a checkpoint", "rtol": self.options.rtol, "atol": self.options.atol}
        self.write(TransportResult(self.problem, proof, Status.STOPPED, "multiscale", stats))
        self.last = self.clock()
        self.took = self.last - started

    def write(self, result: TransportResult) -> None:
        """Write the answer if it is narrower than the file's."""
        if self.best is None or result.gap < self.best.gap:
            result.save(self.path)
            self.best = result


def solve_from_checkpoint(
    problem: TransportProblem, method: str, options: SolverOptions, path: str | Path
) -> TransportResult:
    """As :func:`solve_with`, from where the solve that wrote ``path`` stopped, if there is such a file.

    Raises
    ------
    InvalidInput
        A name that does not end in .npz, or that cannot be written; a cost that certificates do not know.
    CertificateRefused
        The file is no certificate, or one of another problem.
    """
    path = require_writable(path, "checkpoint", SUFFIXES)
    if not problem.cost.by_entries and problem.cost.name not in COSTS:
        known = ", ".join(COSTS[:-2])
        raise invalid(
            "checkpoint",
            f"be left out unless the cost is one of {known}, or a matrix",
            f"cost {problem.cost.name!r}",
            "A checkpoint is a certificate, which is verified exactly.",
        )
    earlier = None
    if path.exists():
        proof = load_proof(path)
        try:
            require_proof_of(proof, problem)
        except CertificateRefused as difference:
            raise CertificateRefused(
                f"checkpoint {path.name!r} is of another problem: {difference} Name another file, or remove this one."
            ) from None
        earlier = audited(proof, path.name, options.rtol)
        if earlier.certificate.proves_optimal(options.rtol, options.atol):
            return replace(earlier, stats={**earlier.stats, "reason": f"the checkpoint {path.name} is the answer"})
    file = CheckpointFile(problem, path, options, earlier)
    start = None
    if earlier is not None:
        gap = earlier.gap / abs(earlier.value) if earlier.value else math.inf
        start = Proposal(earlier.plan, earlier.f, earlier.g, Status.STOPPED, {"gap": gap})
    found = solve_with(problem, method, replace(options, start=start, keeper=file))
    if file.best is not None:
        found = _tighten(found, file.best.certificate, options)
    file.write(found)
    return found


def _tighten(found: TransportResult, earlier: Certificate, options: SolverOptions) -> TransportResult:
    """The answer with the earlier plan or potentials, where those prove more."""
    proof = found.certificate
    if earlier.bounds.upper >= proof.bounds.upper and earlier.bounds.lower <= proof.bounds.lower:
        return found
    cheaper = earlier if earlier.bounds.upper < proof.bounds.upper else proof
    higher = earlier if earlier.bounds.lower > proof.bounds.lower else proof
    both = certify(found.problem, cheaper.plan, (higher.f, higher.g), options=options)
    if both.gap >= proof.gap:
        return found
    return replace(found, certificate=both, status=both.status(options.rtol, options.atol))
