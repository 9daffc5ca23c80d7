"""POT's compiled network simplex, loaded alone and whole."""

import json
import subprocess
import sys

import pytest

from otdiv.transport.methods import pot_library

CODE = """
import json, sys
from otdiv.transport.methods.pot_library import compiled_network_simplex
call = compiled_network_simplex()
import numpy as np
a = np.array([0.5, 0.5])
plan, cost, f, g, code = call(a, a, np.array([[1.0, 0.0], [0.0, 1.0]]), 1000, 1)
loaded = [name for name in ("ot", "ot.lp.emd_wrap", "torch", "sklearn", "otdiv_pot") if name in sys.modules]
whole = {}
if len(sys.argv) > 1:
    import ot
    whole = {"ot": float(ot.emd2(a, a, np.array([[1.0, 0.0], [0.0, 1.0]])))}
print(json.dumps({"plan": plan.tolist(), "cost": cost, "code": code, "loaded": loaded, **whole}))
"""


def ran(*arguments: str) -> dict:
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_it_loads_nothing_else():
    assert ran() == {"plan": [[0.0, 0.5], [0.5, 0.0]], "cost": 0.0, "code": 1, "loaded": []}


@pytest.mark.slow
def test_pot_itself_can_be_imported_afterwards():
    assert ran("whole")["ot"] == 0.0


MORE = """
from types import ModuleType
from otdiv.transport.methods import pot_library

class Bare(ModuleType):  # nothing can be imported from it
    def __setattr__(self, name, value):
        if name != "dist":
            super().__setattr__(name, value)

pot_library.ModuleType = Bare
assert pot_library._loaded_alone() is None
"""


@pytest.mark.slow
def test_a_version_that_asks_for_more_is_imported_whole():
    done = subprocess.run([sys.executable, "-c", MORE + CODE, "whole"], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["plan"] == [[0.0, 0.5], [0.5, 0.0]] and "ot" in answer["loaded"]


def test_without_pots_folder_there_is_nothing_to_load(monkeypatch):
    monkeypatch.setattr(pot_library.importlib.util, "find_spec", lambda name: None)
    assert pot_library._loaded_alone() is None
