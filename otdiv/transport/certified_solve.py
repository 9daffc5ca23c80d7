"""A problem solved by the methods that fit it, one after the other, until the interval is as narrow as asked.

Only this file raises on an infeasible problem; methods report it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from otdiv.certificates.certificate import Certificate, certify
from otdiv.core.bounds import Status
from otdiv.core.budget import Stopped, StopRequest
from otdiv.core.devices import names_a_card, transport_device
from otdiv.core.options import Keeper, SolverOptions
from otdiv.core.threads import GRACE, call_interruptibly
from otdiv.core.validation import check_choice, invalid
from otdiv.errors import Infeasible, SolverFailed
from otdiv.pricing.compiled_costs import EUCLIDEAN, metric_of
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.common_mass import Reduction, without_common_mass
from otdiv.transport.local_scale import solve_at_local_scale
from otdiv.transport.methods.method import Method
from otdiv.transport.methods.table import METHODS, find_method
from otdiv.transport.result import TransportResult
from otdiv.transport.selection import PROGRAMS, Choice, fallbacks, leaves_common_mass, select_method

_IN_THREAD_FROM = 2**14
"""Pairs from which a method runs in a thread of its own; below it takes some milliseconds."""
_GRACE_PER_POINT = 2e-5
"""Seconds, for each point, in which a method hears a time limit or Ctrl-C: as long as a search over all pairs takes."""
DENSE_OPTIMAL = "dense: no arc violates f + g <= c"
COMMON_MASS_STAYS = "mass common to both stays where it is, since the cost is a metric"
_MOST_SCALES = 20
"""Solves at ever smaller scales; each finds the plan some ten decades below the largest cost."""
_SMALL_MASSES_UP_TO = 2**18
"""Pairs up to which the distance of masses as small as roundings is narrowed further; beyond it takes seconds."""


@np.errstate(under="ignore")
def solve_with(problem: TransportProblem, method: str, options: SolverOptions) -> TransportResult:
    """As :func:`solve`, with all options in one record."""
    started = time.perf_counter()
    check_choice("method", method, METHODS)
    if names_a_card(options.device):
        _require_device(problem, options.device)
    problem.require_matrix_memory(options.memory_limit)
    choice = select_method(problem) if method == "auto" else Choice(method, "asked for")
    if choice.method in ("grid", "multiscale", "few", "dense") and method == "auto" and options.max_iter is not None:
        choice = Choice("pot", "max_iter counts the pivots of POT's network simplex")
    reduction = None
    if method == "auto" and options.max_iter is None and leaves_common_mass(problem, choice.method):
        reduction = without_common_mass(problem)
    solved = _solved_at_once(problem, options) if choice.method == "dense" and reduction is None else None
    if isinstance(solved, Certificate):
        stats = {"reason": choice.reason, "rtol": options.rtol, "atol": options.atol, "tried": ("dense",)}
        stats |= {"method_status": Status.OPTIMAL, "message": DENSE_OPTIMAL, "seconds": time.perf_counter() - started}
        return TransportResult(problem, solved, Status.OPTIMAL, "dense", stats)
    queue: list[tuple[str, Reduction | None]] = [(choice.method, None)]
    if method == "auto" and options.max_iter is None:
        if reduction is not None:
            choice = Choice(select_method(reduction.moving).method, f"{COMMON_MASS_STAYS}; {choice.reason}")
            queue.insert(0, (choice.method, reduction))
        queue += [(name, None) for name in fallbacks(problem, queue[-1][0])]
    clock = options.tuning.clock
    deadline = np.inf if options.time_limit is None else clock() + options.time_limit
    best: tuple[Certificate, Proposal, str] | None = None
    tried: list[str] = []
    rounding_decides = False  # whether some answer is optimal but for it
    for name, reduction in queue:
        if rounding_decides and name in PROGRAMS:
            continue
        asked, left = (problem if reduction is None else reduction.moving), _for_what_is_left(options, deadline)
        if solved is not None:
            proposal, solved = solved, None
        else:
            if reduction is not None:
                left = _for_moving_mass(left, reduction)
            proposal = _propose(asked, find_method(name), left, first=not tried)
            proposal = proposal if reduction is None else reduction.lift(proposal)
        nothing = proposal.plan is None and proposal.f is None
        if nothing and method != "auto" and proposal.status is not Status.STOPPED:
            reason = str(proposal.stats.get("message", "no reason")).rstrip(".")
            raise SolverFailed(f"method {name!r} gave no answer: {reason}. Try method='auto'.")
        tried.append(name)
        proof = certify(problem, proposal.plan, (proposal.f, proposal.g), options=options)
        if proposal.status is not Status.STOPPED and options.max_iter is None:
            proof, proposal = _at_local_scale(problem, proof, proposal, options, deadline)
        rounding_decides = rounding_decides or proof.gap <= proof.resolution
        if best is None or proof.gap < best[0].gap:
            best = (proof, proposal, name)
        met = best[0].status(options.rtol, options.atol).certified
        if met or proposal.status is Status.STOPPED or clock() >= deadline:
            break
    assert best is not None
    proof, proposal, name = best
    status = proof.status(options.rtol, options.atol)
    stats = {
        **proposal.stats,
        "reason": choice.reason,
        "rtol": options.rtol,
        "atol": options.atol,
        "tried": tuple(tried),
        "rounding_decides": rounding_decides,
        "method_status": proposal.status,
        "seconds": time.perf_counter() - started,
    }
    return TransportResult(problem, proof, status, name, stats)


def _solved_at_once(problem: TransportProblem, options: SolverOptions) -> Certificate | Proposal | None:
    """The certificate of the compiled dense pass where it is as narrow as asked, else what the pass proposes.

    None for problems whose interval is about weights nearby, which the pass does not prove.
    """
    from otdiv.transport.methods.dense.solve import prove_dense  # loads a compiler

    if problem.cost.by_entries and problem.nearby:
        return None
    answer = prove_dense(problem, options)
    proof = answer.proof
    narrow = proof is not None and proof.proves_optimal(options.rtol, options.atol)
    return proof if narrow else answer.proposal


def _at_local_scale(
    problem: TransportProblem, proof: Certificate, proposal: Proposal, options: SolverOptions, deadline: float
) -> tuple[Certificate, Proposal]:
    """Solve again at the scale of the costs that the plan uses, as long as that halves the plan's cost."""
    many = problem.n * problem.m > _SMALL_MASSES_UP_TO
    for _ in range(_MOST_SCALES):
        if proof.proves_optimal(options.rtol, options.atol) or options.tuning.clock() >= deadline:
            break
        if many and proof.moves_roundings_only:
            break
        local = solve_at_local_scale(problem, proof.plan, _for_what_is_left(options, deadline))
        if local is None:
            break
        again = certify(problem, local.plan, (local.f, local.g), options=options)
        halved = again.bounds.upper < 0.5 * proof.bounds.upper
        if again.gap < proof.gap:
            proof, proposal = again, local
        if not halved:
            break
    return proof, proposal


