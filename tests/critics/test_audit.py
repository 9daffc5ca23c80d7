"""The audit: bad critics get the right verdict, or an error that says why."""

from __future__ import annotations

import importlib.util
import json
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch

from otdiv import DiscreteMeasure, emd
from otdiv.cli.main import main
from otdiv.critics.auditing.audit import audit
from otdiv.critics.auditing.verdict import Evidence, judge
from otdiv.critics.reading.adapters import read_critic
from otdiv.datasets.known_distances import funnels, identical, radial, shift
from otdiv.errors import InvalidInput


def network(*sizes: int, seed: int = 0):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


@pytest.fixture(scope="module")
def radial_sample():
    return radial(3), radial(3).sample(200, np.random.default_rng(0))


def test_true_potential_agrees(radial_sample):
    pair, sample = radial_sample
    report = audit(pair.potential, sample.x, sample.y)
    assert report.verdict.word == "agrees"
    assert report.value == pytest.approx(sample.w1) == report.exact
    assert report.proved.lower <= sample.w1 + 1e-12 and report.proved.gap < 1e-9
    assert report.ray_cosine == pytest.approx(1, abs=1e-6) and report.ray_slope == pytest.approx(1, abs=1e-6)
    assert report.match == pytest.approx(1.0) and report.violated == 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_sign_never_matters(radial_sample, sign):
    pair, sample = radial_sample
    report = audit(lambda z: sign * pair.potential(z), sample.x, sample.y)
    assert report.value > 0 and report.flipped is (sign < 0) and report.verdict.word == "agrees"


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_wrong_scale(radial_sample, factor):
    pair, sample = radial_sample
    report = audit(lambda z: factor * pair.potential(z), sample.x, sample.y)
    assert report.verdict.word == ("not 1-Lipschitz" if factor > 1 else "underfit")
    assert f"{sample.w1:.5g}" in report.verdict.reason + report.verdict.remedy  # dividing repairs it
    assert report.secant == pytest.approx(factor, rel=1e-6)
    assert report.scaled <= report.exact * (1 + 1e-9)
    assert report.proved.lower <= report.exact * (1 + 1e-9)


def test_untrained_network_is_underfit_and_its_bounds_hold(radial_sample):
    _, sample = radial_sample
    for seed in range(5):
        report = audit(network(3, 16, 16, 1, seed=seed), sample.x, sample.y)
        assert report.verdict.word in ("underfit", "not 1-Lipschitz")
        assert report.value < 0.95 * report.exact
        assert report.proved.lower <= report.exact * (1 + 1e-9) <= report.proved.upper * (1 + 2e-9)
        assert report.secant <= report.constant * (1 + 1e-5) and report.gradient_max <= report.constant * (1 + 1e-5)


def test_an_overfitted_critic_shows_on_other_points():
    pair = identical(8)
    rng = np.random.default_rng(1)
    sample, other = pair.sample(80, rng), pair.sample(400, rng)
    f, _ = emd(sample.x, sample.y).potential_functions()  # the exact critic of these points
    report = audit(f, sample.x, sample.y, held_out=(other.x, other.y))
    assert report.verdict.word == "overfit" and report.held_out < 0.5 * report.value
    assert audit(f, sample.x, sample.y).verdict.word == "agrees"  # on these points it is exact


def test_population_in_high_dimension_has_a_biased_reference():
    pair = shift(32, 1.0)
    sample = pair.independent(200, np.random.default_rng(2))
    report = audit(pair.potential, sample.x, sample.y, estimand="population")
    assert report.verdict.word == "reference is biased"
    assert report.exact > 2 * pair.w1 and report.value == pytest.approx(1.0, abs=0.5)
    assert audit(pair.potential, sample.x, sample.y).verdict.word == "underfit"  # of the points themselves it is


