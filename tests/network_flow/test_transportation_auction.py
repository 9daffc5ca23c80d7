"""The auction for transportation problems, the bases made of its flows, and solves with and without it."""

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem, certify, solve
from otdiv.core.options import SolverOptions, Tuning
from otdiv.network_flow.graph import compress_two_way, transpose
from otdiv.network_flow.integer_masses import MASS_UNITS, integer_masses
from otdiv.network_flow.transportation_auction import (
    Pseudoflow,
    restore_slackness,
    run_auction,
    run_reverse_auction,
)
from otdiv.network_flow.trees.basis_from_flow import basis_from_flow
from otdiv.network_flow.trees.spanning_tree import preorder
from otdiv.transport.methods.multiscale.solve import solve_multiscale


def sparse(rng, n, m, kind):
    """About half the arcs of a small problem, and masses in units."""
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    if kind == "lattice":
        x, y = np.round(2 * x), np.round(2 * y)
    costs = np.linalg.norm(x[:, None] - y, axis=2)
    keep = rng.random((n, m)) < 0.5
    a, b = rng.random(n) + 0.01, rng.random(m) + 0.01
    if kind == "lattice":
        a, b = np.ones(n), np.ones(m)
    if kind == "heavy":
        a[3], b[5] = a.sum(), b.sum()
    a, b = integer_masses(a, b)
    up_a, up_b = np.cumsum(a), np.cumsum(b)
    keep |= (up_a[:, None] > up_b - b) & (
        up_b > (up_a - a)[:, None]
    )  # the northwest corner path, so that a flow exists
    tails, heads = np.nonzero(keep)
    return tails.astype(np.int32), heads.astype(np.int32), costs[keep], a, b


def empty_pseudoflow(arcs, a, b):
    return Pseudoflow(np.zeros(len(a)), np.zeros(len(b)), np.zeros(len(arcs), np.int64), a.copy(), b.copy())


def assert_balanced(graph, pseudoflow, a, b):
    assert (pseudoflow.flow >= 0).all()
    sent, come = np.zeros(len(a), np.int64), np.zeros(len(b), np.int64)
    np.add.at(sent, graph.tails, pseudoflow.flow)
    np.add.at(come, graph.rows.ends, pseudoflow.flow)
    np.testing.assert_array_equal(sent + pseudoflow.excess, a)
    np.testing.assert_array_equal(come + pseudoflow.deficit, b)


@pytest.mark.parametrize("kind", ["random", "heavy", "lattice"])
@pytest.mark.parametrize(("n", "m"), [(40, 60), (60, 40), (200, 7), (7, 200)])
def test_auction_moves_all_mass_and_is_near_the_optimum(kind, n, m):
    rng = np.random.default_rng(n)
    tails, heads, costs, a, b = sparse(rng, n, m, kind)
    graph, pseudoflow = compress_two_way(n, m, tails, heads, costs), empty_pseudoflow(tails, a, b)
    for eps in (1e-1, 1e-2, 1e-3):
        restore_slackness(graph, pseudoflow, eps)
        assert_balanced(graph, pseudoflow, a, b)
        before = pseudoflow.g.copy()
        run_auction(graph, pseudoflow, eps, 10**6, 0, 10**9)
        assert_balanced(graph, pseudoflow, a, b)
        assert not pseudoflow.excess.any() and not pseudoflow.deficit.any()
        assert (pseudoflow.g <= before).all()
    restore_slackness(graph, pseudoflow, np.inf)
    reduced = costs - pseudoflow.f[tails] - pseudoflow.g[heads]
    assert reduced.min() >= -1e-12  # f is up to date after restoring slackness
    plan, dual = (
        float(pseudoflow.flow / MASS_UNITS @ costs),
        float(a / MASS_UNITS @ pseudoflow.f + b / MASS_UNITS @ pseudoflow.g),
    )
    assert dual - 1e-12 <= plan <= dual + 4e-3
    basis = basis_from_flow(graph, pseudoflow, lambda i, j: np.full(len(i), 7.0))
    assert_strongly_feasible(basis, n, a, b)
    on_tree = float(basis.flow / MASS_UNITS @ basis.cost)
    assert dual - 1e-12 <= on_tree <= plan + 1e-12


def assert_strongly_feasible(basis, n, a, b):
    """A tree that sends every mass, its arcs without flow leading from a source up to a target."""
    assert (basis.flow >= 0).all()
    order = preorder(basis)
    assert np.array_equal(np.sort(order), np.arange(len(a) + len(b)))
    balance = np.concatenate([a, -b])
    for v in order[1:]:
        above = basis.parent[v]
        assert (v < n) != (above < n)
        assert v < n or basis.flow[v] > 0
        sign = 1 if v < n else -1
        balance[v] -= sign * basis.flow[v]
        balance[above] += sign * basis.flow[v]
    assert not balance.any()


