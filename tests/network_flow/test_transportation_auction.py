"""Auctions with several holders of a target, the trees made of their flows, and the way from one to the other."""

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem, certify, solve
from otdiv.network_flow.basis_from_flow import tree_of_flow
from otdiv.network_flow.integer_masses import TOTAL, integer_masses
from otdiv.network_flow.spanning_tree import topdown
from otdiv.network_flow.transportation_auction import Loads, auction, network_of, release
from otdiv.transport.methods.multiscale import auction_start as approach
from otdiv.transport.methods.multiscale import scales as coarsen
from otdiv.transport.methods.multiscale import solve as multiscale


def sparse(rng, n, m, kind):
    """About half the arcs of a small problem, and masses in quanta."""
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
    keep |= (up_a[:, None] > up_b - b) & (up_b > (up_a - a)[:, None])  # a staircase, so that a flow exists
    tails, heads = np.nonzero(keep)
    return tails.astype(np.int32), heads.astype(np.int32), costs[keep], a, b


def loads_of(arcs, a, b):
    return Loads(np.zeros(len(a)), np.zeros(len(b)), np.zeros(len(arcs), np.int64), a.copy(), b.copy())


def assert_balanced(network, loads, a, b):
    assert (loads.flow >= 0).all()
    sent, come = np.zeros(len(a), np.int64), np.zeros(len(b), np.int64)
    np.add.at(sent, network.tails, loads.flow)
    np.add.at(come, network.heads, loads.flow)
    np.testing.assert_array_equal(sent + loads.left, a)
    np.testing.assert_array_equal(come + loads.missing, b)


@pytest.mark.parametrize("kind", ["random", "heavy", "lattice"])
@pytest.mark.parametrize(("n", "m"), [(40, 60), (60, 40), (200, 7), (7, 200)])
def test_auction_moves_all_mass_and_is_near_the_optimum(kind, n, m):
    rng = np.random.default_rng(n)
    tails, heads, costs, a, b = sparse(rng, n, m, kind)
    network, loads = network_of(n, m, tails, heads, costs), loads_of(tails, a, b)
    for eps in (1e-1, 1e-2, 1e-3):
        release(network, loads, eps)
        assert_balanced(network, loads, a, b)
        before = loads.g.copy()
        auction(network, loads, eps, 10**6, 0, 10**9)
        assert_balanced(network, loads, a, b)
        assert not loads.left.any() and not loads.missing.any()
        assert (loads.g <= before).all()
    release(network, loads, np.inf)
    reduced = costs - loads.f[tails] - loads.g[heads]
    assert reduced.min() >= -1e-12  # f is brought up by the release
    plan, dual = float(loads.flow / TOTAL @ costs), float(a / TOTAL @ loads.f + b / TOTAL @ loads.g)
    assert dual - 1e-12 <= plan <= dual + 4e-3
    basis = tree_of_flow(network, loads, lambda i, j: np.full(len(i), 7.0))
    assert_strongly_feasible(basis, n, a, b)
    on_tree = float(basis.flow / TOTAL @ basis.cost)
    assert dual - 1e-12 <= on_tree <= plan + 1e-12


def assert_strongly_feasible(basis, n, a, b):
    """A tree that sends every mass, its arcs without flow leading from a source up to a target."""
    assert (basis.flow >= 0).all()
    order = topdown(basis)
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


def test_an_auction_may_be_cut_short():
    """Some looks at a time it arrives too, and what it has sent is a flow at any moment."""
    rng = np.random.default_rng(1)
    tails, heads, costs, a, b = sparse(rng, 50, 50, "random")
    network, loads = network_of(50, 50, tails, heads, costs), loads_of(tails, a, b)
    parts = 0
    while loads.left.any():
        auction(network, loads, 1e-3, 10**6, 0, 500)
        assert_balanced(network, loads, a, b)
        parts += 1
    assert parts > 3


def test_an_auction_may_leave_a_few():
    """It ends when no more sources than those have mass left; from there it goes on."""
    rng = np.random.default_rng(2)
    tails, heads, costs, a, b = sparse(rng, 80, 80, "random")
    network, loads = network_of(80, 80, tails, heads, costs), loads_of(tails, a, b)
    for few in (40, 10, 0):
        auction(network, loads, 1e-4, 10**6, few, 10**9)
        assert_balanced(network, loads, a, b)
        assert np.count_nonzero(loads.left) == few


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


@pytest.mark.parametrize("looks", [1500, 60, 0])
@pytest.mark.parametrize("kind", ["random", "wild", "heavy", "zeros", "lattice", "duplicates", "one point"])
def test_exact_whether_or_not_auctions_succeed(kind, looks, monkeypatch):
    monkeypatch.setattr(coarsen, "COARSEST_PAIRS", 2**10)
    monkeypatch.setattr(approach, "_LOOKS", looks)
    monkeypatch.setattr(approach, "_EASY", np.inf)  # all rounds, as in many dimensions
    problem = points(kind)
    proposal = multiscale.solve_multiscale(problem)
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    assert proof.proves_optimal(1e-9)
    assert proof.bounds.upper == pytest.approx(solve(problem, "simplex").value, rel=1e-8, abs=1e-15)