def test_penalty_bias_is_removed():
    pair = radial(2)
    sample = pair.sample(200, np.random.default_rng(3))
    weight = 10.0
    slope = 1 + sample.w1 / (2 * weight)
    report = audit(lambda z: slope * pair.potential(z), sample.x, sample.y, penalty=weight)
    assert report.debiased["de-biased value"] == pytest.approx(sample.w1, rel=1e-9)
    assert report.debiased["V / mean |grad f| on the rays"] == pytest.approx(sample.w1, rel=1e-5)
    assert report.verdict.word == "not a distance" and "de-biased" in report.verdict.remedy
    assert not report.verdict.accepted and f"De-biased it is {sample.w1:.5g}" in report.verdict.reason


def test_differences_within_single_precision_are_no_slope():
    """Two points at 1e-9 of each other whose values differ by the rounding of float32, and by more than that."""
    x, y = np.array([[0.0], [1e-9]]), np.array([[1.0], [2.0]])
    for step, steepest in ((1e-7, 1.0), (1e-4, 1e5)):
        report = audit((np.array([2.0, 2.0 + step]), np.array([1.0, 0.0])), x, y)
        assert report.secant == pytest.approx(steepest, rel=1e-3)


def test_the_standard_error_is_that_of_an_estimate():
    from otdiv.critics.interval import mean_difference

    rng = np.random.default_rng(8)
    x, y, a = rng.normal(size=(50, 2)), rng.normal(size=(40, 2)) + 1, rng.dirichlet(np.ones(50))

    def f(z):
        return -z[:, 0]

    report = audit(f, x, y, a)
    value, error = mean_difference(f, DiscreteMeasure(x, a), DiscreteMeasure(y))
    assert (report.value, report.standard_error) == (value, error)
    plain = audit(f, x, y).standard_error
    assert plain == pytest.approx(np.sqrt(x[:, 0].var() / 50 + y[:, 0].var() / 40)) and error > plain


def test_kinks_and_weights_and_arrays():
    pair = funnels(2)
    sample = pair.sample(100, np.random.default_rng(4))
    fx, fy = pair.potential(sample.x), pair.potential(sample.y)
    by_values, by_function = audit((fx, fy), sample.x, sample.y), audit(pair.potential, sample.x, sample.y)
    assert by_values.value == by_function.value and by_values.gradient_max is None
    rng = np.random.default_rng(5)
    a, b = rng.dirichlet(np.ones(100)), rng.dirichlet(np.ones(100))
    weighted = audit(pair.potential, sample.x, sample.y, a, b)
    assert weighted.exact == pytest.approx(emd(sample.x, sample.y, a, b).value)


def test_report_prints_and_serialises(radial_sample):
    pair, sample = radial_sample
    report = audit(pair.potential, sample.x, sample.y)
    record = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert {"value", "exact", "lower", "upper", "verdict", "reason", "next", "secant"} <= set(record)
    assert "Verdict: agrees" in repr(report) and "<table>" in report._repr_html_()


@pytest.mark.slow
def test_files_torchscript_and_exported_program(tmp_path, radial_sample):
    _, sample = radial_sample
    module = network(3, 8, 1)
    expected = audit(module, sample.x, sample.y).value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the end of TorchScript; users still have such files
        torch.jit.script(module).save(str(tmp_path / "script.pt"))
        program = torch.export.export(module, (torch.zeros(4, 3),), dynamic_shapes=({0: torch.export.Dim("n")},))
        torch.export.save(program, tmp_path / "program.pt2")
    for name in ("script.pt", "program.pt2"):
        assert audit(tmp_path / name, sample.x, sample.y, trust=True).value == pytest.approx(expected, rel=1e-6)


