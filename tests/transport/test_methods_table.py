"""The one list of methods: what is said of it elsewhere comes from it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import otdiv
from otdiv import DiscreteMeasure, Status, TransportProblem
from otdiv.core.options import SolverOptions, Tuning
from otdiv.core.results import Result
from otdiv.errors import InvalidInput
from otdiv.transport.methods.table import METHODS, TABLE, find_method, table_as_markdown
from otdiv.transport.solve import solve_with

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_has_the_table_of_the_code():
    assert table_as_markdown() in (ROOT / "README.md").read_text(encoding="utf-8"), table_as_markdown()


def test_every_method_is_named_where_users_look_for_it():
    for text in (otdiv.solve.__doc__, (ROOT / "docs" / "choose.md").read_text(encoding="utf-8")):
        assert [name for name in METHODS if not re.search(rf"\b{name}\b", text)] == []


def test_names_are_found_and_others_refused():
    assert METHODS[0] == "auto" and len(set(METHODS)) == len(TABLE) + 1
    assert all(find_method(method.name) is method for method in TABLE)
    with pytest.raises(InvalidInput, match="method must be one of line, grid"):
        find_method("sinkhorn")


@pytest.mark.parametrize("method", TABLE, ids=lambda method: method.name)
def test_a_method_solves_what_it_accepts_and_refuses_the_rest(method):
    """One problem that every method but grid accepts or refuses in words; each answer is a Result."""
    problem = TransportProblem(DiscreteMeasure([0.0, 1.0, 3.0]), DiscreteMeasure([0.5, 2.0, 2.5]), "euclidean")
    if method.accepts(problem) is None:
        answer = solve_with(problem, method.name, SolverOptions())
        assert isinstance(answer, Result) and answer.value == pytest.approx(2 / 3)
        assert answer.nit >= 0 and answer.seconds > 0 and answer.message.startswith(answer.status.message)
        assert answer.potentials == (answer.f, answer.g) and answer.gap == answer.upper - answer.lower
    else:
        needs, remedy = method.accepts(problem)
        with pytest.raises(InvalidInput, match="method must fit the problem"):
            solve_with(problem, method.name, SolverOptions())
        assert needs[0].isupper() and "auto" in remedy


def test_options_are_one_frozen_record_and_checked():
    options = SolverOptions(rtol=1e-3, tuning=Tuning(coarsest_pairs=256))
    assert replace(options, rtol=1e-6).tuning.coarsest_pairs == 256
    with pytest.raises(AttributeError):
        options.rtol = 1.0
    for wrong in (dict(rtol=-1.0), dict(rtol=float("nan")), dict(time_limit=-1.0), dict(max_iter=0), dict(threads=0)):
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            SolverOptions(**wrong)


def test_wasserstein_and_images_take_the_options_of_emd():
    import inspect

    options = ["rtol", "atol", "max_iter", "time_limit", "memory_limit", "progress", "device", "threads"]
    for function in (otdiv.emd, otdiv.solve, otdiv.wasserstein, otdiv.emd_images, otdiv.compare_all):
        assert [name for name in inspect.signature(function).parameters if name in options] == options, function
    distance = otdiv.wasserstein([[0.0, 0.0]], [[3.0, 4.0]], p=2, time_limit=10.0, threads=1)
    assert isinstance(distance, Result) and distance.status is Status.OPTIMAL and distance.gap < 1e-12
    assert distance.plan is distance.transport.plan and len(distance.potentials) == 2
