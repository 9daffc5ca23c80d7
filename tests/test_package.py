"""The repository builds as a wheel and as an sdist without git, and the wheel runs by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALONE = """
import sys
class NoTorch:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("torch is not there")
sys.meta_path.insert(0, NoTorch)
import otdiv
print(otdiv.__file__)
sys.argv[1:] = {argv!r}
from otdiv.cli import main
main()
"""
COPIED = ("otdiv", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """A wheel and an sdist, built from a copy without .git by setuptools alone."""
    pytest.importorskip("setuptools", minversion="68")
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    code = "from setuptools import build_meta as b; print(b.build_sdist('dist')); print(b.build_wheel('dist'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sdist = next((folder / "dist").glob("*.tar.gz"))
    wheel = next((folder / "dist").glob("*.whl"))
    return wheel, sdist


def modules(names: list[str], skip: int) -> set[str]:
    return {
        "/".join(name.split("/")[skip:]) for name in names if name.endswith((".py", "py.typed")) and "otdiv/" in name
    }


def test_every_module_is_in_both(built):
    wheel, sdist = built
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "otdiv").rglob("*.py")} | {"otdiv/py.typed"}
    with zipfile.ZipFile(wheel) as archive:
        assert modules(archive.namelist(), 0) == there
    with tarfile.open(sdist) as archive:
        assert modules(archive.getnames(), 1) >= there - {"otdiv/py.typed"}


@pytest.mark.slow
@pytest.mark.parametrize("argv", [("lecture", "S7", "S20"), ("emd", "a.csv", "b.csv")], ids=lambda argv: argv[0])
def test_the_wheel_runs_by_itself(built, argv, tmp_path):
    """From its own folder, without the checkout and without torch; dependencies are those installed."""
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "a.csv").write_text("0\n1\n")
    (tmp_path / "b.csv").write_text("2\n3\n")
    (tmp_path / "alone.py").write_text(ALONE.format(argv=list(argv)))
    path = {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "alone.py"], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    where, _, printed = done.stdout.partition("\n")
    assert where.startswith(str(tmp_path / "site"))
    assert "all ok" in printed if argv[0] == "lecture" else "EMD        2" in printed
