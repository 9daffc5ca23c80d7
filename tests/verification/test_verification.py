"""Saved certificates: exact verification, and refusal of everything that was tampered with."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otdiv import Status, emd, verify
from otdiv.cli.main import main
from otdiv.core.bounds import Bounds
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.verification import Proof, load_proof, save_proof
from otdiv.verification.exact import exact_bounds
from otdiv.verification.record import ARRAYS
from tests.helpers.exact_reference import exact_cost, exact_emd
from tests.helpers.problems import KNOWN, random_problem

EXACT_COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete")


def some_result(seed: int = 0, cost: str = "euclidean", n: int = 7, m: int = 6):
    rng = np.random.default_rng(seed)
    a, b = rng.random(n) + 0.1, rng.random(m) + 0.1
    return emd(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), a / a.sum(), b / b.sum(), cost=cost)


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.name)
@pytest.mark.parametrize("level", ["exact", "float"])
def test_known_answers_are_verified(known, level):
    result = emd(known.x, known.y, known.a, known.b, cost=known.cost)
    checked = result.verify(level=level)
    assert checked.level == level and checked.claimed == result.bounds
    assert checked.bounds.lower - 1e-14 <= known.value <= checked.bounds.upper + 1e-14
    assert checked.bounds.gap <= 1e-12 * max(1.0, known.value)


@pytest.mark.parametrize("seed", range(25))
def test_exact_bounds_contain_the_truth(seed):
    """A hundred random problems of every kind: the exact level brackets exact arithmetic's value."""
    rng = np.random.default_rng(seed)
    done = 0
    while done < 4:
        x, y, a, b, cost = random_problem(rng, most=9)
        if cost not in EXACT_COSTS:
            continue
        done += 1
        result = emd(x, y, a, b, cost=cost, method=["auto", "dual-cvxpy"][done % 2])
        truth = exact_emd(result.problem.mu.weights, result.problem.nu.weights, exact_cost(x, y, cost))
        found = exact_bounds(result.proof())
        assert found.lower <= truth <= found.upper
        assert Fraction(result.lower) <= found.lower and found.upper <= Fraction(result.upper)
        assert verify(result, level="float").bounds.contains(float(truth))


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=5),
    st.sampled_from(EXACT_COSTS),
    st.integers(-60, 60),
)
@settings(max_examples=300, deadline=None)
def test_degenerate_instances_verify_exactly(first, second, cost, exponent):
    """Ties, repeats, zero weights, scales from 2**-60 to 2**60: no claim of emd is ever refused."""
    x, y = np.array(first, float), np.array(second, float)
    a, b = x[:, 2] + (x[:, 2].sum() == 0), y[:, 2] + (y[:, 2].sum() == 0)
    scale = 2.0**exponent
    result = emd(x[:, :2] * scale, y[:, :2] * scale, a * b.sum(), b * a.sum(), cost=cost)
    assert result.status is Status.OPTIMAL
    exact = result.verify(level="exact")
    assert result.lower <= exact.bounds.lower <= exact.bounds.upper <= result.upper
    result.verify(level="float")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_ten_thousand_instances_verify_exactly(seed):
    """250 a seed, of every cost and method: the exact interval lies inside the claimed one, and holds the truth."""
    rng = np.random.default_rng(7000 + seed)
    for k in range(250):
        x, y, a, b, cost = random_problem(rng, most=9)
        if cost not in EXACT_COSTS:
            cost = "euclidean"
        result = emd(x, y, a, b, cost=cost, method=("auto", "pot", "auto", "primal", "auto", "dual")[k % 6])
        exact = result.verify(level="exact")
        assert result.lower <= exact.bounds.lower <= exact.bounds.upper <= result.upper
        if k % 10 == 0:
            truth = exact_emd(result.problem.mu.weights, result.problem.nu.weights, exact_cost(x, y, cost))
            found = exact_bounds(result.proof())
            assert found.lower <= truth <= found.upper


@pytest.mark.parametrize("cost", EXACT_COSTS)
def test_file_round_trip(tmp_path, cost):
    result = some_result(cost=cost)
    path = tmp_path / "proof.npz"
    result.save(path)
    before, after = result.proof(), load_proof(path)
    for field in fields(Proof):
        np.testing.assert_array_equal(getattr(before, field.name), getattr(after, field.name))
    assert verify(path).bounds == result.verify().bounds


def test_matrix_costs_are_verified_too(tmp_path):
    rng = np.random.default_rng(3)
    costs = rng.normal(size=(6, 5))  # negative ones among them
    result = emd(cost=costs)
    assert result.verify(level="exact").bounds.gap < 1e-14
    costs[rng.random((6, 5)) < 0.3] = np.inf
    np.fill_diagonal(costs, 1.0)
    costs[5] = 2.0
    forbidden = emd(cost=costs)
    assert "marginal_error" in forbidden.verify(level="exact").about
    forbidden.save(tmp_path / "f.npz")
    verify(tmp_path / "f.npz", level="float")


