"""The mathematics of docs/duality.html, run by a JavaScript engine, against otdiv's values and its auditor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem, certify, emd
from otdiv.divergences import js, kl
from otdiv.lecture import plane, three_points, two_bars

MODEL = Path(__file__).resolve().parents[2] / "docs" / "duality" / "model.js"
PROBLEMS = 200


@pytest.fixture(scope="module")
def run():
    """Evaluate an expression of Model on arguments, all passed as JSON."""
    engine = pytest.importorskip(
        "py_mini_racer", reason="mini-racer, the JavaScript engine, is not installed"
    ).MiniRacer()
    engine.eval(MODEL.read_text(encoding="utf-8") + "\n0")
    # JSON has no infinity; the page has.
    engine.eval("const plain = (key, value) => (value === Infinity ? 'inf' : value); 0")

    def call(body, **given):
        names, values = ", ".join(given), ", ".join(json.dumps(value) for value in given.values())
        return json.loads(engine.eval(f"JSON.stringify((({names}) => {body})({values}), plain)"))

    return call


def masses(rng, n):
    """Masses that add up to 1, one in four of them zero."""
    drawn = rng.random(n) * (rng.random(n) > 0.25)
    drawn[rng.integers(n)] += 0.5
    return drawn / drawn.sum()


def random_problem(seed):
    """Up to 12 points of a side; on odd seeds whole coordinates, so that distances tie and points coincide."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 13, size=2)
    x, y = rng.uniform(-1, 2, size=(n, 2)), rng.uniform(-1, 2, size=(m, 2))
    if seed % 2:
        x, y = np.round(x), np.round(y)
    p, q = (masses(rng, n), masses(rng, m)) if seed % 3 else (np.full(n, 1 / n), np.full(m, 1 / m))
    return x, y, p, q


def solved(run, x, y, p, q):
    given = {"x": x.tolist(), "y": y.tolist(), "p": p.tolist(), "q": q.tolist()}
    return run("Model.solve(Model.distances(x, y), p, q)", **given)


def test_values_prices_and_certificates_of_random_problems(run):
    coincident = 0
    for seed in range(PROBLEMS):
        x, y, p, q = random_problem(seed)
        coincident += bool((x[:, None] == y[None]).all(axis=2).any())
        answer = solved(run, x, y, p, q)
        assert answer["value"] == pytest.approx(emd(x, y, p, q).value, abs=1e-9), seed
        assert answer["certificate"]["optimal"], (seed, answer["certificate"])
        # otdiv's auditor gets plan and prices, and repairs neither by more than rounding.
        problem = TransportProblem(DiscreteMeasure(x, p), DiscreteMeasure(y, q))
        audited = certify(problem, np.array(answer["plan"]), (np.array(answer["f"]), np.array(answer["g"])))
        assert audited.bounds.upper - audited.bounds.lower <= 1e-9, seed
        assert np.array(answer["f"]) @ p + np.array(answer["g"]) @ q == pytest.approx(answer["value"], abs=1e-9)
    assert coincident >= 50


@pytest.mark.parametrize("example", [three_points(), plane()], ids=lambda example: example.name)
def test_examples_of_the_lecture(run, example):
    x = [[*point, 0.0][:2] for point in example.mu.points.tolist()]
    y = [[*point, 0.0][:2] for point in example.nu.points.tolist()]
    answer = solved(run, np.array(x), np.array(y), example.mu.weights, example.nu.weights)
    assert answer["value"] == pytest.approx(example.known["w1"], abs=1e-12)


def test_every_step_has_a_plan_and_feasible_prices(run):
    body = """{
      const d = Model.distances(x, y);
      let state = Model.startRun(d, p, q);
      const proofs = [];
      while (!state.done) {
        state = Model.step(state);
        proofs.push(Model.certificate(d, p, q, Model.planOf(state), state.f, state.g));
      }
      return proofs;
    }"""
    for seed in range(20):
        x, y, p, q = random_problem(seed)
        proofs = run(body, x=x.tolist(), y=y.tolist(), p=p.tolist(), q=q.tolist())
        assert all(proof["planFeasible"] and proof["pricesFeasible"] for proof in proofs)
        value = emd(x, y, p, q).value
        assert all(proof["lower"] - 1e-9 <= value <= proof["upper"] + 1e-9 for proof in proofs)
        assert proofs[-1]["optimal"]


