"""Kept kernels: used again, compiled anew where a module has changed that their code is from; announced once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import otdiv
from otdiv.core.compilation import digest_of_sources, kernel
from otdiv.network_flow.small.solve import solve_small

MODULES = {
    "__init__": "",
    "constants": "FACTOR = 1.0\n",
    "callee": "from otdiv.core.compilation import kernel\nfrom made.constants import FACTOR\n\n"
    "@kernel()\ndef called(x):\n    return FACTOR * x + 0.0\n",
    "caller": "from otdiv.core.compilation import kernel\nfrom made import callee\n\n"
    "called = callee.called\n\n@kernel()\ndef calling(x):\n    return called(x)\n",
}
COMMAND = "from made.caller import calling; print(calling(1.0), len(calling.stats.cache_hits))"


def run(folder: Path) -> tuple[float, bool]:
    """What the kernel returns in a process of its own, and whether it came from the cache."""
    paths = [str(folder), str(Path(otdiv.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NUMBA_CACHE_DIR": str(folder / "kept")}
    out = subprocess.run([sys.executable, "-c", COMMAND], env=environment, capture_output=True, text=True, check=True)
    value, hits = out.stdout.split()
    return float(value), hits == "1"


@pytest.mark.slow
def test_a_kernel_is_compiled_anew_where_a_callee_or_a_constant_has_changed(tmp_path):
    package = tmp_path / "made"
    package.mkdir()
    for name, text in MODULES.items():
        (package / f"{name}.py").write_text(text)
    assert run(tmp_path) == (1.0, False)
    assert run(tmp_path) == (1.0, True)
    (package / "callee.py").write_text(MODULES["callee"].replace("+ 0.0", "+ 5.0"))
    assert run(tmp_path) == (6.0, False)
    (package / "constants.py").write_text("FACTOR = 2.0\n")
    assert run(tmp_path) == (7.0, False)
    assert run(tmp_path) == (7.0, True)


def test_the_digest_is_part_of_what_a_kept_kernel_is_known_by():
    stamp = solve_small._cache._cache_file._source_stamp
    assert stamp[1] == digest_of_sources("otdiv.network_flow.small.solve")
    assert stamp[1] != digest_of_sources("otdiv.network_flow.small.assignment")


ANNOUNCED = """
import numpy
from otdiv.network_flow.small.rows import copy_to, extent_of
for values in (numpy.zeros(3), numpy.zeros(3, numpy.float32)):
    copy_to(values, values), extent_of(values)
"""


@pytest.mark.slow
def test_the_first_compilation_of_a_process_is_announced_and_no_further_one(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", ANNOUNCED]
    said = [subprocess.run(command, env=environment, capture_output=True, text=True).stderr for _ in range(2)]
    assert said == ["otdiv: compiling its kernels, once on this machine: about 20 s.\n", ""]


def test_kernels_of_others_compile_in_silence(capsys):
    """The listener for compilations sees every kernel of the process, also one without a module."""
    namespace = {"njit": numba.njit}
    exec("@njit\ndef double(x):\n    return 2 * x\n", namespace)
    assert namespace["double"](21) == 42
    assert capsys.readouterr().err == ""


def _sum_of_parts(x):
    total = 0.0
    for k in range(len(x)):
        part = x[k:]
        total += part[0]
    return total


@pytest.mark.parametrize(
    ("body", "argument", "error"),
    [
        ("numpy.zeros(x)", 3, numba.TypingError),
        ("x[1:]", np.ones(3), numba.TypingError),
        ("x", np.ones(3), TypeError),
        ("1.0, (x, 2)", np.ones(3), TypeError),
    ],
)
def test_a_kernel_that_borrows_arrays_may_neither_make_nor_return_one(body, argument, error):
    namespace = {"numpy": np}
    exec(f"def returning(x):\n    return {body}\n", namespace)
    kernel()(namespace["returning"])(argument)
    with pytest.raises(error, match="borrows its arrays" if error is TypeError else None):
        kernel(borrows=True)(namespace["returning"])(argument)


def test_a_kernel_that_borrows_arrays_leaves_their_references_alone():
    summed, x = kernel(borrows=True)(_sum_of_parts), np.arange(4.0)
    before = sys.getrefcount(x)
    assert [summed(x) for _ in range(100)] == [6.0] * 100
    assert sys.getrefcount(x) == before and x.tolist() == [0.0, 1.0, 2.0, 3.0]
