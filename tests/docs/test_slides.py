"""Slides: no text is lost, long code is folded, and in a browser no slide overflows 1280 by 720."""

from __future__ import annotations

import base64
import html
import importlib.util
import io
import re
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SLIDES = ROOT / "docs" / "slides"
FRAME = 30
"""Pixels along the edges of a slide that must stay empty; its margins are 42 and 64."""


@pytest.fixture(scope="module")
def build():
    """docs/slides/build.py as a module, with the helpers beside it."""
    pytest.importorskip("sphinx_revealjs", reason="sphinx-revealjs, which brings reveal.js, is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for folder in (ROOT / "docs" / "site", SLIDES):
            patch.syspath_prepend(str(folder))
        spec = importlib.util.spec_from_file_location("slides_build", SLIDES / "build.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def picture(width, height):
    """A grey picture as the text that a notebook holds."""
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    stream = io.BytesIO()
    image.new("RGB", (width, height), "grey").save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()


def cell(source, *outputs):
    made = nbformat.v4.new_code_cell(source)
    made.outputs = list(outputs)
    return made


def text_output(text):
    return nbformat.v4.new_output("stream", text=text)


def picture_output(width, height):
    return nbformat.v4.new_output("display_data", {"image/png": picture(width, height)})


def crowded():
    """A notebook of what is hardest to fit: long texts, tall and wide pictures, long code and output, formulas."""
    text = nbformat.v4.new_markdown_cell
    many = "\n\n".join(f"Paragraph {k}: " + "some words that fill a line and more " * 8 for k in range(12))
    return nbformat.v4.new_notebook(
        cells=[
            text("# A crowded notebook\n\nWith $a_i$, and\n\n$$\\sum_i a_i \\le 1 .$$"),
            text("## Long text\n\n" + many),
            text("## Pictures\n\nTwo of them:"),
            cell("draw()", picture_output(400, 1200)),
            cell("\n".join(f"line_{k} = draw({k})" for k in range(30)), picture_output(2400, 300)),
            text("## Output\n\nMuch of it:"),
            cell("show()", text_output("\n".join(f"row {k} " + "0.123 " * 12 for k in range(28)))),
            text("## Claims"),
            cell("import x\nassert x.y"),
        ]
    )


def decks(build):
    """The crowded notebook, and 02 to 05: with outputs where they are kept or were run, else as they are written."""
    found = {"crowded": crowded()}
    for script in build.outputs.SCRIPTS:
        if build.FIRST <= int(script.name[:2]) <= build.LAST:
            found[script.stem] = build.outputs.kept(script) or jupytext.read(script)
    return found


def letters(section):
    """The text of a piece of HTML without spaces, formulas (MathJax alters them) and headings (paging repeats them)."""
    section = re.sub(r"<(h[12])>.*?</\1>|<(span|div) class=\"math.*?</\2>", "", section, flags=re.S)
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]+>", "", section)))


SHOWN = """[...document.querySelectorAll('.slides > section')].map((node) => {
  const copy = node.cloneNode(true);
  copy.querySelectorAll('h1, h2, .math').forEach((part) => part.remove());
  return copy.textContent;
}).join('').replace(/\\s/g, '')"""


def test_sections_follow_headings_and_long_code_is_folded(build):
    made = build.deck.sections(crowded())
    assert [re.search(r"<h[12]>(.*?)</h", section)[1] for section in made] == [
        "A crowded notebook", "Long text", "Pictures", "Output",
    ]  # fmt: skip
    assert "code, 30 lines" in made[2] and made[2].count("<img") == 2 and "assert" not in "".join(made)
    assert made[0].count("\\(") == 1 and made[0].count("\\[") == 1


def test_code_that_the_notebook_folds_is_folded(build):
    made = cell("value = 1\nvalue")
    assert "details" not in "".join(build.deck.code_blocks(made))
    made.metadata["tags"] = ["hide-input"]
    assert "details" in "".join(build.deck.code_blocks(made))


OVERFLOWING = """() => {
  const slides = [...document.querySelectorAll('.slides > section')];
  return slides.map((slide, number) => {
    const before = slide.style.display;
    slide.style.display = 'block';
    const fits = slide.children.length > 0 && slide.scrollHeight <= 720 && slide.scrollWidth <= 1280;
    slide.style.display = before;
    return fits ? 0 : number + 1;
  }).filter(Boolean);
}"""
ZOOMS = "[...document.querySelectorAll('.slides > section > *')].map((node) => Number(node.style.zoom || 1))"


@pytest.fixture
def page(browser):
    """A page of the size of a slide, which must load nothing from elsewhere."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    faults = []
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or faults.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert faults == []


def open_deck(page, path):
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")


def photographed(page):
    """Numbers of the slides with ink in the frame, or with none at all, by photographs."""
    from PIL import Image

    page.evaluate("Reveal.configure({ controls: false, slideNumber: false, progress: false })")
    inside = np.zeros((720, 1280), bool)
    inside[FRAME:-FRAME, FRAME:-FRAME] = True
    found = []
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number})")
        seen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))
        if seen[~inside].min() < 250 or seen.min() > 250:
            found.append(number + 1)
    return found


@pytest.mark.slow
def test_no_slide_overflows_and_no_word_is_lost(build, page, tmp_path):
    given = decks(build)
    build.write_decks(given, tmp_path)
    for stem, notebook in given.items():
        open_deck(page, tmp_path / f"{stem}.html")
        assert page.evaluate(OVERFLOWING) == [], stem
        assert min(page.evaluate(ZOOMS)) >= 0.6
        assert page.evaluate(SHOWN) == "".join(map(letters, build.deck.sections(notebook))), stem
        assert stem != "crowded" or photographed(page) == []


@pytest.mark.slow
def test_an_overflowing_slide_is_seen(build, page, tmp_path):
    build.write_decks({"crowded": crowded()}, tmp_path)
    script = tmp_path / "assets" / "paging.js"
    script.write_text(script.read_text().replace("[...slides.children].forEach(page);", ""))
    open_deck(page, tmp_path / "crowded.html")
    assert page.evaluate(OVERFLOWING) == photographed(page) == [2, 3, 4]
