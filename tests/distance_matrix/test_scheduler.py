"""All pairs on the workers of a dask scheduler: the same bits, killed workers, addresses where nothing answers."""

from __future__ import annotations

import os
import signal
import socket
import time

import numpy as np
import pytest

from otdiv import pairwise
from otdiv.distance_matrix import dask_scheduler
from otdiv.distance_matrix.dask_scheduler import _block_of, run_on_scheduler
from otdiv.errors import InvalidInput, MissingPackage, SolverFailed
from tests.distance_matrix.conftest import clouds, equal

pytestmark = pytest.mark.filterwarnings("default")  # of dask's own; otdiv's are asserted below


@pytest.fixture(scope="module")
def cluster():
    """Two processes of one thread each, on this machine, which come back when they are killed."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install 'otdiv[dask]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as found:
        yield found


def processes_of(client):
    return set(client.run(os.getpid).values())


def pairwise_with_kills(cluster, count, measures, own_client, **options):
    """The distances, while ``count`` of two workers are killed midway; and how many were."""
    from distributed import Client

    killed = []
    with Client(cluster) as client:
        client.wait_for_workers(2)
        before = sorted(processes_of(client))

        def kill_midway(event):
            if event.share >= 0.3 and not killed:
                killed.extend(before[:count])
                for process in killed:
                    os.kill(process, signal.SIGKILL)

        scheduler = client if own_client else cluster.scheduler_address
        found = pairwise(measures, scheduler=scheduler, progress=kill_midway, **options)
        assert client.status == "running"  # the caller's own client stays open
        client.wait_for_workers(2)
        assert not set(killed) & processes_of(client)
    return found, len(killed)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_changes_no_bit(cluster, tmp_path, small_blocks):
    measures = clouds(40, 12, 2)
    found, killed = pairwise_with_kills(cluster, 1, measures, False, store=tmp_path / "s")
    assert killed == 1 and equal(found, pairwise(measures)) and found.certified.all()
    assert len(list((tmp_path / "s").glob("block-*"))) == 112  # 780 pairs by sevens
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()}
    assert equal(pairwise(measures, store=tmp_path / "s"), found)  # one process resumes what a scheduler has begun
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s").iterdir()} == kept


@pytest.mark.slow
def test_workers_that_held_the_measures_may_all_be_killed(cluster, small_blocks):
    measures = clouds(30, 10, 2)
    found, killed = pairwise_with_kills(cluster, 2, measures, True)
    assert killed == 2 and equal(found, pairwise(measures))


def always_killed(x, y):
    os.kill(os.getpid(), signal.SIGKILL)


def broken(x, y):
    raise ZeroDivisionError("no")


def mean_difference(x, y):
    return abs(float(x.points.mean() - y.points.mean()))


@pytest.mark.slow
def test_functions_and_their_errors_on_workers(cluster, small_blocks):
    measures, address = clouds(6, 3, 1), cluster.scheduler_address
    found = pairwise(measures, metric=mean_difference, scheduler=address)
    assert (found.values == pairwise(measures, metric=mean_difference).values).all()
    with pytest.raises(ZeroDivisionError):
        pairwise(measures, metric=broken, scheduler=address)
    with pytest.raises(SolverFailed, match="ended again and again on one block"):
        pairwise(clouds(2, 3, 1), metric=always_killed, symmetric=True, scheduler=address)


@pytest.mark.slow
def test_joblib_carries_the_same_call_to_dask(cluster, small_blocks):
    import joblib
    from distributed import Client

    measures = clouds(8, 5, 2)
    with Client(cluster) as client:
        client.wait_for_workers(2)
        with joblib.parallel_config(backend="dask"):
            assert equal(pairwise(measures, workers=2), pairwise(measures))


@pytest.mark.slow
def test_the_command_takes_an_address(cluster, tmp_path, capsys):
    from otdiv import cli
    from otdiv.distance_matrix import PairwiseDistances

    for k, cloud in enumerate(clouds(4, 5, 2)):
        np.save(tmp_path / f"{k}.npy", cloud)
    argv = ["pairwise", str(tmp_path), "--out", str(tmp_path / "D.npz"), "--scheduler", cluster.scheduler_address]
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 0 and "4 measures, 6 pairs" in capsys.readouterr().out
    assert equal(PairwiseDistances.load(tmp_path / "D.npz"), pairwise(clouds(4, 5, 2)))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "nosuch://127.0.0.1:80"])
def test_an_address_where_nothing_answers_is_one_sentence(address, monkeypatch):
    address = address.format(port=free_port())
    pytest.importorskip("distributed", reason="distributed is not installed: pip install 'otdiv[dask]'")
    monkeypatch.setattr(dask_scheduler, "CONNECT_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(InvalidInput, match=r"scheduler must be the address of a dask scheduler.*'dask scheduler'"):
        pairwise(clouds(3, 4, 2), scheduler=address)
    assert time.monotonic() - started < 5


@pytest.mark.slow
def test_a_scheduler_without_workers_is_named(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install 'otdiv[dask]'")
    monkeypatch.setattr(dask_scheduler, "CONNECT_SECONDS", 1.0)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(InvalidInput, match=r"scheduler must have a worker; got none in 1 s\. .*'dask worker"),
    ):
        pairwise(clouds(3, 4, 2), scheduler=empty.scheduler_address)


@pytest.mark.slow
def test_workers_that_do_not_come_back_are_given_up(monkeypatch, small_blocks):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install 'otdiv[dask]'")
    monkeypatch.setattr(dask_scheduler, "LOST_SECONDS", 0.5)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as leaving,
        distributed.Client(leaving) as client,
    ):
        client.wait_for_workers(1)

        def leave(event):
            if event.share > 0:  # a block is done: the first report comes before the scheduler is asked for workers
                leaving.scale(0)

        with pytest.raises(SolverFailed, match=r"has had no worker for 0\.5 s; \d+ blocks are left"):
            pairwise(clouds(40, 12, 2), scheduler=client, progress=leave)


def test_another_version_on_a_worker_is_refused():
    with pytest.raises(InvalidInput, match=r"scheduler must have workers with otdiv 0\.0\.0"):
        _block_of(abs, 1, "0.0.0")


def test_arguments_that_do_not_fit():
    with pytest.raises(InvalidInput, match="workers must be left out beside a scheduler"):
        pairwise(clouds(3, 4, 2), scheduler="tcp://127.0.0.1:8786", workers=2)
    with pytest.raises(InvalidInput, match="scheduler must be an address or a client of dask; got int"):
        pairwise(clouds(3, 4, 2), scheduler=8786)


def test_without_dask_the_remedy_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingPackage, match=r"pip install 'otdiv\[dask\]'"):
        next(iter(run_on_scheduler(abs, [1], "tcp://127.0.0.1:8786")))
