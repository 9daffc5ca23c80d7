"""What is no array is refused with the call that makes one of it, and that call works."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from otdiv import emd, kl
from otdiv.errors import InvalidInput

PMF = {0: 0.5, 1: 0.5}


@pytest.mark.parametrize(
    ("make", "remedy", "follow"),
    [
        (lambda: sparse.csr_array(np.eye(3)), "Pass its .toarray()", lambda value: value.toarray()),
        (lambda: (float(k) for k in range(3)), "Pass list(...)", list),
        (lambda: map(float, range(3)), "Pass list(...)", list),
        (lambda: {0.0, 1.0}, "Pass list(...)", list),
        (lambda: PMF.values(), "Pass list(...)", list),
        (lambda: PMF, "Pass list(d.values()), and points as list(d)", list),
    ],
)
def test_the_remedy_works_when_followed(make, remedy, follow):
    with pytest.raises(InvalidInput) as caught:
        emd(make(), make())
    assert remedy in str(caught.value) and "points must be an array" in str(caught.value)
    assert emd(follow(make()), follow(make())).value == 0.0


def test_a_dictionary_of_probabilities():
    with pytest.raises(
        InvalidInput, match=r"p must be an array, a list or a data frame; got a dict. Pass list\(d.values"
    ):
        kl(PMF, PMF)
    assert kl(list(PMF.values()), list(PMF.values())) == 0.0


def test_vectors_of_different_kinds_are_to_be_stacked():
    vectors = np.empty(2, dtype=object)
    vectors[:] = [np.zeros(2), np.ones(2)]
    with pytest.raises(InvalidInput, match=r"an object for each point. Stack the vectors"):
        emd(vectors, np.eye(2))
    assert emd(np.stack(vectors), np.eye(2)).value == pytest.approx(1.0)
