"""Notebooks, README and documentation use public names only: those in the ``__all__`` of a package."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import otdiv

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PACKAGES = [f"otdiv.{module.name}" for module in pkgutil.iter_modules(otdiv.__path__) if module.ispkg]
PUBLIC_MODULES = {"otdiv", "otdiv.errors", "otdiv.autograd"}
WITHOUT_ALL = {
    "otdiv.core",
    "otdiv.files",
    "otdiv.cli",
    "otdiv.report",
    "otdiv.pricing",
    "otdiv.network_flow",
    "otdiv.neural",
    "otdiv.processes",
}
"""Rooms without public names: nothing outside the package may use them."""


def is_package(name):
    return hasattr(importlib.import_module(name), "__path__")


def private_imports(source):
    """What a piece of code imports from otdiv though it is in no ``__all__``, as texts."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "otdiv"]
            found += [f"import {name}" for name in names if name not in PUBLIC_MODULES and not is_package(name)]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "otdiv":
            module = importlib.import_module(node.module)
            if not (hasattr(module, "__path__") or node.module in PUBLIC_MODULES):
                found.append(f"from {node.module}")
                continue
            public = set(getattr(module, "__all__", ()))
            public |= set(vars(module)) if node.module == "otdiv.errors" else set()
            public |= {name.removeprefix("otdiv.") for name in PACKAGES} if node.module == "otdiv" else set()
            public |= {"emd_loss", "emd_loss_many"} if node.module == "otdiv.autograd" else set()
            found += [f"from {node.module} import {alias.name}" for alias in node.names if alias.name not in public]
    return found


def code_of(page):
    """The Python code of a page: the fenced blocks, doctest prompts removed."""
    blocks = re.findall(r"```(?:python|pycon)\n(.*?)```", page, flags=re.S)
    return "\n".join(re.sub(r"^(?:>>> |\.\.\. )", "", block, flags=re.M) for block in blocks)


def private_mentions(page):
    """Names in backticks such as `otdiv.emd` that no package announces."""
    found = []
    for name in re.findall(r"`(otdiv(?:\.\w+)+)", page):
        owner, _, last = name.rpartition(".")
        if name in PUBLIC_MODULES or name in PACKAGES:
            continue
        attributes = []
        while owner and owner not in PACKAGES and owner not in PUBLIC_MODULES:  # a method of a public class
            owner, _, attribute = owner.rpartition(".")
            attributes.append(last)
            last = attribute
        module = importlib.import_module(owner or "otdiv")
        thing = getattr(module, last, None) if last in announced(module) else None
        for attribute in reversed(attributes):
            thing = getattr(thing, attribute, None)
        if thing is None:
            found.append(name)
    return found


def announced(module):
    return [name for name in vars(module) if name[0] != "_"] if not hasattr(module, "__path__") else module.__all__


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_public_names_only(path):
    assert private_imports(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_uses_public_names_only(path):
    text = path.read_text(encoding="utf-8")
    assert private_imports("\n".join(re.findall(r"^ *(?:>>> )?((?:from|import) otdiv.*)$", code_of(text), re.M))) == []
    assert private_mentions(text) == []


@pytest.mark.parametrize("name", sorted(set(PACKAGES) - WITHOUT_ALL))
def test_a_package_announces_its_names(name):
    package = importlib.import_module(name)
    assert len(set(package.__all__)) == len(package.__all__)  # ruff keeps them sorted
    assert all(hasattr(package, public) for public in package.__all__)
    assert package.__doc__


@pytest.mark.parametrize(
    "source",
    [
        "import otdiv.measures.discrete",
        "from otdiv.measures.discrete import DiscreteMeasure",
        "from otdiv.measures import require_mass_one",
        "from otdiv.core import bounds",
        "from otdiv import no_such_name",
        "from otdiv.autograd import torch",
    ],
)
def test_a_private_import_is_seen(source):
    assert len(private_imports(f"x = 1\n{source}\n")) == 1


def test_public_imports_pass():
    source = "import otdiv\nfrom otdiv import emd, divergences\nfrom otdiv.measures import DiscreteMeasure\n"
    assert (
        private_imports(source + "\nfrom otdiv.errors import InvalidInput\nfrom otdiv.autograd import emd_loss") == []
    )


def test_a_private_mention_is_seen():
    assert private_mentions("see `otdiv.emd`, `otdiv.costs.Cost.matrix` and `otdiv.lipschitz`") == []
    for name in ("otdiv.measures.discrete.DiscreteMeasure", "otdiv.nothing", "otdiv.costs.Cost.nothing"):
        assert private_mentions(f"see `{name}`") == [name]


FUNCTIONS = [
    f"{name}.{public}"
    for name in sorted(set(PACKAGES) - WITHOUT_ALL)
    for public in importlib.import_module(name).__all__
    if inspect.isfunction(getattr(importlib.import_module(name), public))
]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_public_function_says_what_it_takes_and_returns(name):
    owner, _, last = name.rpartition(".")
    function = getattr(importlib.import_module(owner), last)
    text = inspect.getdoc(function) or ""
    assert "Returns\n-------" in text
    assert "Parameters\n----------" in text or not inspect.signature(function).parameters