def test_shifted_and_raised_prices_are_feasible(run):
    rng = np.random.default_rng(5)
    for seed in range(20):
        x, y, p, q = random_problem(seed)
        f, g = rng.normal(size=len(x)).tolist(), rng.normal(size=len(y)).tolist()
        given = {"x": x.tolist(), "y": y.tolist(), "p": p.tolist(), "q": q.tolist(), "f": f, "g": g}
        for body in ("Model.shifted(d, f, g)", "Model.raised(d, f)"):
            text = f"{{ const d = Model.distances(x, y); const made = {body}; return [Model.excess(d, made.f, made.g), "
            excess, income = run(text + "Model.income(p, q, made.f, made.g)]; }", **given)
            assert excess <= 1e-12
            assert income <= emd(x, y, p, q).value + 1e-9


def test_centred_prices_have_the_same_sums_and_stay_in_range(run):
    f, g, p, q = np.array([4.0, 5.0, 6.5]), np.array([-4.5, -3.0]), np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.4])
    made = run("Model.centred(f, g, 3)", f=f.tolist(), g=g.tolist())
    assert np.add.outer(made["f"], made["g"]) == pytest.approx(np.add.outer(f, g), abs=1e-12)
    assert np.array(made["f"]) @ p + np.array(made["g"]) @ q == pytest.approx(f @ p + g @ q, abs=1e-12)
    assert max(map(abs, made["f"] + made["g"])) <= 3
    assert run("Model.centred(f, g, 3)", f=[0.0, 3.0], g=[-1.0]) == {"f": [0.0, 3.0], "g": [-1.0]}


TAMPERED = {
    "a price raised": ("f[0] += 1e-6", "pricesFeasible"),
    "a price lowered where mass moves": ("f[2] -= 1e-6", "complementary"),
    "mass added": ("plan[0][0] += 1e-6", "planFeasible"),
    "mass moved to another column": ("{ plan[2][2] -= 1e-6; plan[2][1] += 1e-6; }", "planFeasible"),
    "negative mass": (
        "{ plan[0][1] -= 1e-6; plan[0][0] += 1e-6; plan[1][0] -= 1e-6; plan[1][1] += 1e-6; }",
        "planFeasible",
    ),
    "another plan with the same marginals": ("{ plan = Model.independentPlan(p, q); }", "complementary"),
    "prices zero": ("{ f = [0, 0, 0]; g = [0, 0, 0]; }", "complementary"),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_a_certificate_fails_on_tampered_answers(run, change):
    statement, failing = TAMPERED[change]
    body = """{
      const p = [0.2, 0.2, 0.6], q = [0.5, 0.3, 0.2], x = [[0, 0], [1, 0], [2, 0]];
      const d = Model.distances(x, x);
      let { plan, f, g } = Model.solve(d, p, q);
      const before = Model.certificate(d, p, q, plan, f, g);
      STATEMENT;
      return [before, Model.certificate(d, p, q, plan, f, g)];
    }""".replace("STATEMENT", statement)
    before, after = run(body)
    assert before["optimal"] and not after["optimal"] and not after[failing]


@pytest.mark.parametrize("theta", [-1.0, -0.5, 0.0, 0.05, 0.25, 1.0])
def test_the_two_bars(run, theta):
    found = run("Model.twoBars(theta)", theta=theta)
    known = two_bars(theta).known
    assert float(found["kl"]) == known["kl"]
    assert found["js"] == pytest.approx(known["js"], abs=1e-12)
    assert found["w1"] == pytest.approx(known["w1"], abs=1e-12)


def test_divergences(run):
    rng = np.random.default_rng(1)
    for _ in range(20):
        p, q = masses(rng, 6), rng.dirichlet(np.ones(6))
        assert run("Model.kl(p, q)", p=p.tolist(), q=q.tolist()) == pytest.approx(
            float(kl(p, q, normalize=True)), abs=1e-9
        )
        assert run("Model.js(p, q)", p=p.tolist(), q=q.tolist()) == pytest.approx(
            float(js(p, q, normalize=True)), abs=1e-9
        )


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, -0.5], [0.0, 0.0], "at least 0"),
        ([0.0, 0.0], [0.0, 0.0], "positive"),
        ([0.5, 0.5], [0.5, 0.6], "same total"),
    ],
)
def test_bad_masses_are_refused(run, p, q, message):
    body = "{ try { Model.solve([[0, 1], [1, 0]], p, q); return ''; } catch (error) { return error.message; } }"
    assert message in run(body, p=p, q=q)
