"""The pages of the API reference: one for each public name, from ``__all__`` of the packages and the docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import otdiv

PACKAGE = Path(otdiv.__file__).parent
WITHOUT_ALL = {"otdiv.errors", "otdiv.autograd"}
"""Public modules without ``__all__``: what they define is public."""
LEFT_OUT = {"__version__"}
"""Names of an ``__all__`` that need no page."""
COMMAND = "otdiv.cli"
"""The command, which describes itself by ``otdiv --help``."""


@dataclass(frozen=True)
class Entry:
    """A public name: of which package, its page, and the thing itself.

    A thing that several packages announce has one page, under its shortest name.
    """

    package: str
    name: str
    page: str
    thing: Any

    @property
    def kind(self) -> str:
        """class, exception, function, module or data."""
        if inspect.ismodule(self.thing):
            return "module"
        if inspect.isclass(self.thing):
            return "exception" if issubclass(self.thing, BaseException) else "class"
        return "function" if callable(self.thing) and hasattr(self.thing, "__code__") else "data"

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, in one line."""
        text = data_docstring(self.name) if self.kind == "data" else inspect.getdoc(self.thing)
        return " ".join((text or "").split("\n\n")[0].split())


def packages() -> list[str]:
    """Public packages and modules: otdiv, each package that announces names, and WITHOUT_ALL."""
    found = [f"otdiv.{module.name}" for module in pkgutil.iter_modules(otdiv.__path__) if module.ispkg]
    announcing = [name for name in found if name != COMMAND and hasattr(importlib.import_module(name), "__all__")]
    return ["otdiv", *sorted({*announcing, *WITHOUT_ALL})]


def names_of(package: str) -> list[str]:
    """The public names of a package, sorted."""
    module = importlib.import_module(package)
    if package in WITHOUT_ALL:
        defined = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == package]
        return sorted(name for name in defined if name[0] != "_")
    return sorted(set(module.__all__) - LEFT_OUT)


@cache
def entries() -> tuple[Entry, ...]:
    """All public names, otdiv's own first, each with its page."""
    pages: dict[int, str] = {}
    found = []
    for package in packages():
        module = importlib.import_module(package)
        for name in names_of(package):
            thing = getattr(module, name)
            full = f"{package}.{name}"
            shared = inspect.isclass(thing) or inspect.isfunction(thing)
            page = pages.setdefault(id(thing), full) if shared else full
            found.append(Entry(package, name, page, thing))
    return tuple(found)


@cache
def documented_constants() -> dict[str, str]:
    """Docstrings of constants, by name: the text that follows an assignment at the top of a module."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, after in zip(body, body[1:], strict=False):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                targets = target.elts if isinstance(target, ast.Tuple) else [target]
                found |= {name.id: inspect.cleandoc(text.value) for name in targets if isinstance(name, ast.Name)}
    return found


def data_docstring(name: str) -> str:
    """What is written below a constant where it is defined; empty where nothing is."""
    return documented_constants().get(name, "")


def title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"


def entry_page(entry: Entry) -> str:
    """The page of one name, for Sphinx's autodoc; in no menu, which 330 names would make slow to read and to build."""
    text = ":orphan:\n\n" + title(entry.page) + f"In :doc:`{entry.package} <{file_of(entry.package)}>`.\n\n"
    if entry.kind == "data":
        value = repr(entry.thing)
        shown = value if len(value) <= 80 and " at 0x" not in value else ""
        text += f".. py:data:: {entry.page}\n" + (f"   :value: {shown}\n" if shown else "") + "\n"
        about = data_docstring(entry.name) or inspect.getdoc(type(entry.thing)) or ""
        return text + "\n".join(f"   {escaped(line)}".rstrip() for line in about.splitlines()) + "\n"
    members = "" if entry.kind == "function" else "   :members:\n   :show-inheritance:\n"
    return text + f".. auto{entry.kind}:: {entry.page}\n{members}"


def escaped(text: str) -> str:
    """Text for a table cell of reStructuredText: marks that would open emphasis or a reference are taken literally."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("|", "\\|").replace("_ ", "\\_ ")


def package_page(package: str) -> str:
    """The page of a package: its docstring and a table of its names."""
    module = importlib.import_module(package)
    own = [entry for entry in entries() if entry.package == package]
    text = title(package) + (inspect.getdoc(module) or "") + "\n\n"
    text += ".. list-table::\n   :widths: 34 66\n   :class: names\n\n"
    for entry in own:
        text += f"   * - :doc:`{entry.name} <{entry.page}>`\n     - {escaped(entry.summary)}\n"
    return text


def file_of(package: str) -> str:
    """The page's file of a package; otdiv's own must differ from the folder's index."""
    return f"package-{package}"


def index_page() -> str:
    """The list of packages."""
    text = title("API reference")
    text += "Public are the names in the ``__all__`` of each package; everything else may change.\n\n"
    text += ".. list-table::\n   :widths: 30 70\n\n"
    for package in packages():
        summary = (inspect.getdoc(importlib.import_module(package)) or "").split("\n\n")[0]
        text += f"   * - :doc:`{package} <{file_of(package)}>`\n     - {escaped(' '.join(summary.split()))}\n"
    listed = "".join(f"   {package} <{file_of(package)}>\n" for package in packages())
    return text + "\n.. toctree::\n   :hidden:\n\n" + listed


def pages() -> dict[str, str]:
    """All pages of the reference: name of the page (without ending) to its text."""
    made = {"index": index_page()} | {file_of(package): package_page(package) for package in packages()}
    return made | {
        entry.page: entry_page(entry) for entry in entries() if entry.page == f"{entry.package}.{entry.name}"
    }