@pytest.mark.parametrize("level", ["exact", "float"])
@pytest.mark.parametrize("end", ["lower", "upper"])
def test_a_larger_claim_is_refused(level, end):
    proof = some_result().proof()
    step = 1e-9
    low, high = proof.claimed.lower, proof.claimed.upper
    claim = Bounds(low + step, high + 2 * step) if end == "lower" else Bounds(low - 2 * step, high - step)
    with pytest.raises(CertificateRefused, match=f"the {end} bound is not proved"):
        verify(replace(proof, claimed=claim), level=level)


@pytest.mark.parametrize("name", ARRAYS)
def test_one_entry_changed_in_the_file_is_refused(tmp_path, name):
    """Each array of a saved certificate, each in turn with one entry moved by one bit."""
    result = emd(cost=np.abs(np.subtract.outer(np.arange(4.0), np.arange(3.0)))) if name == "costs" else some_result()
    path = tmp_path / "proof.npz"
    result.save(path)
    with np.load(path) as content:
        parts = {key: content[key] for key in content.files}
    changed = parts[name].copy()
    index = (0,) * changed.ndim
    changed[index] = changed[index] ^ 1 if changed.dtype.kind == "i" else np.nextafter(changed[index], np.inf)
    np.savez(path, **{**parts, name: changed})
    with pytest.raises(CertificateRefused, match="changed after it was written"):
        verify(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("f", 1e-6),
        ("g", 1e-6),
        ("f", -1e-6),
        ("g", -1e-6),
        ("mass", 1e-6),
        ("mass", -1e-6),
        ("x", 1e-3),
        ("y", 1e-3),
        ("a", 1e-3),
        ("b", 1e-3),
    ],
)
@pytest.mark.parametrize("level", ["exact", "float"])
def test_tampering_with_a_fitting_digest_is_refused_by_the_mathematics(tmp_path, name, change, level):
    """A forged number is refused though its digest is recomputed."""
    proof = some_result(5).proof()
    changed = getattr(proof, name).copy()
    changed.reshape(-1)[0] += change
    path = tmp_path / "forged.npz"
    save_proof(path, replace(proof, **{name: changed}))
    with pytest.raises(CertificateRefused, match="bound is not proved"):
        verify(path, level=level)


@pytest.mark.parametrize("name", ["rows", "columns"])
def test_rerouted_plan_is_refused(name):
    proof = some_result(6).proof()
    index = getattr(proof, name).copy()
    index[0] = (index[0] + 1) % (proof.n if name == "rows" else proof.m)
    with pytest.raises(CertificateRefused, match="upper bound is not proved"):
        verify(replace(proof, **{name: index}), level="exact")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: {"f": p.f[:-1].copy()}, "f must be float64 of shape"),
        (lambda p: {"f": p.f.astype(np.float32)}, "f must be float64"),
        (lambda p: {"f": p.g.copy(), "g": p.f.copy()}, "f must be float64 of shape"),
        (lambda p: {"mass": -p.mass}, "mass must be non-negative"),
        (lambda p: {"g": np.full_like(p.g, np.nan)}, "g must be finite"),
        (lambda p: {"rows": p.rows + 100}, "rows must lie between 0"),
        (lambda p: {"columns": p.columns - 1}, "columns must lie between 0"),
        (lambda p: {"a": np.zeros_like(p.a)}, "positive mass"),
        (lambda p: {"cost": "minkowski:3"}, "the cost must be one of"),
        (lambda p: {"x": p.x[:, :1].copy()}, "y must be float64 of shape"),
    ],
)
def test_arrays_that_make_no_proof_are_refused(change, message):
    proof = some_result().proof()
    with pytest.raises(CertificateRefused, match=message):
        replace(proof, **change(proof))


