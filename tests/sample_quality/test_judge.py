"""``judge``: every part is what its own function says, generators of all kinds, units, and refused input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import otdiv
from otdiv.errors import InvalidInput
from otdiv.sample_quality.samples import draw

CENTRES = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]])


def modes(n, k, seed, sd=0.3):
    rng = np.random.default_rng(seed)
    return CENTRES[rng.integers(0, k, n)] + sd * rng.normal(size=(n, 2))


@pytest.fixture(scope="module")
def judged():
    real, generated, train = modes(200, 4, 0), modes(200, 3, 1), modes(200, 4, 2)
    return real, generated, otdiv.judge(real, generated, train, modes=CENTRES, sd=0.3, permutations=49)


def test_the_distance_is_exact_and_proved(judged):
    real, generated, found = judged
    cost = cdist(real, generated)
    truth = cost[linear_sum_assignment(cost)].mean()
    assert found.value == pytest.approx(truth, rel=1e-12) and found.lower <= truth * (1 + 1e-12)
    assert found.status.certified and found.gap < 1e-9 * truth


def test_the_parts_add_up(judged):
    _, _, found = judged
    assert found.split.within + found.split.between == pytest.approx(found.value, rel=1e-12)
    assert found.split.mass_between >= found.split.least_between - 1e-12 > 0.1
    assert (found.modes.modes_captured, found.modes.of) == (3, 4)
    assert 0.95 < found.modes.high_quality.value <= 1


def test_the_floor_compares_equal_sizes(judged):
    real, _, found = judged
    floor = found.floor
    assert floor.size == 100 and floor.splits == 5 and floor.gap < 1e-9
    assert floor.real < 0.5 * floor.generated and floor.ratio > 2
    same = otdiv.judge(real, modes(200, 4, 3), permutations=0, splits=20)
    assert 0.6 < same.floor.ratio < 1.6, "real against real, but for noise"


def test_the_verdict_sees_the_missing_mode(judged):
    _, _, found = judged
    assert found.test.reject() and "real and generated points differ" in found.verdict
    assert found.fidelity > 0.9 and found.diversity == pytest.approx(0.75, abs=0.1)
    perfect = otdiv.judge(modes(200, 4, 5), modes(200, 4, 6), permutations=49)
    assert not perfect.test.reject(0.01) and "no difference is proved" in perfect.verdict
    assert min(perfect.fidelity, perfect.diversity) > 0.9


def test_a_generator_that_repeats_its_training_points_is_seen():
    train = modes(100, 4, 7)
    found = otdiv.judge(modes(100, 4, 8), train, train, permutations=49)
    assert found.memorisation.p_value == 0.02 and found.memorisation.copies == 100


def test_records_print_and_go_to_json(judged):
    _, _, found = judged
    text = str(found)
    assert all(word in text for word in ("W1(real, generated)", "fidelity", "3 of 4", "memorisation p", "its floor"))
    assert len(text.splitlines()) <= 30
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["w1"] == found.value and plain["modes"]["modes_captured"] == 3 and plain["w1_floor"] > 0


def test_standard_deviations_are_said_and_used():
    real, generated = modes(100, 4, 0) * [1, 1000], modes(100, 4, 1) * [1, 1000]
    wide = otdiv.judge(real, generated, permutations=0, units="standard deviations")
    sd = real.std(axis=0)
    assert wide.value == pytest.approx(otdiv.emd(real / sd, generated / sd).value, rel=1e-12)
    assert "standard deviations of the real sample" in str(wide)
    raw = otdiv.judge(real, generated, permutations=0)
    assert raw.value == pytest.approx(otdiv.emd(real, generated).value) and "standard deviations of" not in str(raw)
    real[:, 0] = generated[:, 0] = 2.0
    assert otdiv.judge(real, generated, permutations=0, units="standard deviations").columns_as_they_are == (0,)


def test_labels_do_as_centres_do():
    real, generated = modes(100, 4, 0), modes(100, 3, 1)
    labels = tuple(cdist(points, CENTRES).argmin(axis=1) for points in (real, generated))
    by_label = otdiv.judge(real, generated, modes=labels, permutations=0, mode_weights=[0.25] * 4)
    by_centre = otdiv.judge(real, generated, modes=CENTRES, permutations=0, mode_weights=[0.25] * 4)
    assert by_label.split == by_centre.split and by_label.modes.reverse_kl == by_centre.modes.reverse_kl
    own = otdiv.judge(real, generated, modes=CENTRES, permutations=0)
    assert own.modes.weights == pytest.approx(np.bincount(labels[0]) / 100)


def test_functions_and_seeds():
    real = modes(100, 4, 0)

    def generator(rng, n):
        return CENTRES[rng.integers(0, 4, n)] + 0.3 * rng.normal(size=(n, 2))

    first, second = (otdiv.judge(real, generator, permutations=0, seed=5) for _ in range(2))
    assert first.value == second.value and first.transport.m == 100
    assert otdiv.judge(real, generator, permutations=0, seed=6).value != first.value
    assert otdiv.judge(real, generator, n=60, permutations=0).transport.m == 60

    def linear(z):
        return 2 * z

    class Saved:
        def sample(self, n, rng):
            return generator(rng, n)

    assert otdiv.judge(real, Saved(), permutations=0, seed=5).value == first.value
    with pytest.raises(InvalidInput, match="n must be left out"):
        otdiv.judge(real, real, n=60)

    linear.latent = 2
    assert draw(linear, 50, np.random.default_rng(0)).shape == (50, 2)


@pytest.mark.slow
def test_torch_modules_are_left_as_they_were():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2))
    module[1].eval()
    points = draw(module, 40, np.random.default_rng(0))
    assert points.shape == (40, 2) and module.training and not module[1].training
    noise = torch.as_tensor(np.random.default_rng(0).standard_normal((40, 3)), dtype=torch.float32)
    with torch.no_grad():
        assert points == pytest.approx(module[2](module[0](noise)).numpy(), abs=1e-6), "dropout was off"
    assert all(parameter.grad is None for parameter in module.parameters())
    with pytest.raises(InvalidInput, match=r"failed on noise of shape \[40, 3\]"):
        draw(torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Linear(7, 2)), 40, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((np.zeros((30, 2)), np.zeros((30, 2))), {}, "hold at least 40 and 20 points; got 30 and 30"),
        ((np.zeros((50, 2)), np.zeros((50, 3))), {}, "generated must have the columns of real; got 3"),
        ((np.zeros((50, 2)), np.full((50, 2), np.nan)), {}, "of generated: points must be finite"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"units": "feet"}, "units must be one of"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"sd": 1.0}, "modes must be given with sd"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"modes": np.zeros((4, 3))}, "modes must have the columns of real"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"modes": ([0] * 50, [0] * 9)}, "generated points must be 50"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"modes": ([0] * 50,)}, "pair of labels"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"modes": ([0] * 50, [0] * 50), "sd": 1.0}, "left out with labels"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"permutations": -1}, "permutations must be"),
        ((np.zeros((50, 2)),) * 3, {"permutations": 0}, "permutations must be a whole number of at least 1"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"splits": 0}, "splits must be"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"confidence": 1.0}, "confidence must be"),
        ((np.zeros((50, 2)), np.zeros((50, 2))), {"seed": "x"}, "rng must be"),
        ((np.zeros((50, 2)), lambda z: z), {}, "attribute latent"),
        ((np.zeros((50, 2)), lambda a, b, c: a), {}, "a function of 3 arguments"),
        ((np.zeros((50, 2)), lambda rng, n: np.zeros((7, 2))), {}, "return the 50 points asked for; got 7"),
    ],
)
def test_wrong_input_is_one_sentence(arguments, options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        otdiv.judge(*arguments, **options)


def test_points_that_all_coincide():
    same = otdiv.judge(np.zeros((50, 2)), np.zeros((50, 2)), permutations=0)
    assert (same.value, same.fidelity, same.diversity, same.floor.ratio) == (0.0, 1.0, 1.0, 1.0)
    other = otdiv.judge(np.zeros((50, 2)), np.ones((50, 2)), permutations=9)
    assert (other.fidelity, other.diversity) == (0.0, 0.0) and "all real points coincide" in other.verdict
    assert json.dumps(other.to_dict(), allow_nan=False)


def test_columns_of_data_frames_are_matched_by_name():
    pd = pytest.importorskip("pandas")
    real, generated, train = modes(60, 4, 0), modes(60, 4, 1), modes(60, 4, 2)
    frames = [pd.DataFrame(points * [1, 3], columns=["a", "b"]) for points in (real, generated, train, CENTRES)]
    shuffled = [frames[0], *(frame[["b", "a"]] for frame in frames[1:])]
    found, turned = (
        otdiv.judge(f[0], f[1], f[2], modes=f[3], sd=1.0, permutations=9, splits=1) for f in (frames, shuffled)
    )
    assert turned.to_dict() == found.to_dict()
    with pytest.raises(InvalidInput, match="columns of the same names"):
        otdiv.judge(frames[0], frames[1].rename(columns={"a": "c"}), permutations=0)
    weighted = otdiv.DiscreteMeasure(generated, np.arange(1.0, 61.0))
    with pytest.raises(InvalidInput, match="generated must be points that count the same"):
        otdiv.judge(real, weighted, permutations=0)
