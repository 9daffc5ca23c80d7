"""Checkpoints of long solves: what they hold, how a solve goes on from them, and what they refuse."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, emd, load, verify
from otdiv.core.options import SolverOptions, Tuning
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.files.writing import require_writable
from otdiv.network_flow.trees.forest_order import flow_on_forest, list_leaves_first
from otdiv.transport.certified_solve import solve_with
from otdiv.transport.methods.multiscale.solve import solve_multiscale
from otdiv.transport.saved_answers.checkpoint import CheckpointFile, solve_from_checkpoint

OFTEN = SolverOptions(tuning=Tuning(checkpoint_seconds=0.0, pivots_per_batch=200))


def clouds(n, *, weights, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, 2)), rng.random((n, 2)) ** 1.5
    a, b = rng.dirichlet(np.ones(n), 2) if weights else (None, None)
    return TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b))


class EveryProposal:
    """A keeper that is always due."""

    def __init__(self):
        self.kept = []

    def due(self):
        return True

    def keep(self, proposal):
        self.kept.append(proposal)


@pytest.mark.parametrize("weights", [False, True])
def test_checkpoints_are_certificates_that_only_get_narrower(tmp_path, weights):
    problem = clouds(2500, weights=weights)
    truth = solve_with(problem, "multiscale", SolverOptions())
    keeper = EveryProposal()
    solve_multiscale(problem, replace(OFTEN, keeper=keeper))
    assert len(keeper.kept) >= 1
    file = CheckpointFile(problem, tmp_path / "c.npz", OFTEN, None)
    gaps = []
    for proposal in keeper.kept[:: max(1, len(keeper.kept) // 3)]:
        file.keep(proposal)
        kept = load(tmp_path / "c.npz")
        proved = verify(tmp_path / "c.npz", level="float").bounds
        assert (
            proved.lower <= truth.upper
            and truth.lower <= proved.upper
            and kept.lower <= truth.upper
            and truth.lower <= kept.upper
        )
        gaps.append(kept.gap)
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize("weights", [False, True])
def test_a_solve_goes_on_from_a_checkpoint(tmp_path, weights):
    problem = clouds(2500, weights=weights, seed=1)
    truth = solve_with(problem, "multiscale", SolverOptions())
    keeper = EveryProposal()
    solve_multiscale(problem, replace(OFTEN, keeper=keeper))
    path = tmp_path / "c.npz"
    CheckpointFile(problem, path, OFTEN, None).keep(keeper.kept[-1])
    before = load(path)
    found = solve_from_checkpoint(problem, "multiscale", SolverOptions(), path)
    assert found.status is Status.OPTIMAL and found.gap <= before.gap
    assert max(found.lower, truth.lower) <= min(found.upper, truth.upper)
    assert found.stats["rounds"] < truth.stats["rounds"] and found.stats["bids"] < 0.2 * truth.stats["bids"]
    again = solve_from_checkpoint(problem, "multiscale", SolverOptions(), path)
    assert again.method == "saved" and (again.lower, again.upper) == (found.lower, found.upper)


def test_a_poor_start_is_left_aside(tmp_path):
    problem = clouds(2500, weights=True, seed=2)
    path = tmp_path / "c.npz"
    stopped = solve_from_checkpoint(problem, "multiscale", SolverOptions(time_limit=0.0), path)
    assert stopped.status is Status.STOPPED and load(path).gap > 1e-3 * stopped.value
    found = solve_from_checkpoint(problem, "multiscale", SolverOptions(), path)
    assert found.status is Status.OPTIMAL and load(path).gap == found.gap


def test_an_answer_is_never_wider_than_the_file(tmp_path):
    problem = clouds(1500, weights=True, seed=3)
    path = tmp_path / "c.npz"
    loose = replace(SolverOptions(), rtol=1e-3)
    first = solve_from_checkpoint(problem, "multiscale", loose, path)
    stopped = solve_from_checkpoint(problem, "multiscale", SolverOptions(time_limit=0.0), path)
    assert stopped.gap <= first.gap and stopped.lower >= first.lower and stopped.upper <= first.upper


def test_mass_in_common_and_other_methods_keep_their_answers(tmp_path):
    rng = np.random.default_rng(4)
    x = rng.random((1200, 2))
    a, b = rng.dirichlet(np.ones(1200), 2)
    b[:700] = a[:700] * b[:700].sum() / a[:700].sum()
    for method, file in (("auto", "c.npz"), ("simplex", "d.npz"), ("pot", "e.npz")):
        found = emd(x, x, a, b / b.sum(), method=method, checkpoint=tmp_path / file)
        assert load(tmp_path / file).value == found.value and found.status is Status.OPTIMAL
        assert emd(x, x, a, b / b.sum(), method=method, checkpoint=tmp_path / file).method == "saved"


def test_what_a_checkpoint_refuses(tmp_path):
    problem = clouds(50, weights=False)
    path = tmp_path / "c.npz"
    emd(problem.mu, problem.nu, checkpoint=path)
    with pytest.raises(CertificateRefused, match=r"checkpoint 'c.npz' is of another problem.*remove this one"):
        emd(problem.nu, problem.mu, checkpoint=path)
    with pytest.raises(CertificateRefused, match="another problem"):
        emd(problem.mu, problem.nu, cost="sqeuclidean", checkpoint=path)
    with pytest.raises(InvalidInput, match="checkpoint must be left out unless the cost is one of euclidean"):
        emd(problem.mu, problem.nu, cost="minkowski:3", checkpoint=tmp_path / "d.npz")
    with pytest.raises(InvalidInput, match=r"checkpoint must end in .npz"):
        emd(problem.mu, problem.nu, checkpoint=tmp_path / "d.txt")
    path.write_bytes(b"something else")
    with pytest.raises(CertificateRefused):
        emd(problem.mu, problem.nu, checkpoint=path)
    assert path.read_bytes() == b"something else"  # nothing is lost


@pytest.mark.slow
def test_a_killed_solve_goes_on_where_its_file_stands(tmp_path):
    """SIGKILL as soon as there is a checkpoint; the file verifies, and the next solve ends in fewer rounds."""
    path = tmp_path / "c.npz"
    code = f"""