@pytest.mark.parametrize("kind", ["random", "heavy", "lattice"])
@pytest.mark.parametrize(("n", "m"), [(40, 60), (60, 40), (200, 7), (7, 200)])
def test_sources_and_targets_bid_in_turn(kind, n, m):
    rng = np.random.default_rng(n + 1)
    tails, heads, costs, a, b = sparse(rng, n, m, kind)
    graph, pseudoflow = compress_two_way(n, m, tails, heads, costs), empty_pseudoflow(tails, a, b)
    for eps in (1e-1, 1e-2, 1e-3):
        restore_slackness(graph, pseudoflow, eps)
        forward, before = True, a.sum() + 1
        for _ in range(10_000):
            if not pseudoflow.excess.any():
                break
            if pseudoflow.excess.sum() < before:  # else they might undo one another's bids for ever
                forward, before = not forward, pseudoflow.excess.sum()
            g = pseudoflow.g.copy()
            (run_auction if forward else run_reverse_auction)(graph, pseudoflow, eps, 10**6, 0, 3 * len(tails))
            assert (pseudoflow.g <= g).all() if forward else (pseudoflow.g >= g - eps - 1e-12).all()
            assert_balanced(graph, pseudoflow, a, b)
            assert (pseudoflow.f[tails] + pseudoflow.g[heads] <= costs + eps + 1e-12).all()
        assert not pseudoflow.excess.any() and not pseudoflow.deficit.any()
    restore_slackness(graph, pseudoflow, np.inf)
    plan = float(pseudoflow.flow / MASS_UNITS @ costs)
    dual = float(a / MASS_UNITS @ pseudoflow.f + b / MASS_UNITS @ pseudoflow.g)
    assert dual - 1e-12 <= plan <= dual + 4 * eps


def test_a_remote_target_raises_its_own_price():
    """One target is dear by 5: where targets bid, the prices of the others do not have to fall by as much."""
    n, eps = 100, 1e-3
    rng = np.random.default_rng(6)
    tails, heads, costs, a, b = sparse(rng, n, n, "random")
    costs[heads == 7] += 5.0
    graph = compress_two_way(n, n, tails, heads, costs)
    fallen = []
    for reverse in (False, True):
        pseudoflow = empty_pseudoflow(tails, a, b)
        restore_slackness(graph, pseudoflow, eps)
        scans = 5 * len(tails) if reverse else 10**9
        run_auction(graph, pseudoflow, eps, 10**6, 0, scans)
        if reverse:
            run_reverse_auction(graph, pseudoflow, eps, 10**6, 0, 10**9)
        assert not pseudoflow.excess.any()
        fallen.append((np.median(pseudoflow.g), pseudoflow.g[7]))
    (forward, at_7), (in_turn, raised) = fallen
    assert forward < -4.0 and abs(at_7) < 0.1
    assert in_turn > -1.5 and raised > 2.0


def test_a_transposed_graph_has_the_same_arcs():
    tails, heads, costs, _, _ = sparse(np.random.default_rng(7), 30, 20, "random")
    graph = compress_two_way(30, 20, tails, heads, costs)
    other = transpose(graph)
    np.testing.assert_array_equal(other.tails, graph.rows.ends[graph.numbers])
    np.testing.assert_array_equal(other.rows.ends, graph.tails[graph.numbers])
    np.testing.assert_array_equal(other.rows.costs, costs[graph.numbers])
    for before, after in zip(transpose(other), graph, strict=True):
        if isinstance(before, tuple):
            assert all(np.array_equal(u, v) for u, v in zip(before, after, strict=True))
        else:
            np.testing.assert_array_equal(before, after)


def test_an_auction_may_be_cut_short():
    """In many short runs all mass is delivered too, and at any moment what was sent is a flow."""
    rng = np.random.default_rng(1)
    tails, heads, costs, a, b = sparse(rng, 50, 50, "random")
    graph, pseudoflow = compress_two_way(50, 50, tails, heads, costs), empty_pseudoflow(tails, a, b)
    parts = 0
    while pseudoflow.excess.any():
        run_auction(graph, pseudoflow, 1e-3, 10**6, 0, 500)
        assert_balanced(graph, pseudoflow, a, b)
        parts += 1
    assert parts > 3


def test_an_auction_may_leave_a_few():
    """It ends when no more sources than those have mass left; a later run continues from there."""
    rng = np.random.default_rng(2)
    tails, heads, costs, a, b = sparse(rng, 80, 80, "random")
    graph, pseudoflow = compress_two_way(80, 80, tails, heads, costs), empty_pseudoflow(tails, a, b)
    for few in (40, 10, 0):
        run_auction(graph, pseudoflow, 1e-4, 10**6, few, 10**9)
        assert_balanced(graph, pseudoflow, a, b)
        assert np.count_nonzero(pseudoflow.excess) == few


def points(kind):
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(700, 2)), rng.normal(size=(600, 2)) + 0.5
    a, b = rng.random(700) + 0.01, rng.random(600) + 0.01
    if kind == "wild":
        a, b = 10 ** rng.uniform(-8, 8, 700), 10 ** rng.uniform(-8, 8, 600)
    if kind == "heavy":
        a[1], b[2] = a.sum(), b.sum()
    if kind == "zeros":
        a[rng.random(700) < 0.3] = 0.0
    if kind == "lattice":
        x, y = np.round(3 * x), np.round(3 * y)
    if kind == "duplicates":
        x[:350], y[:300] = x[350:], x[:300]
    if kind == "one point":
        x[:] = y[:] = 1.0
        y[0] += 1e-9
    return TransportProblem(DiscreteMeasure(x, a / a.sum()), DiscreteMeasure(y, b / b.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("scans", [1500, 60, 0])
@pytest.mark.parametrize("kind", ["random", "wild", "heavy", "zeros", "lattice", "duplicates", "one point"])
def test_exact_whether_or_not_auctions_succeed(kind, scans):
    tuning = Tuning(coarsest_pairs=2**10, auction_scans=scans, auction_easy=np.inf)  # all rounds, as in many dimensions
    problem = points(kind)
    proposal = solve_multiscale(problem, SolverOptions(tuning=tuning))
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    assert proof.proves_optimal(1e-9)
    assert proof.bounds.upper == pytest.approx(solve(problem, "simplex").value, rel=1e-8, abs=1e-15)
