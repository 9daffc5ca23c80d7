"""Inputs on which well-known packages answer wrongly without a word; each has the right answer here."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from otdiv import DiscreteMeasure, Status, TransportProblem, certify, emd
from otdiv.core.options import SolverOptions
from otdiv.costs import as_cost
from otdiv.errors import Infeasible, InvalidInput, TooLarge
from otdiv.transport.methods.pot import solve_pot
from tests.helpers.exact_reference import exact_cost, exact_emd


def test_cost_with_1e32_sentinels():
    """POT 0.9.7 answers 88.51 and calls it optimal on a problem like this."""
    rng = np.random.default_rng(0)
    costs = rng.uniform(10, 100, (5, 5))
    costs[rng.random((5, 5)) < 0.4] = 1e32
    np.fill_diagonal(costs, [50.0, 60.0, 70.0, 55.0, 52.7])
    truth = exact_emd([0.2] * 5, [0.2] * 5, costs.tolist())
    for method in ("auto", "primal", "dual", "simplex"):
        result = emd(cost=costs, method=method)
        assert result.status.certified
        assert result.value == pytest.approx(float(truth), rel=1e-12)
        assert result.lower <= truth <= result.upper


@pytest.mark.parametrize("sentinel", [1e15, 1e20, np.inf])
def test_ninety_per_cent_of_the_arcs_forbidden(sentinel):
    rng = np.random.default_rng(1)
    costs = rng.uniform(1, 10, (60, 60))
    costs[rng.random((60, 60)) < 0.9] = sentinel
    np.fill_diagonal(costs, rng.uniform(5, 10, 60))
    rows, columns = linear_sum_assignment(np.where(costs < 1e10, costs, 1e6))
    truth = costs[rows, columns].mean()
    for method in ("auto", "simplex"):
        result = emd(cost=costs, method=method)
        assert result.status.certified
        assert result.value == pytest.approx(truth, rel=1e-9)
        assert result.gap <= 1e-9 * truth


def test_many_forbidden_arcs_go_to_the_simplex():
    rng = np.random.default_rng(11)
    costs = np.where(rng.random((400, 300)) < 0.95, np.inf, rng.uniform(-1, 1, (400, 300)))
    costs[np.arange(400), np.arange(400) % 300] = 1.0
    costs[np.arange(300), np.arange(300)] = 1.0
    costs[:, 0] = 2.0
    costs[0] = 2.0
    result, program = emd(cost=costs), emd(cost=costs, method="primal")
    assert result.method == "simplex" and result.status.certified
    assert result.value == pytest.approx(program.value, rel=1e-9)


@pytest.mark.slow
def test_twenty_dimensions_with_default_settings():
    """No iteration cap by default: 4000 points in 20 dimensions end certified optimal."""
    rng = np.random.default_rng(2)
    result = emd(rng.normal(size=(4000, 20)), rng.normal(size=(4000, 20)) + 0.1)
    assert result.status is Status.OPTIMAL and result.gap <= 1e-9 * result.value


def test_stopped_early_says_so_and_holds_the_truth():
    rng = np.random.default_rng(3)
    x, y = rng.random((700, 2)), rng.random((700, 2))
    exact = emd(x, y)
    stopped = emd(x, y, max_iter=500)
    assert exact.status is Status.OPTIMAL
    assert stopped.status is Status.STOPPED
    assert stopped.lower <= exact.upper and exact.lower <= stopped.upper
    assert stopped.gap > 1e-3
    assert stopped.plan.mass.sum() == pytest.approx(1.0)  # all the mass moves, also what the method left


@pytest.mark.parametrize("mass", [1e8, 1e-8, 1e100])
def test_total_mass_does_not_matter(mass):
    x, y = [[0.0, 0], [1, 0], [0, 1]], [[1.0, 1], [2, 0]]
    a, b = np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.4])
    for method in ("auto", "primal", "dual", "pot"):
        result = emd(x, y, mass * a, mass * b, method=method)
        assert result.status is Status.OPTIMAL
        assert result.value == pytest.approx(mass * (0.7 + 0.4 * 2**0.5), rel=1e-9)


def test_one_nan_in_the_cost_is_named():
    costs = np.ones((3, 3))
    costs[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"cost must hold numbers.*nan at index \(1, 2\)"):
        emd(cost=costs)


def test_one_infinite_cost_is_a_forbidden_arc():
    costs = np.array([[1.0, 5.0], [np.inf, 1.0]])
    result = emd(cost=costs)
    assert result.value == pytest.approx(1.0) and result.status.certified
    with pytest.raises(ValueError, match="forbidden"):
        emd(cost=costs, method="pot")
    with pytest.raises(ValueError, match="forbid an arc"):
        emd(cost=[[1.0, -np.inf]])


def test_negative_weight_and_nan_coordinate_are_refused():
    with pytest.raises(ValueError, match=r"weights must be non-negative; got -0.1 at index 1"):
        emd([0.0, 1], [0.0, 1], [1.1, -0.1])
    with pytest.raises(ValueError, match=r"points must be finite; got nan at index \(1, 0\)"):
        emd([[0.0], [np.nan]], [0.0, 1])
    with pytest.raises(ValueError, match=r"points must be finite; got inf"):
        emd([[0.0], [np.inf]], [0.0, 1])


def test_sparse_cost_missing_is_forbidden_and_stored_zero_is_zero():
    stored = sparse.coo_array(([0.0, 3.0, 2.0], ([0, 1, 1], [0, 0, 1])), shape=(2, 2))
    result = emd(cost=stored)
    assert result.value == pytest.approx(1.0)  # 0 -> 0 for free, 1 -> 1 at 2; the missing 0 -> 1 is no free ride
    dense = np.array([[0.0, np.inf], [3.0, 2.0]])
    assert result.value == emd(cost=dense).value


def test_infeasible_support_comes_with_its_witness():
    costs = np.full((3, 3), np.inf)
    costs[0, 0] = costs[1, 0] = costs[2, 1] = costs[2, 2] = 1.0
    with pytest.raises(Infeasible) as caught:
        emd(cost=costs)
    f, g = caught.value.witness["f"], caught.value.witness["g"]
    allowed = np.isfinite(costs)
    assert (f[:, None] + g)[allowed].max() <= 1e-12
    assert f.mean() + g.mean() > 1e-6
    assert set(caught.value.witness["sources"]) == {0, 1}
    # the other way about: a feasible problem has no witness
    costs[0, 1] = 1.0
    assert emd(cost=costs).status.certified


def test_unequal_masses_come_with_their_witness():
    for a, b in (([0.5, 0.7], [1.0]), ([0.5, 0.5], [1.5])):
        with pytest.raises(Infeasible, match="normalize=True") as caught:
            emd([0.0, 1.0], [2.0], a, b)
        f, g = caught.value.witness["f"], caught.value.witness["g"]
        assert (f[:, None] + g).max() <= 0 and f @ a + g @ b == pytest.approx(abs(sum(a) - sum(b)))


def test_atoms_of_weight_zero_have_feasible_potentials():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    a = np.where(np.arange(30) % 3 == 0, 0.0, 1.0)
    a /= a.sum()
    for method in ("pot", "primal", "dual"):
        result = emd(x, y, a, a[::-1], method=method)
        assert (result.problem.costs() - result.f[:, None] - result.g).min() >= -1e-14
        assert result.status is Status.OPTIMAL


@pytest.mark.parametrize("offset", [1e6, 1e8])
@pytest.mark.parametrize("method", ["auto", "pot", "primal"])
def test_far_offset_of_the_coordinates(offset, method):
    rng = np.random.default_rng(5)
    x, y = rng.random((40, 3)) + offset, rng.random((40, 3)) + offset
    truth = exact_emd([1 / 40] * 40, [1 / 40] * 40, exact_cost(x, y, "euclidean"))
    result = emd(x, y, method=method)
    assert result.lower <= truth <= result.upper
    assert result.value == pytest.approx(float(truth), rel=1e-9)


def test_weights_that_differ_are_not_silently_rescaled():
    x, a = [0.0, 1.0], np.array([0.5, 0.5])
    with pytest.raises(InvalidInput, match="normalize=True"):
        emd(x, x, a, a * (1 + 3e-7))
    close = emd(x, x, a, a * (1 + 1e-11))
    assert 0.9e-11 < close.to_dict()["mass_defect"] < 1.1e-11
    assert emd(x, [2.0, 3.0], a, 5 * a, normalize=True).value == pytest.approx(2.0)


class FakeTensor:
    """What a tensor of another library shows of itself."""

    def __init__(self, data):
        self.data = data

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self.data, dtype=np.float32)


def test_input_of_every_kind_is_converted_once():
    import pandas as pd

    x, y = [[0.0, 0], [1, 0]], [[1.0, 1], [2, 0]]
    expected = emd(x, y).value
    kinds = [
        np.asarray(x, np.float32),
        np.asarray(x, np.int64),
        np.asfortranarray(x),
        np.asarray(x)[::-1][::-1],
        pd.DataFrame(x),
        FakeTensor(x),
        tuple(map(tuple, x)),
        np.asarray(x, dtype=object),
    ]
    for kind in kinds:
        assert emd(kind, y).value == expected
    for bad, message in (
        (np.array([[True, False]]), "real numbers"),
        (np.array([["a", "b"]], dtype=object), "not numbers"),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]), "masked"),
        (np.array([[2**60, 0]]), "beyond 2"),
        (np.zeros((2, 2, 2)), r"shape \[n, d\]"),
    ):
        with pytest.raises(ValueError, match=message):
            emd(bad, y)


def test_the_callers_array_stays_his_own():
    x = np.array([[0.0, 0.0], [1.0, 0.0]])
    result = emd(x, x + 1)
    x[:] = 99.0
    assert result.problem.mu.points.max() == 1.0
    assert x.flags.writeable


def test_memory_is_estimated_before_it_is_taken():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(3000, 2))
    with pytest.raises(TooLarge, match=r"needs about .* GiB; the limit is .*memory_limit") as caught:
        emd(x, x, memory_limit=2**20)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, MemoryError)


def test_costs_known_entry_by_entry_are_estimated_too():
    x = np.zeros((300_000, 1))
    with pytest.raises(TooLarge, match=r"entry by entry for n = 300000, m = 300000 needs about .* GiB"):
        emd(x, x, cost=lambda u, v: np.abs(u - v.T))
    with pytest.raises(TooLarge, match=r"a sparse cost of shape \(300000, 300000\), written out in full"):
        as_cost(sparse.eye_array(300_000)).matrix(x, x)
    assert emd(cost=sparse.eye_array(300_000)).value == pytest.approx(1.0), "it is never written out to be solved"


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
def test_scales_at_the_edge_of_float64(scale):
    """Squares would overflow or vanish; distances do not."""
    x, y = np.array([[0.0, 0], [3, 4]]) * scale, np.array([[3.0, 4], [6, 8]]) * scale
    result = emd(x, y)
    assert result.value == pytest.approx(5 * scale, rel=1e-12)
    assert result.upper >= 5 * scale * (1 - 1e-15)
    with pytest.raises(ValueError, match="Rescale the points"):
        emd(np.array([[0.0, 0], [1e200, 0]]), y, cost="sqeuclidean")


def test_line_points_at_the_edge_of_float64_are_refused():
    with pytest.raises(ValueError, match="Rescale the points"):
        emd([1e308, 1.5e308, -1e308], [-1.7e308, 0.0, 1.0])


def test_the_message_says_which_of_the_two_is_meant():
    with pytest.raises(ValueError, match="of y: points must be finite"):
        emd([0.0], [np.nan])
    with pytest.raises(ValueError, match="of x: weights must be non-negative"):
        emd([0.0, 1.0], [0.0], [-1.0, 2.0])


def test_pot_alone_is_not_believed():
    """Whatever POT says of a stopped run, the audit routes the missing mass before it calls a cost an upper bound."""
    rng = np.random.default_rng(7)
    problem = TransportProblem(DiscreteMeasure(rng.random((300, 2))), DiscreteMeasure(rng.random((300, 2))))
    proposal = solve_pot(problem, SolverOptions(max_iter=100))
    assert proposal.status is Status.STOPPED
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    exact = emd(problem.mu, problem.nu)
    assert proof.bounds.lower <= exact.upper and proof.bounds.upper >= exact.lower