def test_files_that_would_run_code_are_refused(tmp_path):
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return (open, (str(trap), "w"))

    torch.save(Trap(), tmp_path / "pickled.pt")
    torch.save(network(2, 1).state_dict(), tmp_path / "weights.pt")
    for name in ("pickled.pt", "weights.pt"):
        with pytest.raises(InvalidInput, match="never loaded"):
            read_critic(tmp_path / name, 2)
    assert not trap.exists()
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(InvalidInput, match="never loaded"):
        read_critic(tmp_path / "text.pt", 2)
    with pytest.raises(InvalidInput, match="existing file"):
        read_critic(tmp_path / "missing.pt", 2)


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["expression", "pickle", "inputs"])
def test_exported_programs_that_would_run_code_are_refused(tmp_path, attack):
    """Three ways in which loading such a file could run its author's code; each is stopped before torch sees it."""
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return (open, (str(trap), "w"))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            network(2, 4, 1), (torch.zeros(4, 2),), dynamic_shapes=({0: torch.export.Dim("n")},)
        )
        torch.export.save(program, tmp_path / "good.pt2")
    torch.save(Trap(), tmp_path / "trap.pt")
    read_critic(tmp_path / "good.pt2", 2, trust=True)
    with zipfile.ZipFile(tmp_path / "good.pt2") as old, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if attack == "expression" and name.endswith("models/model.json"):
                evil = f"__import__('pathlib').Path({str(trap)!r}).touch()"
                content = content.replace(b"Symbol('s", f"{evil} or Symbol('s".replace('"', "'").encode(), 1)
            if attack == "pickle" and name.endswith("model_weights_config.json"):
                content = content.replace(b'"use_pickle": false', b'"use_pickle": true', 1)
            if attack == "inputs" and "sample_inputs" in name:
                content = (tmp_path / "trap.pt").read_bytes()
            new.writestr(name, content)
    with pytest.raises(InvalidInput, match=r"load without running code|must be readable"):
        read_critic(tmp_path / "bad.pt2", 2, trust=True)
    assert not trap.exists()


def scripted_writer(folder, marker):
    """A TorchScript file that writes another file when it is used."""
    source = folder / "writes_when_used.py"
    source.write_text(
        "import torch\n"
        "class Writer(torch.nn.Module):\n"
        "    def forward(self, z):\n"
        f"        t = torch.from_file({str(marker)!r}, True, 8, dtype=torch.float)\n"
        "        t.fill_(7.0)\n"
        "        return z[:, 0] + t[0]\n"
    )
    spec = importlib.util.spec_from_file_location("writes_when_used", source)
    module = importlib.util.module_from_spec(spec)
    sys.modules["writes_when_used"] = module
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the end of TorchScript
        torch.jit.script(module.Writer()).save(str(folder / "writer.pt"))
    return folder / "writer.pt"


def test_programs_are_opened_only_for_those_who_trust_them(tmp_path, capsys):
    """The file writes another when it is used: with trust it does, which shows what the refusal is worth."""
    marker = tmp_path / "written"
    path = scripted_writer(tmp_path, marker)
    x = np.random.default_rng(0).normal(size=(8, 2))
    with pytest.raises(InvalidInput, match="be data, not a program") as caught:
        audit(path, x, x + 1)
    assert "trust=True" in str(caught.value) and "weights_only" in str(caught.value) and not marker.exists()
    np.save(tmp_path / "a.npy", x)
    np.save(tmp_path / "b.npy", x + 1)
    with pytest.raises(SystemExit) as code:
        main(["audit", str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), "--critic", str(path)])
    assert code.value.code == 2 and "--trust" in capsys.readouterr().err and not marker.exists()
    audit(path, x, x + 1, trust=True)
    assert marker.exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_with_a_name_twice_are_refused_even_with_trust(tmp_path):
    """Readers differ in which of the two they take."""
    path = scripted_writer(tmp_path, tmp_path / "written")
    with zipfile.ZipFile(path, "a") as archive:
        name = archive.namelist()[0]
        archive.writestr(name, archive.read(name))
    with pytest.raises(InvalidInput, match="one of its parts twice"):
        read_critic(path, 2, trust=True)


def test_batch_norm_nan_wrong_size_wrong_output():
    with_norm = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    poisoned = network(2, 4, 1)
    with torch.no_grad():
        poisoned[0].weight[0, 0] = float("nan")
    x = np.zeros((3, 2))
    for critic, message in (
        (with_norm, "no batch normalisation in training"),
        (poisoned, "finite weights"),
        (network(3, 4, 1), "points of dimension 2"),
        (network(2, 4, 2), "one value a point"),
        (lambda z: np.full(len(z), np.nan), "finite values"),
        (lambda z: z, "one value a point"),
        (3.0, "torch module, a file of one, or a function"),
        ((np.zeros(2), np.zeros(3)), "critic values on x must have shape"),
        ((np.zeros(3), np.array([0, np.nan, 0])), "critic values on y must be finite"),
        ((np.zeros(3),), "a pair"),
    ):
        with pytest.raises(InvalidInput, match=message):
            audit(critic, x, x + 1)
    for arguments, message in (
        (dict(estimand="both"), "estimand must be one of"),
        (dict(penalty=-1.0), "penalty must be positive"),
        (dict(a=np.ones(3)), "same total mass|sum to 1"),
        (dict(held_out=(x, x), critic=(np.zeros(3), np.zeros(3))), "can be evaluated"),
    ):
        arguments = {"critic": lambda z: z[:, 0], **arguments}
        with pytest.raises(InvalidInput, match=message):
            audit(arguments.pop("critic"), x, x + 1, **arguments)


