"""Every save leaves the older file or the newer one whole, whatever happens; the answer is printed first."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from otdiv import emd
from otdiv.cli.main import main
from otdiv.critics import estimate, fit
from otdiv.errors import InvalidInput
from otdiv.files.writing import require_writable, write_whole
from otdiv.plots.style import figure, save_figure

ROOT = Path(__file__).parents[2]


@contextmanager
def files_of_at_most(size: int):
    """As on a disk with so many bytes left: writing beyond fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_whole_file():
    command = [sys.executable, "-m", "tests.files.killed_saves", "15"]
    seen = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout)
    naive = seen.pop("in place")
    assert naive["broken"] > 0  # the kills do hit the middle of a save
    assert set(seen) == {"certificate", "critic", "checkpoint", "figure", "page"}
    for kind, count in seen.items():
        assert count["broken"] == 0 and count["kills"] == 15, kind
    assert sum(count["in the middle"] for count in seen.values()) > 0


@pytest.fixture
def savers():
    rng = np.random.default_rng(0)
    result, critic = emd(rng.random((200, 2)), rng.random((200, 2))), fit([0.0, 1.0], [2.0, 3.0], steps=2)
    return {
        "c.npz": result.save,
        "c.pt": critic.save,
        "c.png": lambda path: save_figure(figure()[0], path),
        "c.pdf": lambda path: save_figure(figure()[0], path),
        "c.svg": lambda path: save_figure(figure()[0], path),
    }


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_older_file_stands(tmp_path, savers):
    for name, save in savers.items():
        path = tmp_path / name
        path.write_bytes(b"older")
        with files_of_at_most(200), pytest.raises(InvalidInput, match=r"File too large at .* Free space"):
            save(path)
        assert path.read_bytes() == b"older"
        save(path)
        assert len(path.read_bytes()) > 200
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(savers)  # and no unfinished parts


@pytest.mark.slow
def test_a_full_disk_ends_a_training_with_a_checkpoint_in_one_sentence(tmp_path):
    points = [0.0, 1.0], [2.0, 3.0]
    with files_of_at_most(200), pytest.raises(InvalidInput, match=r"checkpoint must be a file that can be written"):
        estimate(*points, steps=50, checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(InvalidInput, match="checkpoint must lie in an existing folder"):
        estimate(*points, steps=50, checkpoint=tmp_path / "none" / "run.ckpt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "option", "name", "printed"),
    [
        (["emd"], "--save", "c.npz", "EMD"),
        (["critic", "--steps", "20"], "--save", "c.pt", "Verdict"),
        (["critic", "--steps", "20"], "--figure", "c.svg", "Verdict"),
        (["audit", "--values", "a.npy", "b.npy"], "--figure", "c.svg", "Verdict"),
    ],
)
def test_commands_print_the_answer_before_they_save(tmp_path, monkeypatch, capsys, command, option, name, printed):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.arange(5.0))
    np.save("b.npy", np.arange(5.0) + 3)
    Path(name).write_bytes(b"older")

    def run(target: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([*command, "a.npy", "b.npy", option, target])
        return (stop.value.code, *capsys.readouterr())

    with files_of_at_most(200):
        code, out, err = run(name)
    assert code == 1 and printed in out
    assert (
        err.startswith(f"otdiv: {option} must be a file that can be written; got File too large")
        and err.count("\n") == 1
    )
    assert Path(name).read_bytes() == b"older"
    for target in (f"none/{name}", name + ".txt", "/proc/" + name):
        code, out, err = run(target)
        assert err.startswith(f"otdiv: {option} must ") and err.count("\n") == 1
        assert code == 2 and out == "" if target.startswith(("none", name)) else code in (1, 2)


def test_links_and_permissions_stay(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"older")
    path.chmod(0o640)
    link.symlink_to(path)
    with write_whole(link) as stream:
        stream.write(b"newer")
    assert link.is_symlink() and path.read_bytes() == b"newer" and path.stat().st_mode & 0o777 == 0o640


def test_an_error_inside_leaves_the_older_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"older")
    with pytest.raises(ZeroDivisionError), write_whole(path) as stream:
        stream.write(b"half")
        1 / 0  # noqa: B018
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]


def test_what_is_no_place_for_a_file_is_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path, found in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device"), (tmp_path / ("x" * 300), "too long")):
        with pytest.raises(InvalidInput, match=found):
            require_writable(path)
    with pytest.raises(InvalidInput, match=r"--figure must end in .png or .svg; got 'a.txt'. For example a.svg."):
        require_writable(tmp_path / "a.txt", "--figure", (".png", ".svg"))
    monkeypatch.setattr("os.access", lambda path, mode: False)  # whoever runs the tests may write anywhere
    with pytest.raises(InvalidInput, match="no write access"):
        require_writable(tmp_path / "file")
