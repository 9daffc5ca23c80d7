"""Pricing by torch: every pair that counts passes the filter, so the answer is that of all pairs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, emd
from otdiv.core import devices
from otdiv.core.devices import training_device, transport_device
from otdiv.core.options import SolverOptions, Tuning
from otdiv.costs import as_cost
from otdiv.errors import InvalidInput, MissingPackage
from otdiv.pricing import torch_products
from otdiv.pricing.compiled_costs import metric_of
from otdiv.pricing.pricing import Pricing, ordered
from otdiv.pricing.torch_products import TorchProducts, lowest_of_rows
from otdiv.transport.solve import solve_with

torch = pytest.importorskip("torch")
KINDS = ("gauss", "lattice", "duplicates", "offset", "tiny", "scales", "one place", "steep")


def clouds(kind, rng, d, n=120, m=90):
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    if kind == "lattice":
        x, y = rng.integers(0, 3, (n, d)) * 1.0, rng.integers(0, 3, (m, d)) * 1.0
    elif kind == "duplicates":
        x, y = x[rng.integers(0, 5, n)], x[rng.integers(0, 5, m)]
    elif kind == "offset":
        x, y = x + 1e7, y + 1e7
    elif kind == "tiny":
        x, y = 1e-30 * x, 1e-30 * y
    elif kind == "scales":
        x, y = x * np.exp(8 * rng.normal(size=(n, 1))), y * np.exp(8 * rng.normal(size=(m, 1)))
    elif kind == "one place":
        x, y = np.repeat(x[:1], n, axis=0), np.repeat(x[:1], m, axis=0)
    return np.ascontiguousarray(x[ordered(x)]), np.ascontiguousarray(y[ordered(y)])


@pytest.mark.parametrize("most", [torch_products._HITS_PER_ROW, 0])
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_minima_are_those_of_all_pairs(kind, cost, most, monkeypatch):
    monkeypatch.setattr(torch_products, "_HITS_PER_ROW", most)  # 0: distances are compared in single precision
    rng = np.random.default_rng(KINDS.index(kind))
    for d in (1, 3, 40):
        x, y = clouds(kind, rng, d)
        largest = float(as_cost(cost).matrix(x, y).max()) * 1.001
        own = Pricing(x, y, as_cost(cost), largest)
        device = TorchProducts(metric_of(as_cost(cost), d), x, y, "cpu")
        for size in (0.0, 0.3, 1e6 if kind == "steep" else 2.0):
            g = rng.normal(size=len(y)) * size * largest
            values, where = device.minima(g)
            known, _ = own.minima(g)
            assert np.array_equal(values, known), "to the last bit"
            assert np.array_equal(own.costs(np.arange(len(x)), where) - g[where], values)
            for tops in (np.full(len(x), np.inf), known + 0.1 * rng.random(len(x)) * largest, known):
                for k in (1, 4):
                    (tails, heads, costs), least = device.lowest(g, tops, k)
                    assert np.array_equal(costs, own.costs(tails, heads))
                    arcs, best = own.lowest(g, tops, k)
                    assert np.array_equal(least, best)
                    assert np.array_equal(
                        np.bincount(tails, minlength=len(x)), np.bincount(arcs.tails, minlength=len(x))
                    )
                    ours, theirs = (own.costs(i, j) - g[j] for i, j in ((arcs.tails, arcs.heads), (tails, heads)))
                    pairs = [np.lexsort((values, index)) for values, index in ((ours, arcs.tails), (theirs, tails))]
                    assert np.array_equal(ours[pairs[0]], theirs[pairs[1]])


def test_a_filter_without_its_slack_would_be_wrong():
    """The check above can fail: far from the origin of the cloud single precision alone loses the minimum."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 3)) * 1e-4, rng.normal(size=(300, 3)) * 1e-4
    y[0] = 100.0
    device = TorchProducts(metric_of(as_cost("euclidean"), 3), x, y, "cpu")
    known = as_cost("euclidean").matrix(x, y).min(axis=1)
    assert device.minima(np.zeros(300))[0] == pytest.approx(known, rel=1e-14)
    rows = torch.arange(400)
    device._passed = lambda part, known, limit: (rows, device._numbers(part, known, 1).argmin(1))
    device._narrowed = lambda part, i, j, *others: (i, j)
    assert np.abs(device.minima(np.zeros(300))[0] - known).max() > 1e-6


