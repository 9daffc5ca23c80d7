"""Sparse costs: missing is forbidden, stored zero is zero; solved, audited and refused without a full matrix."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from otdiv import Bounds, DiscreteMeasure, TransportProblem, c_transform, certify, emd, select_method, verify
from otdiv.certificates import verify_transport_witness
from otdiv.costs import SparseCost, as_cost
from otdiv.errors import CertificateRefused, Infeasible, InvalidInput
from otdiv.linear_programming.backends import TOLERANCE
from otdiv.transport.methods.linear_program import marginal_matrix
from tests.helpers.exact_reference import exact_emd


def hidden_plan(rng, n, m, most, zeros=0.0):
    """A random sparse cost with weights that some plan on its arcs has; a share of the weights is zero."""
    rows = np.concatenate([np.arange(n), rng.integers(0, n, most * n)])
    columns = np.concatenate([rng.integers(0, m, n), rng.integers(0, m, most * n)])
    keys = np.unique(rows * m + columns)
    rows, columns = np.divmod(keys, m)
    mass = rng.random(len(keys)) * (rng.random(len(keys)) >= zeros) + (np.arange(len(keys)) == 0)
    costs = rng.choice([0.0, 1.0, 2.5, -1.0, np.pi], len(keys)) if rng.random() < 0.5 else rng.normal(size=len(keys))
    a, b = np.bincount(rows, mass, n), np.bincount(columns, mass, m)
    return sparse.coo_array((costs, (rows, columns)), shape=(n, m)), a / a.sum(), b / a.sum()


def dense(cost):
    table = np.full(cost.shape, np.inf)
    table[cost.coords] = cost.data
    return table


@pytest.mark.parametrize("seed", range(40))
def test_against_exact_integers_and_the_dense_route(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, 2)
    cost, a, b = hidden_plan(rng, n, m, 2, zeros=0.3 * (seed % 3))
    result = emd(None, None, a, b, cost=cost)
    truth = exact_emd(a, b, dense(cost).tolist()) if seed % 2 else None
    other = emd(None, None, a, b, cost=dense(cost), method="primal")
    slack = 1e-12 * np.abs(cost.data).max()
    assert result.method == "simplex" and result.status.certified
    assert result.lower - slack <= other.upper and other.lower - slack <= result.upper
    if truth is not None:  # weights summed in floats may leave a few last bits without a path
        assert result.lower - slack <= truth <= result.upper + slack
    assert np.isfinite(result.problem.arc_costs(result.plan.rows, result.plan.columns)).all()
    excess = result.f[cost.coords[0]] + result.g[cost.coords[1]] - cost.data
    assert excess.max() <= 4e-16 * max(1.0, np.abs(result.f).max()), "feasible on every stored arc"


@pytest.mark.parametrize("n, m, most", [(60, 50, 3), (400, 300, 4), (150, 900, 8)])
def test_against_highs_on_the_sparse_program(n, m, most):
    rng = np.random.default_rng(n)
    cost, a, b = hidden_plan(rng, n, m, most)
    matrix = marginal_matrix(n, m, *cost.coords)
    tight = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    known = linprog(cost.data, A_eq=matrix, b_eq=np.concatenate([a, b]), method="highs", options=tight)
    for method in ("auto", "primal"):
        result = emd(None, None, a, b, cost=cost, method=method)
        assert result.status.certified
        assert result.value == pytest.approx(known.fun, rel=1e-8, abs=1e-10)


@pytest.mark.slow
def test_memory_goes_with_the_stored_entries():
    """100 000 x 100 000 would take 80 GB in full; half a million arcs and all records fit into 200 MB."""
    n = 100_000
    rng = np.random.default_rng(3)
    shifts = np.array([0, 1, 2, 5, 11])
    columns = (np.arange(n)[:, None] + shifts) % n
    cost = sparse.csr_array((rng.random(5 * n), columns.ravel(), np.arange(0, 5 * n + 1, 5)), shape=(n, n))
    emd(cost=sparse.eye_array(9))  # loads the compiled kernels
    tracemalloc.start()
    result = emd(cost=cost)
    _ = result.slackness, result.uniqueness, result.gradients.a
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    assert result.status.certified and 0 < result.value < 0.5


def test_what_is_stored_counts():
    stored = sparse.coo_array(([0.0, 3.0, 2.0, np.inf], ([0, 1, 1, 0], [0, 0, 1, 1])), shape=(2, 2))
    cost = as_cost(stored)
    assert isinstance(cost, SparseCost) and cost.values.tolist() == [0.0, 3.0, 2.0]
    assert cost.matrix(np.zeros((2, 1)), np.zeros((2, 1))).tolist() == [[0.0, np.inf], [3.0, 2.0]]
    assert cost.block(slice(1, 2)).tolist() == [[3.0, 2.0]]
    assert cost.at(np.array([0, 0, 1]), np.array([0, 1, 1])).tolist() == [0.0, np.inf, 2.0]
    assert emd(cost=stored).value == 1.0
    twice = sparse.coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))
    assert emd(cost=twice).value == 3.0, "entries stored twice add up"
    assert twice.nnz == 2, "the caller's matrix stays as it was"
    for form in ("csr", "csc", "lil", "dok", "coo"):
        assert emd(cost=sparse.eye_array(4).asformat(form)).value == 1.0
    assert emd(cost=sparse.eye_array(4, format="dia")).value == 1.0
    complete = as_cost(sparse.csr_array(np.ones((2, 2))))
    assert complete.complete and complete.is_metric is None and cost.is_metric is False
    assert emd(cost=sparse.csr_array(np.ones((2, 2))), method="pot").value == 1.0


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (sparse.coo_array(([np.nan], ([0], [1])), shape=(1, 2)), r"got nan at index \(0, 1\)"),
        (sparse.coo_array(([-np.inf], ([1], [0])), shape=(2, 2)), r"got -inf at index \(1, 0\)"),
        (sparse.coo_array(([1j], ([1], [0])), shape=(2, 2)), "hold real numbers"),
        (sparse.coo_array(([True], ([0], [1])), shape=(1, 2)), "hold real numbers"),
        (sparse.coo_array((0, 3)), r"be a matrix \[n, m\]; got shape \(0, 3\)"),
        (sparse.dia_array(([[1.0, 0.0]], [0]), shape=(2, 2)), "distinguish a stored zero from a missing entry"),
        (sparse.bsr_array(np.array([[1.0, 0.0], [2.0, 0.0]]), blocksize=(2, 2)), "distinguish a stored zero"),
    ],
)
def test_refused(entries, message):
    with pytest.raises(InvalidInput, match=message):
        as_cost(entries)


def test_indices_that_lead_outside_are_refused():
    broken = sparse.csr_array(([1.0], [0], [0, 1]), shape=(1, 2))
    broken.indices[0] = 9
    with pytest.raises(InvalidInput, match="be a sound sparse matrix"):
        as_cost(broken)


def test_another_shape_than_the_points():
    with pytest.raises(InvalidInput, match=r"cost must have shape \[3, 2\], sources by targets; got shape \(2, 2\)"):
        emd([0.0, 1, 2], [0.0, 1], cost=sparse.eye_array(2))


@pytest.mark.parametrize("method", ["auto", "simplex", "primal", "dual"])
def test_no_plan_comes_with_its_witness(method):
    cost = sparse.coo_array(([1.0, 2.0, 1.0, 4.0], ([0, 1, 2, 2], [0, 0, 1, 2])), shape=(3, 3))
    a, b = np.array([0.4, 0.4, 0.2]), np.array([0.5, 0.3, 0.2])
    with pytest.raises(Infeasible, match="No plan exists") as caught:
        emd(None, None, a, b, cost=cost, method=method)
    witness = caught.value.witness
    assert verify_transport_witness(a, b, cost, witness["f"], witness["g"]) == pytest.approx(0.3)


@pytest.mark.parametrize("seed", range(10))
def test_random_infeasible_problems(seed):
    """The witness of the simplex holds on every arc; where it finds a plan there is one."""
    rng = np.random.default_rng(seed)
    cost, a, b = hidden_plan(rng, 40, 40, 1)
    b = rng.permutation(b) if seed % 2 else b
    allowed = cost.copy()
    allowed.data[:] = 1.0
    try:
        result = emd(None, None, a, b, cost=cost)
        assert seed % 2 == 0 and result.status.certified
    except Infeasible as refused:
        assert seed % 2 == 1
        assert verify_transport_witness(a, b, allowed, refused.witness["f"], refused.witness["g"]) > 1e-6


def test_no_arc_at_all():
    with pytest.raises(Infeasible, match="No plan exists"):
        emd(cost=sparse.coo_array((2, 3)))


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
def test_scales(factor):
    rng = np.random.default_rng(8)
    cost, a, b = hidden_plan(rng, 30, 30, 3)
    value = emd(None, None, a, b, cost=cost).value
    scaled = emd(None, None, a, b, cost=cost * factor)
    assert scaled.status.certified and scaled.value == pytest.approx(value * factor, rel=1e-12)


def test_sentinels_in_a_sparse_cost():
    """A sentinel counts only where mass has no other path."""
    cost = sparse.coo_array(([1.0, 1e20, 2.0, 1e20], ([0, 0, 1, 1], [0, 1, 1, 0])), shape=(2, 2))
    assert emd(cost=cost).value == 1.5
    assert emd(None, None, [1.0, 0.0], [0.5, 0.5], cost=cost).value == pytest.approx(5e19)


def test_proof_gradients_and_transform():
    rng = np.random.default_rng(5)
    cost, a, b = hidden_plan(rng, 12, 10, 3)
    result = emd(None, None, a, b, cost=cost)
    assert verify(result, level="exact").bounds.contains(result.value)
    with pytest.raises(InvalidInput, match="have a gradient"):
        _ = result.gradients.x
    assert a @ result.gradients.a == pytest.approx(b @ result.gradients.b) == pytest.approx(result.value / 2)
    dearer = cost.copy()
    k = int(np.argmax(result.gradients.plan.toarray()[cost.coords]))
    dearer.data[k] += 1e-7
    rise = (emd(None, None, a, b, cost=dearer).value - result.value) / 1e-7
    assert rise == pytest.approx(result.plan.toarray()[cost.coords][k], abs=1e-6), "the plan is the slope in the costs"
    assert c_transform(result.f, cost=cost) == pytest.approx(c_transform(result.f, cost=dense(cost)))
    problem = TransportProblem(DiscreteMeasure(np.arange(12.0), a), DiscreteMeasure(np.arange(10.0), b), cost)
    assert select_method(problem).method == "simplex"
    assert np.array_equal(np.vstack([block for _, block in problem.cost_blocks()]), dense(cost))
    loose = certify(problem, result.plan, (result.f + 0.1, None))
    assert loose.bounds.contains(result.value)
    with pytest.raises(InvalidInput, match="be a function of points"):
        result.potential_functions()


@pytest.mark.parametrize("level", ["exact", "float"])
def test_proofs_hold_the_stored_arcs_only(level, tmp_path):
    rng = np.random.default_rng(6)
    cost, a, b = hidden_plan(rng, 300, 250, 4)
    result = emd(None, None, a, b, cost=cost)
    result.save(tmp_path / "proof.npz")
    assert (tmp_path / "proof.npz").stat().st_size < 100_000
    checked = verify(tmp_path / "proof.npz", level=level)
    assert checked.level == level and checked.bounds.contains(result.value)
    full = emd(None, None, a, b, cost=dense(cost), method="simplex")
    for end in ("lower", "upper"):
        there, here = getattr(verify(full, level=level).bounds, end), getattr(checked.bounds, end)
        assert here == pytest.approx(there, rel=1e-9)


@pytest.mark.parametrize("level", ["exact", "float"])
def test_tampered_proofs_of_sparse_costs_are_refused(level):
    rng = np.random.default_rng(7)
    cost, a, b = hidden_plan(rng, 30, 25, 3)
    proof = emd(None, None, a, b, cost=cost).proof()
    assert proof.cost == "arcs" and proof.pairs == cost.nnz
    cheaper, f = proof.costs.copy(), proof.f.copy()
    used = np.flatnonzero((cheaper[:, 0] == proof.rows[0]) & (cheaper[:, 1] == proof.columns[0]))
    cheaper[used, 2] -= 0.1
    f[0] += 0.5
    for changed in (
        dict(costs=cheaper),
        dict(f=f),
        dict(costs=np.delete(proof.costs, used, axis=0)),
        dict(claimed=Bounds(proof.claimed.lower + 1e-3, proof.claimed.upper + 1e-3)),
    ):
        with pytest.raises(CertificateRefused, match=r"bound is not proved|forbidden arc"):
            verify(replace(proof, **changed), level=level)
    twice, outside, half = (proof.costs.copy() for _ in range(3))
    twice[1], outside[-1, 1], half[0, 0] = twice[0], 25, 0.5
    for costs in (twice, outside, half, proof.costs[::-1].copy()):
        with pytest.raises(CertificateRefused, match="given once each"):
            replace(proof, costs=costs)
    infinite = proof.costs.copy()
    infinite[0, 2] = np.inf
    with pytest.raises(CertificateRefused, match="finite indices and costs"):
        replace(proof, costs=infinite)


def test_from_files(tmp_path, capsys):
    """The command takes points as labels and the cost from a file; nothing is unpickled."""
    from otdiv.cli.main import main

    np.save(tmp_path / "x.npy", np.arange(2.0))
    np.save(tmp_path / "dense.npy", np.array([[1.0, np.inf], [7.0, 2.0]]))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    sparse.save_npz(tmp_path / "cost.npz", sparse.coo_array(([1.0, 7.0, 2.0], ([0, 1, 1], [0, 0, 1])), shape=(2, 2)))
    sparse.save_npz(tmp_path / "none.npz", sparse.coo_array(([1.0, 2.0], ([0, 1], [0, 0])), shape=(2, 2)))
    (tmp_path / "broken.npz").write_bytes((tmp_path / "cost.npz").read_bytes()[:-30])
    np.save(tmp_path / "y.npy", np.arange(5.0, 7.0))
    points = [str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    wanted = {
        "cost.npz": (0, "1.5"),
        "dense.npy": (0, "1.5"),
        "none.npz": (2, "No plan exists"),
        "objects.npy": (2, "cannot be read"),
        "broken.npz": (2, "cannot be read"),
        "missing.npz": (2, "name an existing"),
    }
    for name, (code, said) in wanted.items():
        with pytest.raises(SystemExit) as left:
            main(["emd", *points, "--cost", str(tmp_path / name)])
        shown = capsys.readouterr()
        assert left.value.code == code and said in shown.out + shown.err, name


def test_stopped_at_any_moment():
    rng = np.random.default_rng(9)
    cost, a, b = hidden_plan(rng, 1500, 1200, 6)
    cost.data = np.abs(cost.data) + 0.1
    whole, calls = emd(None, None, a, b, cost=cost), []
    assert whole.status.certified

    def press(event):
        calls.append(event)
        if len(calls) == 2:
            raise KeyboardInterrupt

    early = emd(None, None, a, b, cost=cost, progress=press)
    late = emd(None, None, a, b, cost=cost, time_limit=0.0)
    for result, word in ((early, "interrupted"), (late, "the time limit")):
        assert word in result.stats["message"] and result.stats["tried"] == ("simplex",)
        assert result.lower <= whole.upper and whole.lower <= result.upper


def test_points_that_coincide_without_an_arc_are_refused():
    """A graph of near neighbours of which eliminate_zeros has taken the arcs of length 0."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 6, size=(40, 2)).astype(float)
    y = rng.permutation(x)
    distances = np.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))
    near = distances <= 3
    kept = sparse.coo_array((distances[near], near.nonzero()), shape=near.shape).tocsr()
    assert emd(x, y, cost=kept).value == 0.0
    lost = kept.copy()
    lost.eliminate_zeros()
    with pytest.raises(InvalidInput, match=r"got nothing for \d+ such pairs, first x\[0\] = y\[\d+\].*Store 0 there"):
        emd(x, y, cost=lost)
    forbidden = kept.copy()
    forbidden.data[forbidden.data == 0] = np.inf
    assert emd(x, y, cost=forbidden).value > 0.5  # forbidden as asked
    assert emd(cost=lost, a=np.full(40, 1 / 40), b=np.full(40, 1 / 40)).value > 0.5  # no points, nothing known
