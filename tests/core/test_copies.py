"""Records and errors survive pickling, copying and worker processes; arrays that were read-only stay so."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from otdiv import DiscreteMeasure, TransportProblem, compare, emd, solve_game, wasserstein
from otdiv.errors import Infeasible
from otdiv.linear_programming import LinearProgram, solve_lp

X, Y = np.random.default_rng(0).random((2, 6, 2))
RECORDS = {
    "measure": lambda: DiscreteMeasure(X),
    "problem": lambda: TransportProblem(DiscreteMeasure(X), DiscreteMeasure(Y)),
    "result": lambda: emd(X, Y),
    "proof": lambda: emd(X, Y).proof(),
    "gradients": lambda: emd(X, Y).gradients,
    "sparse": lambda: emd(cost=sparse.csr_array(np.ones((3, 3)))),
    "matrix": lambda: emd(cost=np.ones((3, 3))),
    "distance": lambda: wasserstein(X, Y, p=np.inf),
    "table": lambda: compare(X, Y),
    "game": lambda: solve_game([[3, -1], [-2, 4]]),
    "program": lambda: LinearProgram([1.0, 2.0], [[1.0, 1.0]], [1.0]),
    "solution": lambda: solve_lp(LinearProgram([1.0, 2.0], [[1.0, 1.0]], [1.0])),
}


def arrays(thing, seen):
    """Every array inside, depth first."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, dict):
        for part in thing.values():
            yield from arrays(part, seen)
    elif isinstance(thing, list | tuple):
        for part in thing:
            yield from arrays(part, seen)
    elif type(thing).__module__.startswith("otdiv"):
        names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from arrays(getattr(thing, name, None), seen)


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_copied_whole(name):
    record = RECORDS[name]()
    for again in (pickle.loads(pickle.dumps(record)), copy.deepcopy(record), copy.copy(record)):
        assert type(again) is type(record)
        pairs = list(zip(arrays(record, set()), arrays(again, set()), strict=True))
        assert pairs
        for old, new in pairs:
            assert np.array_equal(old, new, equal_nan=True) and (old.flags.writeable or not new.flags.writeable)
        if hasattr(record, "bounds"):
            assert again.bounds == record.bounds and again.status is record.status


def unequal_masses(_):
    return emd(X, Y, np.full(6, 0.2), np.full(6, 1 / 6))


@pytest.mark.slow
def test_errors_and_results_reach_the_parent_of_a_worker():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(Infeasible, match="same total mass") as caught:
            pool.submit(unequal_masses, 0).result(60)
        assert set(caught.value.witness) >= {"f", "g"}
        assert pool.submit(emd, X, Y).result(60).value == emd(X, Y).value


@pytest.mark.slow
def test_a_read_only_installation_without_a_home(tmp_path):
    """Numba finds no folder for its cache: the kernels are compiled in each process."""
    package = Path(__file__).parents[2] / "otdiv"
    shutil.copytree(package, tmp_path / "otdiv", ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    code = (
        "import numba.core.caching as caching\n"
        "caching._CacheLocator.ensure_cache_path = lambda self: (_ for _ in ()).throw(OSError(30, 'read-only'))\n"
        "from otdiv.core.compilation import kernel\n"
        "@kernel()\n"
        "def twice(x):\n    return 2 * x\n"
        "assert twice(2) == 4 and type(twice._cache).__name__ == 'NullCache'\n"
        "import otdiv.network_flow.heap as heap\n"
        "assert heap.__file__.startswith(r'" + str(tmp_path) + "')\n"
        "import otdiv, numpy as np\n"
        "x = np.random.default_rng(0).random((40, 2))\n"
        "print(otdiv.emd(x, x + 1, method='simplex').value)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": "/proc/none", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, timeout=120, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(2**0.5)
