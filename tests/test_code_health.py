"""The code keeps its own rules: lint, types, import direction, doctests, public surface, sizes, no private paths."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import otdiv

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "otdiv"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("torch", "cvxpy", "matplotlib", "dask", "ot", "sklearn", "rich", "click", "numba", "pandas")
LARGEST_FILE = 400


def tool(name, *argv, cwd=ROOT):
    """Run a command-line tool that is installed beside this Python."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        pytest.skip(f"{name} is not installed")
    return subprocess.run([path, *argv], cwd=cwd, capture_output=True, text=True, timeout=600)


def tracked():
    """The files of the repository; without git, all but the ignored folders."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [
        path for path in ROOT.rglob("*") if path.is_file() and not re.search(r"/\.|egg-info|__pycache__", str(path))
    ]


@pytest.mark.parametrize("argv", [("check", "."), ("format", "--check", ".")], ids=" ".join)
def test_ruff(argv):
    done = tool("ruff", *argv)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_sees_a_fault(tmp_path):
    shutil.copy(ROOT / "ruff.toml", tmp_path)
    (tmp_path / "a.py").write_text("import os\nx=1\n")
    assert "F401" in tool("ruff", "check", ".", cwd=tmp_path).stdout
    assert tool("ruff", "format", "--check", ".", cwd=tmp_path).returncode == 1


def test_types():
    done = tool("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_are_really_checked(tmp_path):
    source = tmp_path / "wrong.py"
    source.write_text("from otdiv import Bounds\n\nwidth: str = Bounds(0.0, 1.0).gap\n")
    done = tool("mypy", "--config-file", str(ROOT / "setup.cfg"), str(source))
    assert done.returncode == 1 and "Incompatible types in assignment" in done.stdout


def test_imports_point_down():
    done = tool("lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "line", "message"),
    [
        (
            "measures/discrete.py",
            "import otdiv.transport.solve\n",
            "otdiv.measures is not allowed to import otdiv.transport",
        ),
        ("measures/files.py", "def f():\n    import otdiv.cli\n", "otdiv.measures is not allowed to import otdiv.cli"),
        (
            "duality/zero_sum_games.py",
            "import otdiv.transport.methods.linear_program\n",
            "otdiv.duality is not allowed to import otdiv.transport",
        ),
        ("network_flow/heap.py", "import otdiv.costs\n", "otdiv.network_flow is not allowed to import otdiv.costs"),
        ("newcomer.py", "x = 1\n", "otdiv.newcomer"),
        ("errors.py", "import torch\n", "otdiv is not allowed to import torch"),
    ],
)
def test_an_upward_import_is_seen(tmp_path, where, line, message):
    shutil.copytree(PACKAGE, tmp_path / "otdiv", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    with open(tmp_path / "otdiv" / where, "a") as stream:
        stream.write("\n" + line)
    done = tool("lint-imports", "--no-cache", cwd=tmp_path)
    assert done.returncode == 1 and message in done.stdout, done.stdout


@pytest.mark.long
def test_doctests():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules", "otdiv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout + " 0 passed")[1]) or done.stdout.count(".")
    assert passed >= 20, done.stdout


PUBLIC = [name for name in otdiv.__all__ if name != "__version__"]


def test_the_public_surface_is_what_it_says():
    assert list(otdiv.__all__) == sorted(otdiv.__all__), "sorted"
    assert len(set(otdiv.__all__)) == len(otdiv.__all__)
    hidden = {
        name for name in vars(otdiv) if not name.startswith("_") and not inspect.ismodule(getattr(otdiv, name))
    } - set(otdiv.__all__)
    assert hidden == set(), "names that are there but not announced"
    for name in ("emd", "wasserstein", "solve", "certify", "DiscreteMeasure", "TransportProblem", "TransportResult"):
        assert name in otdiv.__all__
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", otdiv.__version__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented(name):
    thing = getattr(otdiv, name)
    text = inspect.getdoc(thing)
    assert text and len(text.splitlines()[0]) > 10 and text.splitlines()[0].endswith(".")
    if inspect.isfunction(thing):
        for section in ("Parameters", "Returns"):
            assert f"{section}\n{'-' * len(section)}" in text, f"{name}: no section {section}"
        described = text.split("Returns\n")[0]
        for argument in inspect.signature(thing).parameters:
            assert re.search(rf"\b{argument}\b", described), f"{name}: {argument} is not described"


def modules_after(statement):
    code = f"import json, sys, time\nt = time.perf_counter()\n{statement}\nt = time.perf_counter() - t\n"
    code += "print(json.dumps([t, sorted({name.partition('.')[0] for name in sys.modules})]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    seconds, names = json.loads(done.stdout)
    return seconds, names


@pytest.mark.slow
def test_import_brings_nothing_heavy():
    base = "import numpy, scipy.optimize, scipy.sparse, scipy.spatial.distance, scipy.special"
    quick, at_first = modules_after("import otdiv")
    assert "numpy" not in at_first and "scipy" not in at_first  # names are imported when they are first used
    seconds, names = modules_after("import otdiv\nfor name in otdiv.__all__:\n    getattr(otdiv, name)")
    before, _ = modules_after(base)
    print(f"import otdiv: {quick:.2f} s, with every name {seconds:.2f} s; numpy and scipy alone: {before:.2f} s")
    assert "numpy" in names and "otdiv" in names
    assert set(names) & set(HEAVY) == set()


def test_names_and_packages_are_found_after_import_otdiv():
    modules = vars(otdiv)["_MODULES"]
    assert sorted({*modules, "__version__"}) == otdiv.__all__
    code = "import otdiv\n"
    code += "for name in (*otdiv.__all__, *otdiv._PACKAGES):\n    assert getattr(otdiv, name) is not None\n"
    code += "    assert name in dir(otdiv)\n"
    code += "assert callable(otdiv.compare) and callable(otdiv.critics.estimate) and callable(otdiv.plots.plot_plan)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        otdiv.nothing  # noqa: B018


def test_the_check_of_imports_can_fail():
    _, names = modules_after("import otdiv, click")
    assert set(names) & set(HEAVY) == {"click"}


PRIVATE = re.compile(
    "|".join(
        [
            # absolute folders and neighbours of the checkout, written in parts so that no search finds them here
            "/(?:" + "|".join(["w" + "ork", "f" + "arm", "home", "root", "Users"]) + ")/",
            r"(?<![\w.])/" + "tmp/",
            r"\.\./" + "shared",
            r"index-url|https?://(?:[\w.-]*pypi|[\w.-]*artifactory|localhost|\d+\.\d+\.\d+\.\d+)",
        ]
    )
)


def test_no_machine_is_mentioned():
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in PRIVATE.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "/" + "work/main",
        "/" + "home/somebody",
        "see ../" + "shared/x",
        "open('/" + "tmp/a')",
        "--index-url x",
        "http://127.0.0.1/simple",
    ],
)
def test_a_machine_path_is_seen(text):
    assert PRIVATE.search(text)


def test_ordinary_text_is_no_machine_path():
    assert not PRIVATE.search("homework/main, tmp_path, https://github.com/x/y, a/work")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_and_is_short(path):
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{path.name} needs a docstring"
    lines = text.count("\n")
    assert lines <= LARGEST_FILE, f"{path.name} has {lines} lines: split it"


def folders_too_full(root):
    """Folders of the package with more than twelve modules, ``__init__`` not counted."""
    folders = {path.parent for path in root.rglob("*.py")}
    return {folder.name for folder in folders if len({*folder.glob("*.py")} - {folder / "__init__.py"}) > 12}


def test_no_folder_has_more_than_twelve_modules(tmp_path):
    assert folders_too_full(PACKAGE) == set()
    for k in range(13):
        (tmp_path / f"m{k}.py").touch()
    assert folders_too_full(tmp_path) == {tmp_path.name}, "the check can fail"


def test_the_contract_and_the_architecture_name_every_room():
    rooms = {
        path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name[:2] != "__" and path.name != "py.typed"
    }
    contract = (ROOT / "setup.cfg").read_text().split("layers =\n    __main__\n")[1].split("\n\n")[0]
    assert set(re.findall(r"\w+", contract)) == rooms
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert {room for room in rooms if f"`{room}" not in text} <= {"_version"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_every_test_file_has_a_docstring(path):
    text = path.read_text(encoding="utf-8")
    assert not text or ast.get_docstring(ast.parse(text))