def _for_what_is_left(options: SolverOptions, deadline: float) -> SolverOptions:
    """The options with the time up to the deadline as their limit."""
    return options if deadline == np.inf else replace(options, time_limit=max(0.0, deadline - options.tuning.clock()))


def _for_moving_mass(options: SolverOptions, reduction: Reduction) -> SolverOptions:
    """The options with the start and the keeper of a checkpoint made those of the mass that moves."""
    start, keeper = options.start, options.keeper
    start = None if start is None else reduction.restrict(start)
    return replace(options, start=start, keeper=None if keeper is None else _KeeperOfWhole(keeper, reduction))


class _KeeperOfWhole(NamedTuple):
    """Keeps what is found for the mass that moves as an answer to the whole problem."""

    keeper: Keeper
    reduction: Reduction

    def due(self) -> bool:
        return self.keeper.due()

    def keep(self, proposal: Proposal) -> None:
        self.keeper.keep(self.reduction.lift(proposal))


def _require_device(problem: TransportProblem, device: Any) -> None:
    metric = metric_of(problem.cost, problem.d)
    if metric is None or metric.kind > EUCLIDEAN or metric.power != 1.0:
        raise invalid(
            "device",
            "be left out unless the cost is euclidean or sqeuclidean",
            f"{str(device)!r} with cost {problem.cost.name!r}",
            "Other costs are priced by otdiv's own code.",
        )
    transport_device(device, 0.0)


def _propose(problem: TransportProblem, method: Method, options: SolverOptions, first: bool) -> Proposal:
    """What the method proposes; a problem that it does not accept, or that has no plan, is refused."""
    refusal = method.accepts(problem)
    if refusal is not None:
        needs, remedy = refusal
        received = f"{method.name!r} with cost {problem.cost.name!r} in dimension {problem.d}"
        raise invalid("method", "fit the problem", received, f"{needs}; {remedy}.")
    if problem.forbids and first and not method.handles_forbidden:
        _require_feasible(problem)
    proposal = _attended(problem, method, options)
    if problem.forbids and method.handles_forbidden:
        _refuse_stranded_mass(problem, proposal)
    return proposal


def _attended(problem: TransportProblem, method: Method, options: SolverOptions) -> Proposal:
    """What the method proposes; large problems of compiled methods in a thread, while this one listens for Ctrl-C."""
    if not method.in_thread or problem.n * problem.m < _IN_THREAD_FROM:
        return method.solve(problem, options)
    interrupted = StopRequest()
    if not method.compiled:
        interrupted.running.set()
    heeding = replace(options, interrupted=interrupted)
    try:
        grace = GRACE + _GRACE_PER_POINT * (problem.n + problem.m)
        return call_interruptibly(lambda: method.solve(problem, heeding), options.time_limit, interrupted, grace)
    except (Stopped, KeyboardInterrupt) as stop:
        return Proposal.stopped(f"{method.name}: {str(stop) or 'interrupted'}")


def _require_feasible(problem: TransportProblem) -> None:
    """Refuse forbidden arcs that leave no plan, before a method is run."""
    from otdiv.certificates.infeasibility import transport_witness

    _refuse(transport_witness(problem.a, problem.b, _allowed(problem)))


def _refuse_stranded_mass(problem: TransportProblem, proposal: Proposal) -> None:
    """Refuse a problem of which the method reports mass that has no path, if that is proved."""
    if proposal.status is Status.INFEASIBLE and proposal.plan is not None:
        from otdiv.certificates.infeasibility import stranded_witness

        stranded, plan = proposal.stats["stranded"], proposal.plan
        _refuse(stranded_witness(problem.a, problem.b, _allowed(problem), stranded, plan.rows, plan.columns))


def _allowed(problem: TransportProblem) -> Any:
    from scipy import sparse

    rows, columns, costs = problem.arcs()
    return sparse.csr_array((np.ones(len(costs)), (rows, columns)), shape=(problem.n, problem.m))


def _refuse(witness: Any) -> None:
    if witness is not None:
        raise Infeasible(
            witness.sentence, {"f": witness.f, "g": witness.g, "sources": witness.sources, "targets": witness.targets}
        )