from tests.transport.test_checkpoint import clouds, OFTEN
from otdiv.transport.saved_answers.checkpoint import solve_from_checkpoint
solve_from_checkpoint(clouds(6000, weights=True), "multiscale", OFTEN, {str(path)!r})
print("ended", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 120
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.communicate()[0] == ""
    assert process.returncode == -signal.SIGKILL
    kept = load(path)
    assert kept.status is Status.STOPPED and verify(path, level="float").bounds.lower > 0
    found = solve_from_checkpoint(clouds(6000, weights=True), "multiscale", SolverOptions(), path)
    assert found.status is Status.OPTIMAL and kept.lower <= found.lower and found.upper <= kept.upper


def test_flows_on_forests():
    """The flow of a path is known; a cycle, an arc that stands twice, and masses that do not fit are refused."""
    tails, heads = np.array([0, 0, 1]), np.array([0, 1, 1])
    flow, possible = flow_on_forest(2, np.array([5, 3]), np.array([2, 6]), tails, heads)
    assert possible and flow.tolist() == [2, 3, 3]
    for a, b in (([5, 3], [6, 2]), ([5, 3], [2, 5])):
        assert not flow_on_forest(2, np.array(a), np.array(b), tails, heads)[1]
    for bad in (([0, 0, 1, 1], [0, 1, 1, 0]), ([0, 0, 0, 1], [0, 1, 1, 1])):
        assert not flow_on_forest(2, np.array([5, 3]), np.array([2, 6]), *map(np.array, bad))[1]
        assert len(list_leaves_first(2, 2, *map(np.array, bad))[0]) < 4


def test_the_file_must_be_writable_before_any_work(tmp_path):
    with pytest.raises(InvalidInput, match="existing folder"):
        emd([0.0], [1.0], checkpoint=tmp_path / "nowhere" / "c.npz")
    assert require_writable(tmp_path / "c.npz", "checkpoint", (".npz",)).name == "c.npz"
