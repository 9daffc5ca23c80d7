"""Forged certificates whose digest fits: nothing false is confirmed, at no level, by neither checker."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from fractions import Fraction
from math import inf

import numpy as np
import pytest

from otdiv import emd, verify
from otdiv.cli.main import main
from otdiv.core.bounds import Bounds, Status
from otdiv.errors import CertificateRefused
from otdiv.verification import Proof, load_proof, save_proof
from otdiv.verification.exact import exact_bounds
from otdiv.verification.file import _digest
from otdiv.verification.fractions_only import proved
from otdiv.verification.record import ARRAYS, NEARBY_WEIGHTS
from tests.helpers.exact_reference import exact_cost, exact_emd

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "matrix", "arcs")
EXTREME = (0.0, 1.0, -1.0, 1e-300, 5e-324, 1e13, 1e150, 1e155, 1e300, 1.7e308, -1e300, 2.0**50, 1 + 2.0**-52)


def honest(rng: np.random.Generator, cost: str) -> Proof:
    n, m = rng.integers(1, 5, 2)
    a, b = rng.integers(1, 5, n).astype(float), rng.integers(1, 5, m).astype(float)
    a, b = a * b.sum(), b * a.sum()
    if cost in ("matrix", "arcs"):
        table = rng.integers(-1, 6, (n, m)).astype(float)
        table[rng.random((n, m)) < 0.2] = 1e9  # sentinels
        return emd(cost=table, a=a, b=b).proof()
    x, y = (rng.normal(size=(k, 2)) * 10.0 ** rng.integers(-3, 4) for k in (n, m))
    return emd(x, y, a, b, cost=cost).proof()


def forged(rng: np.random.Generator, proof: Proof) -> Proof:
    """One to three arrays changed somewhere, by a little or to an extreme; and another claim."""
    changes: dict = {}
    for name in rng.choice(["x", "y", "costs", "a", "b", "mass", "f", "g", "f+g"], rng.integers(1, 4)):
        if name == "f+g":  # the same constant added here and taken there
            t = float(rng.choice(EXTREME))
            changes["f"], changes["g"] = proof.f + t, proof.g - t
            continue
        array = changes.get(name, getattr(proof, name)).copy()
        if not array.size:
            continue
        k = rng.integers(array.size)
        flat = array.reshape(-1)
        flat[k] = (
            rng.choice(EXTREME) if rng.random() < 0.5 else flat[k] * (1 + rng.normal() * 10.0 ** -rng.integers(16))
        )
        changes[name] = np.abs(array) if name in ("a", "b", "mass") else array
    low, high = proof.claimed.lower, proof.claimed.upper
    width = max(abs(low), abs(high), 1e-300) * 10.0 ** -rng.integers(0, 17)
    ends = sorted((low + width * rng.choice([-1, 0, 1]), high + width * rng.choice([-1, 0, 1])))
    return replace(proof, **changes, claimed=Bounds(float(ends[0]), float(rng.choice([ends[1], inf], p=[0.9, 0.1]))))


def truth_of(proof: Proof) -> Fraction | None:
    """The optimum in exact arithmetic, by a solver of its own; of the plan's marginals where it is about those."""
    costs = proof.costs if proof.cost == "matrix" else exact_cost(proof.x, proof.y, proof.cost)
    a, b = ([Fraction(float(w)) for w in weights] for weights in (proof.a, proof.b))
    if proof.nearby:
        rows, columns = [Fraction(0)] * proof.n, [Fraction(0)] * proof.m
        for i, j, mass in zip(proof.rows, proof.columns, proof.mass, strict=True):
            rows[i] += Fraction(float(mass))
            columns[j] += Fraction(float(mass))
        off = sum(abs(r - w) for r, w in zip(rows, a, strict=True))
        off += sum(abs(c - w * sum(a) / sum(b)) for c, w in zip(columns, b, strict=True))
        if off * 10**9 <= sum(a):
            a, b = rows, columns
    return exact_emd(a, b, costs)