def test_a_slack_of_zero_would_be_wrong():
    """Near points far from the centre: their squares are all rounding, and the minimum gets lost."""
    rng = np.random.default_rng(7)
    sides = np.sign(rng.normal(size=(400, 1)))
    x, y = (sides + 1e-6 * rng.normal(size=(400, 40)) for _ in range(2))
    g, known = np.zeros(400), as_cost("euclidean").matrix(x, y).min(axis=1)
    device = TorchProducts(metric_of(as_cost("euclidean"), 40), x, y, "cpu")
    assert device.minima(g)[0] == pytest.approx(known, rel=1e-14)
    device.unit = 0.0
    assert np.abs(device.minima(g)[0] - known).max() > 1e-7


def test_doubles_without_their_doubt_would_be_wrong():
    """Targets on spheres around sources that lie far apart: which is the nearest is decided by the last digits."""
    rng = np.random.default_rng(9)
    directions = rng.normal(size=(30, 100, 40))
    x = 1000 * rng.normal(size=(30, 40))
    y = x[:, None] + 0.37 * directions / np.linalg.norm(directions, axis=2, keepdims=True)
    y, g = y.reshape(3000, 40), np.zeros(3000)
    known, _ = Pricing(x, y, as_cost("euclidean"), 1e5).minima(g)
    device = TorchProducts(metric_of(as_cost("euclidean"), 40), x, y, "cpu")
    np.testing.assert_array_equal(device.minima(g)[0], known)
    device._doubt = lambda potential, tops: 0.0 * tops
    assert (device.minima(g)[0] > known).any()


@pytest.mark.parametrize("kind", ["gauss", "lattice", "duplicates", "one place"])
def test_the_lowest_from_groups_of_targets(kind):
    """More targets than groups, in number no multiple of it, and ties: the arcs of matrix products on the CPU."""
    rng = np.random.default_rng(8)
    x, y = clouds(kind, rng, 4, n=60, m=701)
    own = Pricing(x, y, as_cost("euclidean"), 1e3)
    own.tree = None
    own.use_products()
    device = TorchProducts(metric_of(as_cost("euclidean"), 4), x, y, "cpu")
    for g in (np.zeros(701), rng.integers(0, 2, 701) * 0.5):
        for k in (2, 8):
            (tails, heads, _), least = device.lowest(g, np.full(60, np.inf), k)
            arcs, best = own.lowest(g, np.full(60, np.inf), k)
            for found, known in ((tails, arcs.tails), (heads, arcs.heads), (least, best)):
                np.testing.assert_array_equal(found, known)


def test_some_rows_and_several_threads_give_the_same():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(900, 300)), rng.normal(size=(5000, 300))  # enough that threads share the costs
    g = 0.1 * rng.normal(size=len(y))
    device = TorchProducts(metric_of(as_cost("euclidean"), 300), x, y, "cpu", threads=2)
    tops = np.full(len(x), np.inf)
    (tails, heads, costs), least = device.lowest(g, tops, 6)
    one = TorchProducts(metric_of(as_cost("euclidean"), 300), x, y, "cpu")
    arcs, best = one.lowest(g, tops, 6)
    for found, known in zip((tails, heads, costs, least), (*arcs, best), strict=True):
        np.testing.assert_array_equal(found, known)
    rows = np.flatnonzero(rng.random(len(x)) < 0.3)
    values, where = device.of_rows(rows).minima(g)
    np.testing.assert_array_equal(values, least[rows])
    assert np.array_equal(where, heads[np.searchsorted(tails, rows)])


def test_the_lowest_of_each_row():
    rng = np.random.default_rng(6)
    i = np.sort(rng.integers(40, size=600)).astype(np.int32)
    values, tops = rng.integers(30, size=600).astype(float), rng.integers(40, size=40).astype(float)
    for k in (1, 3, 50):
        kept = lowest_of_rows(i, values, tops, k)
        for row in range(40):
            there = np.flatnonzero((i == row) & (values < tops[row]))
            expected = there[np.argsort(values[there], kind="stable")][:k]
            np.testing.assert_array_equal(kept[i[kept] == row], expected)