def test_values_that_depend_on_the_other_points_are_refused(tmp_path):
    """Normalisation by the batch without a layer of that name, and in a program exported while training."""

    class Normalising(torch.nn.Module):
        def forward(self, z):
            return ((z - z.mean(0)) / z.std(0))[:, 0]

    with_norm = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mode in ("train", "eval"):
            getattr(with_norm, mode)()
            program = torch.export.export(with_norm, (torch.zeros(4, 2),), dynamic_shapes=({0: torch.export.Dim("n")},))
            torch.export.save(program, tmp_path / f"{mode}.pt2")
    x = np.random.default_rng(0).normal(size=(20, 2))
    rng = np.random.default_rng(1)
    for critic in (Normalising(), tmp_path / "train.pt2", lambda z: z[:, 0] + rng.normal(size=len(z))):
        with pytest.raises(InvalidInput, match="give a point the same value beside any other points"):
            audit(critic, x, x + 1, trust=True)
    audit(tmp_path / "eval.pt2", x, x + 1, trust=True)  # with fixed statistics it is a function of one point


def test_critics_of_otdiv_are_audited_directly(radial_sample):
    """With the proved constant and the weight of the penalty that they bring themselves."""
    from otdiv import critics

    _, sample = radial_sample
    data = sample.x, sample.y
    good = critics.fit(*data, constraint="min-max", steps=150, groups=4, pieces=16)
    report = audit(good, *data)
    assert report.verdict.word == "agrees" and report.critic == "min-max critic" and report.constant == 1.0
    assert report.gradient_max <= 1 + 1e-9 and report.ray_cosine > 0.99
    clipped = critics.fit(*data, constraint="clipping", clip=0.02, steps=30, width=16)
    report = audit(clipped, *data)
    assert report.verdict.word == "underfit" and report.secant <= report.constant == clipped.lipschitz.value
    penalised = critics.fit(*data, constraint="one-sided-penalty", penalty_weight=1.0, steps=400, width=32)
    report = audit(penalised, *data)
    assert report.debiased["de-biased value"] == pytest.approx(sample.w1, rel=0.05) and report.value > 1.2 * sample.w1
    assert report.verdict.word == "not a distance" and report.constant >= report.secant
    steep = audit(penalised, *data, penalty=1e6)  # what is asked for counts: so weak a bias explains nothing
    assert steep.verdict.word == "not 1-Lipschitz"
    untrained = critics.fit(*data, constraint="orthonormal", steps=1, width=16)
    assert audit(untrained, *data).verdict.word == "underfit"
    with pytest.raises(InvalidInput, match="z must have points of dimension 3; got 2"):
        audit(good, sample.x[:, :2], sample.y[:, :2])


