"""The documentation site: every public name has its page, every page is in the menu, and dead links are seen."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest

import otdiv

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"


@pytest.fixture(scope="module")
def build():
    """docs/site/build.py as a module, with the helpers beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        spec = importlib.util.spec_from_file_location("site_build", SITE / "build.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def announced():
    """Every public name with its package: those of all ``__all__``, the errors and the torch loss."""
    found = {("otdiv", name) for name in otdiv.__all__ if name != "__version__"}
    found |= {
        ("otdiv.errors", name)
        for name, thing in vars(otdiv.errors).items()
        if inspect.isclass(thing) and issubclass(thing, Exception)
    }
    found.add(("otdiv.autograd", "emd_loss"))
    for module in pkgutil.iter_modules(otdiv.__path__):
        if module.name == "cli":  # the command, which describes itself
            continue
        package = importlib.import_module(f"otdiv.{module.name}")
        found |= {(package.__name__, name) for name in getattr(package, "__all__", ()) if module.ispkg}
    return found


def without_page(reference):
    """Public names for which the reference has no page, or one that documents something else."""
    pages, entries = reference.pages(), {(entry.package, entry.name): entry for entry in reference.entries()}
    missing = []
    for package, name in sorted(announced()):
        entry = entries.get((package, name))
        text = pages.get(entry.page, "") if entry else ""
        directive = re.search(r"^\.\. (?:auto\w+|py:data):: (\S+)$", text, re.M)
        owner, _, last = (directive[1] if directive else "otdiv.").rpartition(".")
        same = getattr(importlib.import_module(owner), last, None) is getattr(importlib.import_module(package), name)
        if not (directive and same and f"`{name} <{entry.page}>`" in pages[reference.file_of(package)]):
            missing.append(f"{package}.{name}")
    return missing


@pytest.mark.slow
def test_every_public_name_has_its_page(build):
    assert len(announced()) > 300
    assert without_page(build.reference) == []


@pytest.mark.slow
def test_a_name_without_a_page_is_seen(build, monkeypatch):
    reference = build.reference
    pages = reference.pages()
    monkeypatch.setattr(reference, "pages", lambda: {name: text for name, text in pages.items() if name != "otdiv.emd"})
    assert without_page(reference) == ["otdiv.emd", "otdiv.transport.emd"]


@pytest.mark.slow
def test_every_public_name_says_in_a_sentence_what_it_is(build):
    assert [f"{entry.package}.{entry.name}" for entry in build.reference.entries() if not entry.summary] == []


def test_a_constant_without_a_docstring_is_seen(build):
    bare = build.reference.Entry("otdiv.costs", "NO_SUCH_NAME", "otdiv.costs.NO_SUCH_NAME", (1, 2))
    assert bare.kind == "data" and bare.summary == ""


def test_every_page_is_in_the_menu():
    text = (SITE / "index.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").rglob("*.md")):
        if path.parent != SITE:
            assert re.search(rf"^{path.relative_to(ROOT).with_suffix('').as_posix()}$", text, re.M), path.name
    for name in ("CHANGELOG", "CONTRIBUTING", "benchmarks/README", "reference/index", "gallery/index"):
        assert re.search(rf"^{name}$", text, re.M), name


def test_names_and_notebooks_become_links_outside_of_code(build):
    text = "See `otdiv.kl`, `otdiv.nothing`, `notebooks/02_emd_primal_dual.py`, [page](../duality.html).\n"
    code = "```python\n>>> otdiv.kl  # `otdiv.kl`\n\n```\n"
    found = build.linked(text + code, 1)
    assert "[`otdiv.kl`](../reference/otdiv.kl.rst), `otdiv.nothing`," in found
    assert "[`02_emd_primal_dual`](../notebooks/02_emd_primal_dual.ipynb)" in found
    assert '<a href="../duality.html">page</a>' in found
    assert found.endswith("```python\n>>> otdiv.kl  # `otdiv.kl`\n```\n")


GOOD = '<h1 id="top">A</h1><a href="b.html#place">b</a><a href="https://example.org">out</a><img src="p.png">'


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("", ""), []),
        (("b.html#place", "c.html"), ["no such file"]),
        (("#place", "#nowhere"), ["no such place on the page"]),
        (('"p.png"', '"q.png"'), ["no such file"]),
        (('"p.png"', '"https://example.org/p.png"'), ["loaded from another machine"]),
        (("<img", '<script src="//example.org/x.js"></script><img'), ["loaded from another machine"]),
    ],
    ids=["good", "page", "place", "picture", "picture from elsewhere", "script from elsewhere"],
)
def test_links_are_checked(build, tmp_path, change, wrong):
    (tmp_path / "a.html").write_text(GOOD.replace(*change))
    (tmp_path / "b.html").write_text('<p id="place"><a href="a.html#top">a</a>')
    (tmp_path / "p.png").write_bytes(b"")
    build.links.read.cache_clear()
    assert [fault.rpartition(": ")[2] for fault in build.links.faults(tmp_path)] == wrong


def notebook(*cells):
    makers = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    return nbformat.v4.new_notebook(cells=[makers[kind](source) for kind, source in cells])


def test_a_notebook_with_outputs_is_taken_only_in_step_with_its_script(build, tmp_path):
    script = tmp_path / "01_x.py"
    script.write_text("# %% [markdown]\n# # Title\n\n# %%\nx = 1\n")
    assert build.outputs.kept(script) is None
    stored = notebook(("markdown", "# Title"), ("code", "x = 1"))
    nbformat.write(stored, script.with_suffix(".ipynb"))
    assert build.outputs.kept(script) is None, "without outputs"
    stored.cells[1].execution_count = 1
    nbformat.write(stored, script.with_suffix(".ipynb"))
    assert build.outputs.kept(script) is not None
    script.write_text(script.read_text() + "y = 2\n")
    assert build.outputs.kept(script) is None, "out of step"


def test_a_slow_notebook_without_outputs_is_shown_as_it_is_written(build, tmp_path, monkeypatch, capsys):
    script = tmp_path / "06_x.py"
    script.write_text("# %%\nx = 1\n")
    ran = []
    monkeypatch.setattr(build.outputs, "run", ran.append)
    assert build.outputs.found_or_run(script, slow=False).cells[0].source == "x = 1"
    assert ran == [] and "06_x.py" in capsys.readouterr().out
    build.outputs.found_or_run(script, slow=True)
    build.outputs.found_or_run(script.rename(tmp_path / "05_x.py"), slow=False)
    assert [path.name for path in ran] == ["06_x.py", "05_x.py"]


def test_the_gallery_has_a_card_with_a_picture_for_each_notebook(build, tmp_path):
    made = notebook(("markdown", "# Title\n\nOne sentence. And $\\frac12$ not."), ("code", "draw()"))
    made.cells[1].outputs = [nbformat.v4.new_output("display_data", {"image/png": "aGVsbG8="})]
    build.gallery.write_gallery({"01_x": made}, tmp_path)
    text = (tmp_path / "gallery" / "index.md").read_text()
    assert "{grid-item-card} Title" in text and ":img-top: images/01_x.png" in text and "../notebooks/01_x" in text
    assert "One sentence." in text and "frac" not in text
    assert (tmp_path / "gallery" / "images" / "01_x.png").read_bytes() == b"hello"
    assert nbformat.read(tmp_path / "notebooks" / "01_x.ipynb", as_version=4).cells[0].source.startswith("# Title")