def test_files_that_are_no_certificates_are_refused(tmp_path):
    path = tmp_path / "proof.npz"
    with pytest.raises(InvalidInput, match="existing file"):
        verify(path)
    path.write_bytes(b"no archive at all")
    with pytest.raises(CertificateRefused, match="no archive, or a damaged one"):
        verify(path)
    np.savez(path, points=np.zeros(3))
    with pytest.raises(CertificateRefused, match="exactly the parts"):
        verify(path)
    some_result().save(path)
    with np.load(path) as content:
        parts = {name: content[name] for name in content.files}
    np.savez(path, **{**parts, "header": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(CertificateRefused, match="pickled Python objects"):
        verify(path)
    result = some_result()
    result.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CertificateRefused):
        verify(path)
    for position in range(60, len(whole), 97):  # one bit of the archive at a time
        broken = bytearray(whole)
        broken[position] ^= 1
        path.write_bytes(broken)
        try:
            checked = verify(path)
        except CertificateRefused:
            continue
        assert checked.claimed == result.bounds  # bits of the archive's own bookkeeping carry no content
    with pytest.raises(InvalidInput, match=r"end in \.npz"):
        result.save(tmp_path / "proof.json")
    with pytest.raises(CertificateRefused, match="cost must be one of"):
        some_result(cost="minkowski:3").save(path)


@pytest.mark.parametrize(
    ("key", "value", "message"), [("version", 2, "version"), ("lower", "0x1p+9", "interval that is none")]
)
def test_other_headers_are_refused(tmp_path, key, value, message):
    import json

    from otdiv.verification import file as room

    path = tmp_path / "proof.npz"
    some_result().save(path)
    with np.load(path) as content:
        parts = {name: content[name] for name in content.files}
    text = json.dumps({**json.loads(str(parts["header"])), key: value}, sort_keys=True)
    digest = room._digest(text, {name: parts[name] for name in ARRAYS})
    np.savez(path, **{**parts, "header": np.array(text), "digest": np.array(digest)})
    with pytest.raises(CertificateRefused, match=message):
        verify(path)


def test_violated_potentials_are_paid_for_exactly():
    """f raised by 1 on one source: the exact level still proves a true, weaker bound."""
    result = some_result(8)
    truth = result.value
    f = result.f.copy()
    f[0] += 1.0
    proof = replace(result.proof(), f=f, claimed=Bounds(0.0, np.inf))
    found = exact_bounds(proof)
    assert found.violated > 0 and float(found.lower) < truth
    assert exact_bounds(proof, prefilter=True).lower == found.lower


@pytest.mark.parametrize("level", ["exact", "float"])
@pytest.mark.parametrize(
    ("costs", "f", "truth"), [([[-2, 1], [1, -2]], [-1, -1], -2.0), ([[-2, -2], [1, 1]], [-3, 5], -0.5)]
)
def test_potentials_are_not_scaled_where_costs_are_negative(costs, f, truth, level):
    """Scaled towards 0 they would break f + g <= c < 0, and prove a bound above the truth."""
    proof = replace(emd(cost=costs).proof(), f=np.array(f, float), g=np.zeros(2))
    with pytest.raises(CertificateRefused, match="lower bound is not proved"):
        verify(replace(proof, claimed=Bounds(truth + 0.4, truth + 9.0)), level=level)
    shifted = verify(replace(proof, claimed=Bounds(-9.0, proof.claimed.upper)), level=level)
    assert shifted.bounds.lower <= truth <= shifted.bounds.upper


@pytest.mark.parametrize("level", ["exact", "float"])
def test_a_plan_on_a_forbidden_arc_is_refused(level):
    proof = emd(cost=[[1.0, np.inf], [2.0, 1.0]]).proof()
    across = replace(proof, rows=np.array([0, 1]), columns=np.array([1, 0]), claimed=Bounds(50.0, 50.0))
    with pytest.raises(CertificateRefused, match=r"forbidden arc|bound is not proved"):
        verify(across, level=level)


def test_levels_agree_and_auto_says_how_long_exact_takes():
    rng = np.random.default_rng(9)
    result = emd(rng.normal(size=(200, 3)), rng.normal(size=(200, 3)))
    exact, quick, auto = (result.verify(level=level) for level in ("exact", "float", "auto"))
    assert abs(exact.bounds.lower - quick.bounds.lower) < 1e-13 and abs(exact.bounds.upper - quick.bounds.upper) < 1e-12
    assert auto.level == "exact" and 0 < quick.exact_seconds < 60
    with pytest.raises(InvalidInput, match="level must be one of"):
        result.verify(level="certain")
    with pytest.raises(InvalidInput, match="proof must be"):
        verify(3)


def test_command_saves_and_verifies(tmp_path, capsys):
    import json

    rng = np.random.default_rng(10)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(20, 2)))
    saved = str(tmp_path / "cert.npz")
    with pytest.raises(SystemExit) as code:
        main(["emd", str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), "--save", saved])
    assert code.value.code == 0
    for level in ("auto", "exact", "float"):
        with pytest.raises(SystemExit) as code:
            main(["verify", saved, "--level", level])
        assert code.value.code == 0
        assert "proved     [" in capsys.readouterr().out
    with pytest.raises(SystemExit) as code:
        main(["verify", saved, "--json"])
    assert code.value.code == 0 and json.loads(capsys.readouterr().out)["level"] == "exact"
    with np.load(saved) as content:
        parts = {key: content[key] for key in content.files}
    np.savez(saved, **{**parts, "f": parts["f"] + 1})
    with pytest.raises(SystemExit) as code:
        main(["verify", saved])
    caught = capsys.readouterr()
    assert code.value.code == 2 and "changed after it was written" in caught.err and caught.out == ""
