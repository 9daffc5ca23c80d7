"""Many problems at once: each as the general solver has it, whatever the shape of the input or the threads."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import ot
import pytest

from otdiv import DiscreteMeasure, Status, emd, emd_many
from otdiv.errors import Infeasible, InvalidInput, TooLarge
from otdiv.transport.batches.parallel import run_in_chunks
from tests.helpers.exact_reference import exact_cost, exact_emd
from tests.helpers.problems import COSTS, random_problem


@pytest.mark.parametrize("cost", COSTS)
def test_every_problem_is_as_the_general_solver_has_it(cost):
    rng = np.random.default_rng(COSTS.index(cost))
    problems = [random_problem(rng, most=9)[:4] for _ in range(12)]
    for x, y, a, b in problems:
        one = emd_many([x], [y], None if a is None else [a], None if b is None else [b], cost=cost, normalize=True)
        whole = emd(x, y, a, b, cost=cost, normalize=True)
        assert one.certified.all() and abs(one.values[0] - whole.value) <= 1e-9 * abs(whole.value) + 1e-15
        assert one.lower[0] <= whole.upper and whole.lower <= one.upper[0]


@pytest.mark.parametrize(
    ("cost", "scale"),
    [
        ("euclidean", 1e-15),  # the reference cuts square roots at 120 binary digits
        ("euclidean", 1.0),
        ("euclidean", 1e50),
        ("sqeuclidean", 1e-50),
        ("sqeuclidean", 1e50),
        ("cityblock", 1e-100),
        ("chebyshev", 1e100),
        ("discrete", 1.0),
    ],
)
def test_the_intervals_hold_the_exact_values(cost, scale):
    rng = np.random.default_rng(8)
    xs = [rng.integers(-3, 4, (n, 2)) * scale * rng.choice([1.0, 1 / 3]) for n in (1, 2, 5, 5, 6, 4)]
    ys = [rng.normal(size=(n, 2)) * scale for n in (3, 2, 5, 4, 1, 4)]
    ys[-1] = xs[-1][::-1]
    a = [None if k % 2 else np.arange(len(x)) + 1.0 for k, x in enumerate(xs)]
    b = [None if k % 2 else np.append(np.zeros(len(y) - 1), 1.0) for k, y in enumerate(ys)]
    batch = emd_many(xs, ys, a, b, cost=cost, normalize=True, potentials=True, plans=True)
    for k, (x, y) in enumerate(zip(xs, ys, strict=True)):
        mu, nu = DiscreteMeasure(x, a[k]).normalized(), DiscreteMeasure(y, b[k]).normalized()
        truth = exact_emd(mu.weights, nu.weights, exact_cost(x, y, cost))
        assert Fraction(batch.lower[k]) <= truth + Fraction(1, 2**119)
        assert truth <= Fraction(batch.upper[k])
        np.testing.assert_allclose(batch.plans[k].row_sums, mu.weights, atol=1e-14)
        np.testing.assert_allclose(batch.plans[k].column_sums, nu.weights, atol=1e-14)
        f, g = batch.potentials[k]
        assert (f[:, None] + g <= np.array(exact_cost(x, y, cost), float) * (1 + 1e-14)).all()
    assert batch.upper[-1] == 0.0 and batch.certified.all()  # the same points in another order


def test_arrays_lists_and_measures_are_one():
    rng = np.random.default_rng(9)
    xs, ys = rng.normal(size=(2, 5, 4, 3))
    arrays = emd_many(xs, ys)
    for batch in (emd_many(list(xs), ys.tolist()), emd_many([DiscreteMeasure(x) for x in xs], ys)):
        assert (batch.values == arrays.values).all() and (batch.upper == arrays.upper).all()
    line = emd_many(xs[:, :, 0].tolist(), ys[:, :, :1])
    np.testing.assert_allclose(line.values, [ot.wasserstein_1d(x[:, 0], y[:, 0]) for x, y in zip(xs, ys, strict=True)])


def test_stacks_of_costs_agree_with_pot():
    rng = np.random.default_rng(10)
    costs = rng.random((7, 4, 6))
    a, b = rng.random((7, 4)), rng.random((7, 6))
    a, b = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    batch = emd_many(a=a, b=b, cost=costs)
    assert batch.certified.all() and len(batch) == 7 and not len(batch.general)
    np.testing.assert_allclose(batch.values, [ot.emd2(*one) for one in zip(a, b, costs, strict=True)], rtol=1e-12)
    ragged = emd_many(cost=[[[1.0, 2.0]], [[3.0], [5.0]]])
    assert ragged.values.tolist() == [1.5, 4.0]


def test_a_cost_without_compiled_code_is_evaluated_in_python():
    rng = np.random.default_rng(11)
    xs, ys = rng.normal(size=(2, 6, 5, 2))

    def root(x, y):
        return np.abs(x[:, None] - y[None]).sum(axis=2) ** 0.5

    batch = emd_many(xs, ys, cost=root)
    known = [emd(x, y, cost=root).value for x, y in zip(xs, ys, strict=True)]
    np.testing.assert_allclose(batch.values, known, rtol=1e-12)


def test_no_bit_depends_on_threads():
    rng = np.random.default_rng(12)
    xs, ys = rng.normal(size=(2, 300, 6, 2))
    a = rng.random((300, 6))
    batches = [emd_many(xs, ys, a, normalize=True, threads=t, potentials=True, plans=True) for t in (1, 2, 5)]
    for other in batches[1:]:
        for name in ("values", "lower", "upper", "status"):
            assert (getattr(other, name) == getattr(batches[0], name)).all()
        assert all(
            (p[0] == q[0]).all() and (p[1] == q[1]).all()
            for p, q in zip(other.potentials, batches[0].potentials, strict=True)
        )
        assert all(
            (p.mass == q.mass).all() and (p.rows == q.rows).all()
            for p, q in zip(other.plans, batches[0].plans, strict=True)
        )


def test_what_the_batch_leaves_open_goes_to_the_general_solver():
    x, y = [[0.0], [1e-12], [1e6]], [[0.0], [2e-12], [1e6]]  # the value is far below the largest cost
    batch = emd_many([x, [[0.0]]], [y, [[1.0]]], a=[[0.5, 0.25, 0.25], None], b=[[0.5, 0.25, 0.25], None])
    assert batch.certified.all() and batch.general.tolist() == [0]
    assert abs(batch.values[0] - 0.25e-12) <= 1e-20
    forbidden = emd_many(cost=[[[np.inf, 1.0], [2.0, np.inf]]], potentials=True, plans=True)
    assert forbidden.values[0] == 1.5 and forbidden.general.tolist() == [0]
    assert forbidden.plans[0].toarray().tolist() == [[0.0, 0.5], [0.5, 0.0]]
    assert forbidden.status[0] in {Status.OPTIMAL.label, Status.OPTIMAL_NEARBY.label}


def test_bad_input_names_the_problem():
    good = [[0.0, 1.0], [0.0, 2.0]]
    with pytest.raises(InvalidInput, match=r"of ys\[1\]: points must be finite"):
        emd_many(good, [[0.0], [np.nan]])
    with pytest.raises(Infeasible, match="in problem 1: the weights of x and y"):
        emd_many(good, good, a=[None, [1.0, 1.0]])
    with pytest.raises(Infeasible, match="in problem 1"):
        emd_many(cost=[[[1.0]], [[np.inf]]])
    with pytest.raises(InvalidInput, match="as many measures"):
        emd_many(good, good[:1])
    with pytest.raises(InvalidInput, match="same dimension"):
        emd_many(np.zeros((1, 2, 2)), np.zeros((1, 2, 3)))
    with pytest.raises(InvalidInput, match="points of one dimension"):
        emd_many([[0.0], [[0.0, 1.0]]], good)
    with pytest.raises(InvalidInput, match="be a list of measures"):
        emd_many(np.zeros((3, 2)), good)
    with pytest.raises(InvalidInput, match="be left out beside matrices"):
        emd_many(good, good, cost=np.zeros((2, 2, 2)))
    with pytest.raises(InvalidInput, match="of problem 1: cost must hold numbers"):
        emd_many(cost=[[[1.0]], [[np.nan]]])
    with pytest.raises(TooLarge, match="plans"):
        emd_many(good, good, plans=True, memory_limit=10.0)
    with pytest.raises(InvalidInput, match="threads"):
        emd_many(good, good, threads=0)


def test_progress_ends_at_one():
    events = []
    emd_many(np.zeros((40, 2, 1)), np.ones((40, 2, 1)), progress=events.append, threads=2)
    assert events[-1].share == pytest.approx(1.0) and len(events) > 1


def test_an_error_in_a_chunk_reaches_the_caller():
    def work(first, end):
        if first:
            raise RuntimeError("in a chunk")

    with pytest.raises(RuntimeError, match="in a chunk"):
        run_in_chunks(work, np.full(64, 1e8), threads=2)
