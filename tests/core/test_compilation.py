"""Kept kernels: used again, compiled anew where a module has changed that their code is from; announced once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import otdiv
from otdiv.core.compilation import digest_of_sources
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