def confirms(act) -> bool:
    try:
        act()
    except (CertificateRefused, ValueError):
        return False
    return True


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 12))])
def test_random_forgeries_are_never_confirmed_falsely_and_all_checkers_agree(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path, passed = str(tmp_path / "forged.npz"), 0
    for k in range(25):
        try:
            with np.errstate(all="ignore"):
                proof = forged(rng, honest(rng, COSTS[k % 6]))
        except CertificateRefused:  # the record refuses it already
            continue
        save_proof(path, proof)
        answers = [
            confirms(lambda: verify(path, level="exact")),
            confirms(lambda: verify(path, level="float")),
            confirms(lambda: proved(path)),
        ]
        assert len(set(answers)) == 1, (proof.cost, answers)
        if answers[0]:
            passed += 1
            truth = truth_of(proof)
            slack = Fraction(1, 2**90) if proof.cost == "euclidean" else 0  # the reference cuts roots at 120 digits
            assert Fraction(proof.claimed.lower) <= truth + slack * max(1, truth)
            assert proof.claimed.upper == inf or truth - slack * max(1, truth) <= Fraction(proof.claimed.upper)
    assert passed  # some changes leave the claim true: it is then confirmed


@pytest.mark.parametrize("seed", range(10))
def test_honest_certificates_are_confirmed_by_all_checkers(tmp_path, seed):
    rng = np.random.default_rng(100 + seed)
    for cost in COSTS[:6]:
        proof = honest(rng, cost)
        save_proof(tmp_path / "c.npz", proof)
        low, top = proved(str(tmp_path / "c.npz"))
        for level in ("exact", "float"):
            bounds = verify(tmp_path / "c.npz", level=level).bounds
            assert (
                proof.claimed.lower <= bounds.lower <= float(low) and float(top) <= bounds.upper <= proof.claimed.upper
            )


@pytest.mark.parametrize("seed", range(20))
def test_the_float_filter_changes_no_bound(seed):
    """Potentials raised at random, so that many pairs are violated or close: both levels prove the same."""
    rng = np.random.default_rng(200 + seed)
    proof = honest(rng, COSTS[seed % 6])
    noise = rng.normal(size=proof.n) * 10.0 ** -float(rng.integers(0, 17))
    proof = replace(proof, f=proof.f * (1 + noise), claimed=Bounds(-1e300, inf))
    assert exact_bounds(proof) == exact_bounds(proof, prefilter=True)


def points(x: float, y: float, f: float, g: float, lower: float, upper: float) -> Proof:
    one, at = np.ones(1), np.zeros(1, np.int64)
    return Proof(
        "euclidean", np.array([[x]], float), np.array([[y]], float), np.empty((0, 0)), one, one, at, at, one,
        np.array([f], float), np.array([g], float), Bounds(lower, upper),
    )  # fmt: skip


@pytest.mark.parametrize("level", ["exact", "float"])
@pytest.mark.parametrize(
    "proof",
    [
        points(0, 1, 1 + 1e13, -1e13, 1.01, 1.02),
        points(0, 1, 1 + 1e15, -1e15, 2.0, 3.0),
        points(0, 1, 1e300, -1e300, 1e284, 1e285),
        points(0, 1e-170, 0, 0, 0, 1e-200),  # its square underflows
        points(0, 2.0**-537 * 0.75, 2.0**-537, 0, 2.0**-537, 1),  # its square is rounded up
        points(-1e200, 1e200, 0, 0, 0, 1e199),  # its square overflows
        points(0, 1, 1, 0, 1 + 2.0**-52, 2),
        points(0, 1, 1, 0, 0, 1 - 2.0**-53),
    ],
)
def test_claims_beside_the_proof_are_refused(proof, level):
    """Offsets that eat the digits, over- and underflow, one last bit: a claim counts only inside what is proved."""
    with pytest.raises(CertificateRefused, match="bound is not proved"):
        verify(proof, level=level)


def test_many_violated_pairs_end_early():
    """16 million violated pairs: refused after the first row, not after minutes of fractions."""
    n = 4000
    x, w, k = np.random.default_rng(0).random((n, 2)), np.ones(n), np.arange(n)
    proof = Proof("euclidean", x, x + 5, np.empty((0, 0)), w, w, k, k, w, w * 9, w * 9, Bounds(5e4, 6e4))
    with pytest.raises(CertificateRefused, match="at most"):
        verify(proof, level="float")


def with_header(path, **changes) -> None:
    with np.load(path) as content:
        parts = {name: content[name] for name in content.files}
    text = json.dumps({**json.loads(str(parts["header"])), **changes}, sort_keys=True)
    digest = _digest(text, {name: parts[name] for name in ARRAYS})
    np.savez(path, **{**parts, "header": np.array(text), "digest": np.array(digest)})


@pytest.mark.parametrize(
    "about", ["the weights ", "the weights\u200b", "\x1b[31mcertified", NEARBY_WEIGHTS, "", 3, None]
)
def test_what_it_is_about_is_not_free_text(tmp_path, about):
    """t = 4e-10 of the mass is missing at a distance of 1e15: [0, 0] is false, whatever the word says."""
    t, path = 4e-10, tmp_path / "c.npz"
    w, at, none = np.array([1 - t, t]), np.zeros(1, np.int64), np.zeros(2)
    x, y = np.zeros((2, 1)), np.array([[0.0], [1e15]])
    save_proof(path, Proof("euclidean", x, y, np.empty((0, 0)), w, w, at, at, w[:1], none, none, Bounds(0.0, 0.0)))
    with pytest.raises(CertificateRefused, match="upper bound is not proved"):
        verify(path)
    with_header(path, about=about)
    with pytest.raises(CertificateRefused) as caught:
        verify(path)
    assert str(caught.value).isprintable() and not confirms(lambda: proved(str(path)))


@pytest.mark.parametrize("level", ["exact", "float"])
@pytest.mark.parametrize("about", ["the weights", NEARBY_WEIGHTS])
def test_a_source_without_a_way_out_is_not_confirmed(level, about):
    costs, half, at = np.array([[1.0, 1.0], [inf, inf]]), np.array([0.5, 0.5]), np.zeros(1, np.int64)
    empty, none = np.empty((2, 0)), np.zeros(2)
    proof = Proof("matrix", empty, empty, costs, half, half, at, at, half[:1], none, none, Bounds(0.0, 2.0), about)
    with pytest.raises(CertificateRefused, match="marginal"):
        verify(proof, level=level)


def test_weights_nearby_are_named_with_how_near(tmp_path, capsys):
    """0.1 + 0.2 is not 0.3: with sentinels the interval is about other weights, and every voice says so."""
    result = emd(cost=[[1.0, 1e20], [1e20, 1.0]], a=[0.1 + 0.2, 0.7], b=[0.3, 0.7])
    assert result.status is Status.OPTIMAL_NEARBY and result.to_dict()["status"] == "optimal_nearby"
    assert emd(cost=[[1.0, 1e20], [1e20, 1.0]]).status is Status.OPTIMAL  # halves: the plan's marginals are those given
    assert "within" in result.message and result.to_dict()["about"] == NEARBY_WEIGHTS
    result.save(tmp_path / "c.npz")
    checked = verify(tmp_path / "c.npz")
    assert 0 < checked.marginal_error <= result.certificate.marginal_error < 1e-14
    with pytest.raises(SystemExit):
        main(["verify", str(tmp_path / "c.npz")])
    assert "weights within marginal_error = " in capsys.readouterr().out
    np.save(tmp_path / "c.npy", [[1.0, inf], [inf, 1.0]])
    np.savez(tmp_path / "a.npz", points=np.arange(2.0), weights=[0.1 + 0.2, 0.7])
    np.savez(tmp_path / "b.npz", points=np.arange(2.0), weights=[0.3, 0.7])
    with pytest.raises(SystemExit):
        main(["emd", *(str(tmp_path / name) for name in ("a.npz", "b.npz")), "--cost", str(tmp_path / "c.npy")])
    assert "of those given: with forbidden" in capsys.readouterr().out


@pytest.mark.slow
def test_potentials_that_violate_everywhere_cost_no_minutes():
    """250 000 violated pairs and a claim of 0: what is left to prove is that no cost is negative."""
    n = 500
    x, w, k = np.random.default_rng(0).random((n, 2)), np.ones(n), np.zeros(0, np.int64)
    proof = Proof("euclidean", x, x + 1, np.empty((0, 0)), w, w, k, k, w[:0], w * 1e6, w * 0, Bounds(0.0, inf))
    assert exact_bounds(proof, prefilter=True).lower == 0
    with pytest.raises(CertificateRefused, match="pairs violate"):
        verify(replace(proof, claimed=Bounds(1e-9, inf)), level="float")


def test_the_certificate_is_compared_with_the_files_asked_about(tmp_path, capsys):
    rng = np.random.default_rng(3)
    names = [str(tmp_path / f"{k}.npy") for k in "abc"]
    for name in names:
        np.save(name, rng.normal(size=(6, 2)))
    cert = str(tmp_path / "cert.npz")

    def run(*args: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as code:
            main([*args])
        caught = capsys.readouterr()
        return code.value.code, caught.out + caught.err

    run("emd", *names[:2], "--save", cert)
    code, said = run("verify", cert, *names[:2])
    assert code == 0 and f"those of {names[0]} and {names[1]}" in said and verify(cert).digest in said
    assert run("verify", cert, names[0], names[2])[0] == 2
    assert "the targets of the certificate are not those asked about" in run("verify", cert, names[0], names[2])[1]
    assert "the ground cost" in run("verify", cert, *names[:2], "--cost", "cityblock")[1]
    assert run("verify", cert, names[0])[0] == 2
    assert "as stored in the certificate" in run("verify", cert)[1]


def rewritten(path, edit) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in edit(members):
            archive.writestr(name, content)


def lying(members):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }"
    bad = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + head.ljust(117) + b"\n" + bytes(64)
    return [(name, bad if name == "f.npy" else content) for name, content in members]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda members: [*members, members[2]], "one of its parts twice"),
        (lambda members: [*members, ("evil.txt", b"x")], "exactly the parts"),
        (lambda members: [*members, ("x", b"x")], "exactly the parts"),
        (lambda members: members[1:], "exactly the parts"),
        (lying, "a shape that does not fit its bytes"),
        (lambda members: [(n, b"raw" if n == "a.npy" else c) for n, c in members], "a header that numpy did not write"),
    ],
)
def test_archives_that_are_not_what_was_written_are_refused(tmp_path, edit, message):
    path = tmp_path / "c.npz"
    emd([0.0, 1.0], [2.0, 3.0]).save(path)
    rewritten(path, edit)
    with pytest.raises(CertificateRefused, match=message):
        load_proof(path)


