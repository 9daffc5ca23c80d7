"""What was saved is read back whole, and its interval is proved anew."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import otdiv
from otdiv.errors import CertificateRefused, InvalidInput

X, Y = np.random.default_rng(0).random((2, 9, 2))
ANSWERS = {
    "points": lambda: otdiv.emd(X, Y, cost="sqeuclidean"),
    "weights": lambda: otdiv.emd(X, Y, np.full(9, 1 / 9), np.arange(1.0, 10) / 45),
    "line": lambda: otdiv.emd(X[:, 0], Y[:, 0]),
    "matrix": lambda: otdiv.emd(cost=np.arange(12.0).reshape(3, 4)),
    "sparse": lambda: otdiv.emd(cost=sparse.csr_array(np.tri(4) + np.tri(4).T)),
    "stopped": lambda: otdiv.emd(X, Y, method="pot", max_iter=1),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_saved_answer_comes_back(name, tmp_path):
    answer = ANSWERS[name]()
    answer.save(tmp_path / "answer.npz")
    again = otdiv.load(tmp_path / "answer.npz")
    assert again.method == "saved" and again.status is answer.status
    assert again.lower <= answer.upper and answer.lower <= again.upper
    assert again.value == pytest.approx(answer.value, rel=1e-12)
    assert np.allclose(again.plan.toarray(), answer.plan.toarray(), atol=1e-15)
    assert np.array_equal(again.plan.tocsr().toarray(), again.plan.toarray())
    assert again.problem.cost.name == answer.problem.cost.name
    assert again.verify().bounds.lower <= again.verify().bounds.upper


def test_what_the_file_claims_is_not_believed(tmp_path):
    answer = otdiv.emd(X, Y)
    worse = otdiv.certify(answer.problem, None, (np.zeros(9), None))
    result = otdiv.TransportResult(answer.problem, worse, otdiv.Status.OPTIMAL, "by hand", {})
    result.save(tmp_path / "answer.npz")
    assert otdiv.load(tmp_path / "answer.npz").status is otdiv.Status.STOPPED
    path = tmp_path / "answer.npz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CertificateRefused):
        otdiv.load(path)
    with pytest.raises(InvalidInput, match="existing file"):
        otdiv.load(tmp_path / "none.npz")
