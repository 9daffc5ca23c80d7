"""The one list of methods.  Compiled ones are imported when they are used, since that loads a compiler."""

from __future__ import annotations

from collections.abc import Callable

from otdiv.core.options import SolverOptions
from otdiv.core.validation import check_choice
from otdiv.pricing.compiled_costs import priceable
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.grid.detect import detect_grid
from otdiv.transport.methods.line import solve_line
from otdiv.transport.methods.method import Method, accept_any
from otdiv.transport.methods.pot import solve_pot


def _solve_grid(problem: TransportProblem, options: SolverOptions) -> Proposal:
    from otdiv.transport.methods.grid.solve import solve_grid

    return solve_grid(problem, options)


def _solve_multiscale(problem: TransportProblem, options: SolverOptions) -> Proposal:
    from otdiv.transport.methods.multiscale.solve import solve_multiscale

    return solve_multiscale(problem, options)


def _linear_program(form: str, backend: str) -> Callable[[TransportProblem, SolverOptions], Proposal]:
    def solve(problem: TransportProblem, options: SolverOptions) -> Proposal:
        from otdiv.transport.methods.linear_program import solve_dual, solve_primal  # loads scipy.optimize

        return (solve_primal if form == "primal" else solve_dual)(problem, options, backend)

    return solve


def _solve_dense(problem: TransportProblem, options: SolverOptions) -> Proposal:
    from otdiv.transport.methods.dense.solve import solve_dense

    return solve_dense(problem, options)


def _solve_few(problem: TransportProblem, options: SolverOptions) -> Proposal:
    from otdiv.transport.methods.few.solve import solve_few

    return solve_few(problem, options)


def _solve_network_simplex(problem: TransportProblem, options: SolverOptions) -> Proposal:
    from otdiv.transport.methods.network_simplex import solve_network_simplex

    return solve_network_simplex(problem, options)


def _accept_line(problem: TransportProblem) -> tuple[str, str] | None:
    return None if problem.on_line else ("It needs d = 1 and a power of |x - y|", "use method='auto'")


def _accept_grid(problem: TransportProblem) -> tuple[str, str] | None:
    if detect_grid(problem) is not None:
        return None
    wanted = "It needs cityblock, or chebyshev with equal spacings, and distinct points of a grid in 2 or 3 dimensions"
    return wanted, "use method='auto'"


def accept_multiscale(problem: TransportProblem) -> tuple[str, str] | None:
    """A norm of the difference or a power of one, whose squares float64 holds."""
    if not problem.cost.by_entries and priceable(problem.cost, problem.d, problem.largest_cost):
        return None
    return "It needs points and a norm of their difference, or a power of one", "use method='auto'"


def accept_few(problem: TransportProblem) -> tuple[str, str] | None:
    """A cost given by points or by a matrix, without forbidden arcs."""
    if problem.sparse is None and not problem.forbids and problem.largest_cost <= LARGEST_COST_OF_FEW:
        return None
    return "It needs a cost that is not sparse, without forbidden arcs", "use method='simplex' or 'auto'"


def accept_dense(problem: TransportProblem) -> tuple[str, str] | None:
    """Any cost without forbidden arcs."""
    return ("It needs a cost without forbidden arcs", "use method='simplex' or 'auto'") if problem.forbids else None


LARGEST_COST_OF_FEW = 1e290
"""Beyond it sums of costs along a path may overflow."""

TABLE: tuple[Method, ...] = (
    Method(
        "line",
        "closed form: sort and move in order",
        "points on the line, any power of the distance; a million points in a fraction of a second",
        _accept_line,
        solve_line,
        in_thread=True,
    ),
    Method(
        "grid",
        "a flow along the edges of a regular grid, decomposed into paths",
        "images and histograms (`otdiv.emd_images`) with the 1-norm or the maximum norm, from about 18 x 18 on; "
        "recognised from the points",
        _accept_grid,
        _solve_grid,
        compiled=True,
        in_thread=True,
    ),
    Method(
        "multiscale",
        "coarse to fine on few arcs, until a search over all pairs finds none that violates f + g ≤ d: equal masses by "
        "auction and augmenting paths, others by the network simplex",
        "point clouds from about 960 x 960 on in the plane, images from about 20 x 20, 2000 x 2000 points in many "
        "dimensions; equal masses: 100 000 points in the plane in 4 s for the squared distance, in 16 s for the "
        "distance itself; a million in 71 s and in 7 minutes, to a proved 1 % (`rtol=0.01`) in 12 s and "
        "in 23 s; no cost matrix",
        accept_multiscale,
        _solve_multiscale,
        compiled=True,
        in_thread=True,
    ),
    Method(
        "few",
        "shortest augmenting paths on a graph of the few points: targets are handed on between the cells of f",
        "6 to 300 points against 8000 and more, any cost: 100 points against 100 000 in 0.7 s",
        accept_few,
        _solve_few,
        compiled=True,
        in_thread=True,
    ),
    Method(
        "dense",
        "equal masses as an assignment, others by the network simplex on the dense costs, with both bounds in the same "
        "compiled pass",
        "smaller problems, other costs; up to five points against up to a million: 5 against 20 000 in 10 ms",
        accept_dense,
        _solve_dense,
        compiled=True,
    ),
    Method(
        "pot",
        "network simplex of POT on the dense costs",
        "cross-check, and where `dense` is not proved optimal",
        accept_dense,
        solve_pot,
    ),
    Method(
        "simplex",
        "otdiv's network simplex on a list of arcs",
        "sparse costs: a `scipy.sparse` cost stays sparse, what it does not store is forbidden; many arcs of which "
        "some are forbidden (`inf`); where POT is not proved optimal",
        accept_any,
        _solve_network_simplex,
        compiled=True,
        in_thread=True,
        handles_forbidden=True,
    ),
    Method(
        "primal",
        "the linear program over plans, HiGHS",
        "few arcs of which some are forbidden; where the simplex is not proved optimal",
        accept_any,
        _linear_program("primal", "highs"),
    ),
    Method(
        "dual",
        "the linear program over potentials, f + g ≤ d, as its own program, HiGHS",
        "cross-check",
        accept_any,
        _linear_program("dual", "highs"),
    ),
    Method(
        "primal-cvxpy",
        "the linear program over plans through cvxpy (Clarabel)",
        "independent second opinion",
        accept_any,
        _linear_program("primal", "cvxpy"),
    ),
    Method(
        "dual-cvxpy",
        "the linear program over potentials through cvxpy (Clarabel)",
        "independent second opinion",
        accept_any,
        _linear_program("dual", "cvxpy"),
    ),
)
_BY_NAME = {method.name: method for method in TABLE}
METHODS = ("auto", *_BY_NAME)
"""What ``method=`` may be."""


def find_method(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    InvalidInput
        There is none.
    """
    return _BY_NAME[check_choice("method", name, METHODS[1:])]


def table_as_markdown() -> str:
    """The table of methods as it stands in README.md."""
    rows = [f"| `{method.name}` | {method.solves} | {method.use} |" for method in TABLE]
    rows.append("| `auto` | `select_method` says which of these and why | |")
    return "\n".join(["| method | what it solves | when |", "|---|---|---|", *rows])