@pytest.mark.slow
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "c.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("header", "digest", *ARRAYS):
            archive.writestr(f"{name}.npy", bytes(2**25))
    assert path.stat().st_size < 2**20
    with pytest.raises(CertificateRefused, match="claim to unpack to"):
        load_proof(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"lower": "nan"}, {"lower": "-inf"}, {"lower": "inf", "upper": "inf"}, {"upper": "0x1p99999"}, {"lower": 1},
        {"version": True}, {"version": 10**4000}, {"cost": {"a": 1}}, {"extra": 1}, {"cost": "\x1b[2J"},
    ],
)  # fmt: skip
def test_headers_that_are_none_end_in_one_printable_sentence(tmp_path, changes):
    path = tmp_path / "c.npz"
    emd([0.0, 1.0], [2.0, 3.0]).save(path)
    with_header(path, **changes)
    with pytest.raises(CertificateRefused) as caught:
        verify(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300
    assert not confirms(lambda: proved(str(path)))


def test_a_save_that_fails_leaves_the_older_file_and_the_printed_answer(tmp_path, capsys, monkeypatch):
    path = tmp_path / "c.npz"
    emd([0.0, 1.0], [2.0, 3.0]).save(path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    np.save(tmp_path / "a.npy", np.arange(3.0))
    monkeypatch.setattr("otdiv.verification.file.np.savez_compressed", full)
    with pytest.raises(SystemExit) as code:
        main(["emd", str(tmp_path / "a.npy"), str(tmp_path / "a.npy"), "--save", str(path)])
    caught = capsys.readouterr()
    assert code.value.code == 1 and "EMD" in caught.out and "No space left" in caught.err
    assert path.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == ["a.npy", "c.npz"]
    with pytest.raises(SystemExit) as code:
        main(["emd", str(tmp_path / "a.npy"), str(tmp_path / "a.npy"), "--save", str(tmp_path / "none" / "c.npz")])
    assert code.value.code == 2 and capsys.readouterr().out == ""
