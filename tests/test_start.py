"""What is imported for an answer, in processes of their own: nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "ot", "sklearn", "cvxpy", "matplotlib", "pandas", "scipy.stats", "scipy.optimize", "scipy.spatial")


def imported(code: str) -> set[str]:
    """Those of the heavy packages that a new process has imported after the code."""
    check = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return set(eval(done.stderr.splitlines()[-1]))  # a list of names that this file wrote


def test_the_help_needs_neither_numpy_nor_the_commands():
    code = "import otdiv.cli.main, sys; assert 'numpy' not in sys.modules and 'otdiv.cli.emd' not in sys.modules"
    assert imported(code) == set()


@pytest.mark.slow
def test_a_small_distance_needs_no_heavy_package():
    assert imported("import otdiv; otdiv.emd([[0.0, 1.0], [1.0, 0.0]], [[2.0, 2.0], [3.0, 1.0]])") == set()


def test_a_cost_by_scipy_is_seen():
    """The check itself: what is imported is reported."""
    assert imported("import scipy.optimize") >= {"scipy.optimize"}
