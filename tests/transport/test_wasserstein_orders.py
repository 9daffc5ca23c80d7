"""W_p for any order: closed forms, the bottleneck distance W_inf with its proof, and their order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from otdiv import Status, wasserstein
from otdiv.certificates import verify_transport_witness
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.transport import bottleneck


def bottleneck_by_assignment(table):
    """The least distance within which a perfect matching lies, by trying every one."""
    return next(t for t in np.unique(table) if (table > t)[linear_sum_assignment(table > t)].sum() == 0)


@pytest.mark.parametrize("p", [1.5, 10, 100, 538, 1000])
def test_one_far_atom_on_the_line(p):
    answer = wasserstein([1.0, 2.0, 3.0, 54.0], [1.0, 2.0, 3.0, 4.0], p=p)
    assert answer.status is Status.OPTIMAL and answer.lower <= answer.value <= answer.upper
    assert answer.value == pytest.approx(50 * 0.25 ** (1 / p), rel=1e-13)


@pytest.mark.parametrize("unit", [1e-12, 1e-5, 1.0, 1e9])
@pytest.mark.parametrize("p", [3, 30, 300, 1000])
def test_a_shift_by_the_unit(unit, p):
    answer = wasserstein([0.0, 5 * unit], [unit, 6 * unit], p=p)
    assert answer.status.certified and answer.value == pytest.approx(unit, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_orders_rise_to_the_bottleneck(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.random((30, 2)), rng.random((30, 2))
    answers = [wasserstein(x, y, p=p) for p in (1, 2, 10, 100, 1000, np.inf)]
    assert all(answer.status.certified and answer.gap <= 1e-9 * answer.value for answer in answers)
    values = [answer.value for answer in answers]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(bottleneck_by_assignment(cdist(x, y)), rel=1e-14)
    assert values[-2] >= values[-1] * 30 ** (-1 / 1000) * (1 - 1e-12)  # one pair moves that far


@pytest.mark.parametrize("seed", range(6))
def test_the_bottleneck_with_weights_carries_its_proof(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.random((12, 2)), rng.random((17, 2))
    a, b = rng.dirichlet(np.ones(12)), rng.dirichlet(np.ones(17))
    answer = wasserstein(x, y, a, b, p=np.inf)
    table = cdist(x, y)
    plan = answer.plan.toarray()
    assert answer.lower <= table[plan > 1e-12].max() <= answer.upper
    assert answer.upper - answer.lower <= 1e-14
    if answer.witness is None:  # some atom has nothing nearer
        assert max(table.min(axis=1).max(), table.min(axis=0).max()) == pytest.approx(answer.value, rel=1e-14)
    else:
        nearer = table < table[plan > 1e-12].max() * (1 - 1e-14)
        witness = answer.witness.to_dict()
        verify_transport_witness(a, b, nearer, witness["f"], witness["g"])
        with pytest.raises(CertificateRefused):
            verify_transport_witness(a, b, None, witness["f"], witness["g"])


def test_a_search_that_ends_beside_the_level_is_put_right(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.random((15, 2)), rng.random((15, 2))
    truth, search = wasserstein(x, y, p=np.inf).value, bottleneck._search
    for step in (-2, 3):
        monkeypatch.setattr(bottleneck, "_search", lambda *given, step=step: search(*given) + step)
        assert wasserstein(x, y, p=np.inf).value == truth


def test_bottleneck_of_equal_and_of_single_points():
    assert wasserstein([0.0, 1.0], [1.0, 0.0], p=np.inf).value == 0.0
    assert wasserstein([0.0], [1e-5], p=np.inf).value == 1e-5
    metric = np.array([[0.0, 3.0], [3.0, 0.0]])
    assert wasserstein(None, None, [0.75, 0.25], [0.25, 0.75], metric=metric, p=np.inf).value == 3.0


def test_orders_below_one_are_refused():
    for p in (0.5, -1, np.nan):
        with pytest.raises(InvalidInput, match="p must be a number >= 1, or infinity"):
            wasserstein([0.0], [1.0], p=p)
