"""Builds the documentation site into build/site: ``python docs/site/build.py``, or ``make docs``.

``--slow`` runs the slow notebooks too, if their outputs are not kept beside them.

Pages are copied to where they lie in the repository, so that their links hold in both places; the reference and the
gallery are generated. A warning of Sphinx, a link that leads nowhere, a file loaded from another machine is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# The package and the helpers of this clone, whichever is installed.
sys.path[:0] = [str(ROOT), str(HERE)]

import gallery  # noqa: E402
import links  # noqa: E402
import outputs  # noqa: E402
import reference  # noqa: E402

SOURCES = ROOT / "build" / "site-sources"
SITE = ROOT / "build" / "site"
MATHJAX = "sphinx-mathjax-offline"
"""The package that brings MathJax as files; it needs no network afterwards."""
COPIED = (
    "docs/*.md",
    "docs/quick-start/*.md",
    "docs/images/*.png",
    "benchmarks/*.md",
    "benchmarks/*.png",
    "benchmarks/*.py",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
)
DUALITY_CARD = """::::{grid-item-card} Duality that moves
:link: ../docs/duality.html
:link-type: url
:img-top: ../docs/images/duality.png

A page to drag points, masses and prices on; the interval closes as the solver steps.
::::

"""


def linked(text: str, depth: int) -> str:
    """The page with each public name and each notebook in backticks as a link to its page; code blocks stay.

    Links to duality.html, which is no page of Sphinx, become plain HTML.

    Parameters
    ----------
    text : str
        Markdown.
    depth : int
        Folders between the page and the root of the sources.
    """
    up = "../" * depth
    targets = {f"{entry.package}.{entry.name}": entry.page for entry in reference.entries()}
    targets |= {package: reference.file_of(package) for package in reference.packages()}

    def name(match: re.Match[str]) -> str:
        page = targets.get(match[1])
        return f"[`{match[1]}`]({up}reference/{page}.rst)" if page else match[0]

    def replaced(block: str) -> str:
        block = re.sub(r"(?<!\[)`(otdiv(?:\.\w+)+)`(?!\])", name, block)
        block = re.sub(r"\[([^\]]+)\]\(((?:\.\./|docs/)*duality\.html)\)", r'<a href="\2">\1</a>', block)
        return re.sub(r"(?<!\[)`notebooks/(\w+)\.py`(?!\])", rf"[`\1`]({up}notebooks/\1.ipynb)", block)

    parts = re.split(r"(^```.*?^```[ \t]*$)", text, flags=re.M | re.S)
    # The empty line that ends a doctest is not part of what is shown.
    return "".join(
        re.sub(r"\n+```[ \t]*$", "\n```", part) if part.startswith("```") else replaced(part) for part in parts
    )


def stage(slow: bool) -> None:
    """Copy the pages, and generate the reference and the gallery, below SOURCES."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    for pattern in COPIED:
        for path in sorted(ROOT.glob(pattern)):
            relative = path.relative_to(ROOT)
            target = SOURCES / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".md":
                target.write_text(linked(path.read_text(encoding="utf-8"), len(relative.parts) - 1), encoding="utf-8")
            else:
                shutil.copy(path, target)
    (SOURCES / "index.md").write_text(linked((HERE / "index.md").read_text(encoding="utf-8"), 0), encoding="utf-8")
    shutil.copy(HERE / "conf.py", SOURCES)
    static = SOURCES / "_static"
    static.mkdir()
    shutil.copy(HERE / "site.css", static)
    found = find_spec(MATHJAX)
    if found is None or found.origin is None:
        raise SystemExit(f"{MATHJAX} is not installed: pip install -e '.[docs]'")
    shutil.copy(Path(found.origin).parent / "static" / "mathjax" / "tex-svg-full.js", static)
    folder = SOURCES / "reference"
    folder.mkdir()
    for name, text in reference.pages().items():
        (folder / f"{name}.rst").write_text(text, encoding="utf-8")
    gallery.write_gallery(outputs.executed(slow=slow), SOURCES, DUALITY_CARD)


def build() -> None:
    """Run Sphinx with warnings as errors, add the page of duality, check all links."""
    shutil.rmtree(SITE, ignore_errors=True)
    command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-j", "2", "-d", str(ROOT / "build" / "site-doctrees")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, *command, str(SOURCES), str(SITE)], check=True, env=environment)
    shutil.copy(ROOT / "docs" / "duality.html", SITE / "docs")
    faults = links.faults(SITE)
    if faults:
        raise SystemExit("\n".join([*faults, f"{len(faults)} faulty links"]))
    print(f"{len(list(SITE.rglob('*.html')))} pages, all links hold: {SITE / 'index.html'}")


if __name__ == "__main__":
    stage(slow="--slow" in sys.argv[1:])
    build()