def test_the_blocks_join():
    rng = np.random.default_rng(1)
    x, y = clouds("gauss", rng, 5)
    g = rng.normal(size=len(y))
    device = TorchProducts(metric_of(as_cost("euclidean"), 5), x, y, "cpu")
    whole, arcs = device.minima(g), device.lowest(g, np.full(len(x), np.inf), 3)
    device = TorchProducts(metric_of(as_cost("euclidean"), 5), x, y, "cpu", block_entries=1000)
    assert np.array_equal(device.minima(g)[0], whole[0])
    joined = device.lowest(g, np.full(len(x), np.inf), 3)
    assert np.array_equal(joined[1], arcs[1])
    assert all(np.array_equal(p, q) for p, q in zip(joined[0], arcs[0], strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("cost, d", [("euclidean", 2), ("sqeuclidean", 2), ("euclidean", 30)])
def test_the_whole_solve_and_its_audit(cost, d, monkeypatch):
    rng = np.random.default_rng(2)
    x, y, a = rng.normal(size=(1600, d)), rng.normal(size=(1400, d)) + 0.3, rng.random(1600)
    used = []
    monkeypatch.setattr(
        "otdiv.pricing.pricing.TorchProducts", lambda *args: used.append(args[3]) or TorchProducts(*args)
    )
    own = emd(x, y, a / a.sum(), cost=cost, method="multiscale", device="cpu")
    assert used == [] and own.stats["device"] == "cpu"
    # torch on the CPU stands for a card
    monkeypatch.setattr("otdiv.pricing.pricing.transport_device", lambda device, products: device)
    problem = TransportProblem(DiscreteMeasure(x, a / a.sum()), DiscreteMeasure(y), cost)
    by_torch = solve_with(problem, "multiscale", SolverOptions(device="cpu", tuning=Tuning(device_above=2**10)))
    assert len(used) > 4 and set(used) == {"cpu"} and by_torch.stats["device"] == "cpu"
    assert by_torch.status is Status.OPTIMAL
    assert by_torch.value == pytest.approx(own.value, rel=1e-9)
    assert by_torch.lower <= own.upper and own.lower <= by_torch.upper


def test_torch_is_kept_from_shorter_formats():
    torch.set_float32_matmul_precision("medium")
    try:
        x = np.random.default_rng(3).normal(size=(50, 64))
        TorchProducts(metric_of(as_cost("euclidean"), 64), x, x, "cpu").minima(np.zeros(50))
        assert torch.get_float32_matmul_precision() == "medium", "and the user's choice comes back"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(device="nonsense"), "device must be 'auto' or name a device that torch can use; got 'nonsense'"),
        (dict(device="cpu:7:1"), "device must be 'auto' or name a device that torch can use"),
        (dict(device=3.5), "device must be 'auto' or name a device that torch can use"),
        (dict(device="cuda", cost="cityblock"), "device must be left out unless the cost is euclidean"),
        (dict(device="cuda", cost=[[1.0]]), "device must be left out unless the cost is euclidean"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        emd([0.0], [1.0], **arguments)


def test_a_device_that_is_not_there():
    absent = f"cuda:{torch.cuda.device_count()}"  # one more than there are, be it the first
    with pytest.raises(InvalidInput, match=rf"got '{absent}' .*Use device='cpu', or leave it out"):
        emd([0.0], [1.0], device=absent)


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPackage, match=r"device='cuda' needs the package torch: install it with pip"):
        emd([0.0], [1.0], device="cuda")


def test_trainings_take_what_torch_sees(monkeypatch):
    for sees, place in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda sees=sees: sees)
        assert training_device("auto") == place
    assert training_device(torch.device("cpu")) == "cpu"


@pytest.fixture
def card(monkeypatch):
    """A machine with a driver, and a card with as much memory free as ``card["free"]`` says."""
    card = {"driver": True, "free": 70 * 2**30, "asked": 0}

    def driver(name):
        card["asked"] += 1
        if not card["driver"]:
            raise OSError(name)

    monkeypatch.setattr(devices.ctypes, "CDLL", driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card["free"] > 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (card["free"], 80 * 2**30))
    return card


def test_transport_takes_a_card_for_large_searches(card):
    assert transport_device("auto", 2e11) == "cuda"
    assert transport_device("auto", 5e10) is None and card["asked"] == 1, "the driver is asked for large ones only"
    assert transport_device("cpu", 2e11) is None and transport_device(torch.device("cpu"), 2e11) is None


@pytest.mark.parametrize("what", [{"driver": False}, {"free": 0}, {"free": 2**30}])
def test_transport_stays_on_the_cpu_without_a_card_that_can_be_used(card, what, monkeypatch):
    card |= what
    if "driver" in what:
        monkeypatch.setitem(sys.modules, "torch", None)  # and torch is not imported for it
    assert transport_device("auto", 2e11) is None


def test_transport_stays_on_the_cpu_where_a_card_cannot_be_asked(card, monkeypatch):
    def fails():
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")

    monkeypatch.setattr(torch.cuda, "mem_get_info", fails)
    assert transport_device("auto", 2e11) is None


def test_transport_stays_on_the_cpu_without_torch(card, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert transport_device("auto", 2e11) is None


def test_the_cpu_may_be_named_for_every_cost():
    assert emd([0.0], [1.0], cost="cityblock", device="cpu").value == 1.0