def test_the_users_module_is_left_as_it_was():
    module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))
    module.train()
    before = [p.detach().clone() for p in module.parameters()]
    first, second = (audit(module, np.zeros((4, 2)), np.ones((4, 2))).value for _ in range(2))
    assert first == second and module.training  # dropout was off while it was read
    assert all(torch.equal(p, q) and q.grad is None for p, q in zip(before, module.parameters(), strict=True))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "agrees"),
        ({"value": 0.5}, "underfit"),
        ({"value": 3.0, "secant": 3.0}, "not 1-Lipschitz"),
        ({"secant": 2.0}, "not 1-Lipschitz"),
        ({"held_out": 0.2, "error": 0.01}, "overfit"),
        ({"held_out": 0.2, "error": 0.5}, "agrees"),
        ({"value": 0.5, "estimand": "population", "null_floor": 0.6}, "reference is biased"),
        ({"value": 0.5, "estimand": "population", "null_floor": 0.01}, "underfit"),
        ({"value": 1.05, "secant": 1.1, "debiased": 1.0}, "agrees"),
        ({"value": 2.8, "secant": 2.8, "debiased": 1.0}, "not a distance"),
        ({"value": 2.8, "secant": 2.8, "debiased": 1.0, "corrected": True}, "agrees"),
        ({"value": 2.8, "secant": 2.8, "debiased": 2.0}, "not 1-Lipschitz"),
        ({"value": 0.0, "exact": 0.0}, "agrees"),
    ],
)
def test_verdicts(change, word):
    evidence = Evidence(
        **{
            **dict(estimand="empirical", value=1.0, error=0.05, held_out=None, exact=1.0, scale=1.0, secant=1.0),
            **dict(proved_lower=0.9, null_floor=0.01, debiased=None),
            **change,
        }
    )
    verdict = judge(evidence)
    assert verdict.word == word and verdict.reason.endswith(".") and verdict.remedy.endswith(".")


def test_figure_shows_values_and_gradients(radial_sample):
    from otdiv.plots.critics import plot_audit

    pair, sample = radial_sample
    report = audit(pair.potential, sample.x, sample.y)
    axes = plot_audit(report).axes
    assert len(axes) == 2
    bars = [bar for bar in axes[1].patches if bar.get_height() > 0]
    assert len(bars) <= 2 and all(bar.get_width() > 0.01 for bar in bars)  # all slopes are 1: one visible bar
    values_only = audit((pair.potential(sample.x), pair.potential(sample.y)), sample.x, sample.y)
    drawn = plot_audit(values_only)
    assert len(drawn.axes) == 1 and "agrees" in drawn.axes[0].get_title()


def test_figure_in_the_plane_shows_gradients_along_the_rays():
    from otdiv.plots.critics import plot_audit

    sample = shift(2, 1.0).sample(40, np.random.default_rng(6))
    drawing = plot_audit(audit(lambda z: 2 * z[:, 0], sample.x, sample.y))
    drawing.draw_without_rendering()
    assert len(drawing.axes) == 3
    (arrows,) = [artist for artist in drawing.axes[2].collections if hasattr(artist, "U")]
    assert len(arrows.U) == 40 and np.all(arrows.U < 0) and np.allclose(arrows.V, 0, atol=1e-6)
    assert "cosine 0.7" in drawing.axes[2].get_title()  # the shift is along the diagonal


def test_command_audits_files_and_values(tmp_path, capsys, radial_sample):
    from otdiv.cli.main import main

    pair, sample = radial_sample
    names = {}
    for name, array in (
        ("a", sample.x),
        ("b", sample.y),
        ("fx", pair.potential(sample.x)),
        ("fy", pair.potential(sample.y)),
    ):
        names[name] = str(tmp_path / f"{name}.npy")
        np.save(names[name], array)
    np.save(tmp_path / "triple.npy", 3 * pair.potential(sample.y))

    def run(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as code:
            main(["audit", names["a"], names["b"], *arguments])
        printed = capsys.readouterr()
        return code.value.code, printed.out, printed.err

    code, out, _ = run("--values", names["fx"], names["fy"], "--json")
    assert code == 0 and json.loads(out)["verdict"] == "agrees"
    np.save(tmp_path / "gx.npy", 3 * pair.potential(sample.x))
    code, out, _ = run("--values", str(tmp_path / "gx.npy"), str(tmp_path / "triple.npy"))
    assert code == 1 and "not 1-Lipschitz" in out
    for arguments, message in (
        ((), "either --critic"),
        (("--critic", str(tmp_path / "none.pt")), "existing file"),
        (("--values", names["a"], names["fy"]), "one value a point"),
        (("--values", str(tmp_path / "no.npy"), names["fy"]), "existing .npy file"),
    ):
        code, out, err = run(*arguments)
        assert code == 2 and message in err and out == ""
