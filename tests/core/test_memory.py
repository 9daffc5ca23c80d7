"""What is free is read from the machine and from the container; every method refuses before it allocates."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import emd
from otdiv.core.memory import available_memory, require_memory
from otdiv.errors import TooLarge

GIB = 2**30


def system(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable: {8 * 2**20} kB\n"}


def test_the_machine_alone(tmp_path):
    assert available_memory(system(tmp_path, MACHINE)) == 8 * GIB
    assert available_memory(tmp_path / "nothing") == np.inf


def test_a_container_of_the_second_version(tmp_path):
    files = {
        "proc/self/cgroup": "0::/app/job\n",
        "sys/fs/cgroup/app/memory.max": f"{4 * GIB}\n",
        "sys/fs/cgroup/app/memory.current": f"{3 * GIB}\n",
        "sys/fs/cgroup/app/memory.stat": f"anon 5\ninactive_file {2 * GIB}\n",
        "sys/fs/cgroup/app/job/memory.max": "max\n",
        "sys/fs/cgroup/app/job/memory.current": "5\n",
    }
    assert available_memory(system(tmp_path, MACHINE | files)) == 3 * GIB  # of the group above; read pages can go


def test_a_container_of_the_first_version(tmp_path):
    files = {
        "proc/self/cgroup": "4:cpu,memory:/docker/x\n2:pids:/y\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",  # the group's own folder is not seen from inside
        "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
        "sys/fs/cgroup/memory/memory.stat": f"cache 7\ntotal_inactive_file {GIB // 4}\n",
    }
    assert available_memory(system(tmp_path, MACHINE | files)) == GIB / 4


def test_what_needs_more_is_refused(monkeypatch):
    monkeypatch.setattr("otdiv.core.memory.available_memory", lambda: GIB)
    require_memory(GIB, None, "this")
    with pytest.raises(TooLarge, match="this needs about 2 GiB; the limit is 1 GiB"):
        require_memory(2 * GIB, None, "this")


@pytest.mark.parametrize("method", ["line", "pot", "simplex", "primal", "dual", "primal-cvxpy", "dual-cvxpy"])
def test_every_method_keeps_to_the_limit(method):
    x = np.random.default_rng(0).random(40)
    with pytest.raises(TooLarge, match=r"the limit is 1.86e-06 GiB. Raise memory_limit"):
        emd(x, x + 1, method=method, memory_limit=2000)
    assert emd(x, x + 1, method=method, memory_limit=1e7).value == pytest.approx(1)
