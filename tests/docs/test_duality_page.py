"""docs/duality.html is in step with its sources, stands alone, and shows otdiv's numbers in a browser."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from otdiv import emd
from otdiv.lecture import plane
from tests.docs.test_duality_mathematics import PROBLEMS, random_problem

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "duality.html"


def builder(folder=ROOT / "docs" / "duality"):
    spec = importlib.util.spec_from_file_location("duality_build", folder / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_in_step_with_its_sources():
    assert PAGE.read_text(encoding="utf-8") == builder().built(), "run make page"


def test_a_change_of_a_source_is_seen(monkeypatch):
    module = builder()
    read = module.read
    monkeypatch.setattr(module, "read", lambda name: read(name) + (" " if name == "model.js" else ""))
    assert PAGE.read_text(encoding="utf-8") != module.built()


def test_the_page_names_nothing_outside_itself():
    text = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"""(?:src|href)\s*=|url\(|@import|fetch\(|import\(|https?://[^"\s]+""", text)
    assert set(links) <= {"http://www.w3.org/2000/svg"}  # the name of SVG, which nothing fetches


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: request.url.startswith("file:") or problems.append(request.url))
    page.goto(PAGE.as_uri())
    yield page
    page.close()
    assert problems == []


def shown(page, name):
    return float(page.get_attribute(f"#{name}", "data-value").replace("Infinity", "inf"))


def points(page, side):
    """Points and masses of a side, as the page holds them."""
    rows = page.evaluate(f"State.state.{side}.map((point) => [point.x, point.y, point.mass])")
    return np.array(rows)[:, :2], np.array(rows)[:, 2]


@pytest.mark.slow
def test_solve_drag_a_price_and_the_bars(page):
    assert shown(page, "upper") == pytest.approx(1.06, abs=1e-12) and shown(page, "lower") == 0
    page.click("#solve")
    assert shown(page, "upper") == pytest.approx(0.7, abs=1e-9) and shown(page, "lower") == pytest.approx(0.7, abs=1e-9)
    assert "proved" in page.inner_text("#verdict") and page.locator("#certificate li.holds").count() == 3
    # Drag a price: arcs break, the raw income grows, the lower bound falls, the upper bound stays.
    slider = page.locator("#sources tbody tr").nth(2).locator("input").nth(1)
    slider.scroll_into_view_if_needed()
    frame = slider.bounding_box()
    value, height = float(slider.input_value()), frame["y"] + frame["height"] / 2
    page.mouse.move(frame["x"] + frame["width"] * (value + 3) / 6, height)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] * 0.95, height, steps=4)
    page.mouse.up()
    f, g = page.evaluate("[State.state.f, State.state.g]")
    places, p, q = np.arange(3.0), np.array([0.2, 0.2, 0.6]), np.array([0.5, 0.3, 0.2])
    excess = (np.add.outer(f, g) - abs(places[:, None] - places)).max()
    assert f[2] > value + 0.3 and excess > 0.3
    assert shown(page, "raw") == pytest.approx(p @ f + q @ g, abs=1e-9)
    assert shown(page, "excess") == pytest.approx(excess, abs=1e-9)
    assert shown(page, "lower") == pytest.approx(p @ f + q @ g - excess, abs=1e-9)
    assert shown(page, "upper") == pytest.approx(0.7, abs=1e-9)
    assert page.locator(".arc.broken").count() == (np.add.outer(f, g) - abs(places[:, None] - places) > 1e-12).sum()
    assert page.locator("#certificate li.holds").count() == 1
    page.click("#solve")
    assert shown(page, "gap") == pytest.approx(0, abs=1e-9)
    # The bars, by the keyboard.
    page.focus("#theta")
    page.keyboard.press("Home")
    assert [shown(page, name) for name in ("kl", "js", "w1")] == pytest.approx([np.inf, np.log(2), 1.0], abs=1e-9)
    page.eval_on_selector("#theta", "(node) => { node.value = 0; node.dispatchEvent(new Event('input')); }")
    assert [shown(page, name) for name in ("kl", "js", "w1")] == [0, 0, 0]


@pytest.mark.slow
def test_dragged_points_and_masses_in_the_plane(page):
    page.select_option("#preset", "plane")
    page.click("#solve")
    assert shown(page, "upper") == pytest.approx(plane().known["w1"], abs=1e-9)
    # A point moves under the mouse, and again by a key; the old plan and prices prove an interval that is open.
    frame = page.locator('[data-side="targets"][data-index="1"]').bounding_box()
    page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] - 150, frame["y"] - 60, steps=4)
    page.mouse.up()
    page.keyboard.press("ArrowRight")
    (x, p), (y, q) = points(page, "sources"), points(page, "targets")
    assert y[1, 0] < 1.6
    truth = emd(x, y, p, q).value
    assert shown(page, "lower") - 1e-9 <= truth <= shown(page, "upper") + 1e-9 and shown(page, "gap") > 1e-3
    # A mass by its slider's keys; the others keep the sum.
    page.locator("#targets tbody tr").nth(0).locator("input").nth(0).focus()
    page.keyboard.press("PageDown")
    (x, p), (y, q) = points(page, "sources"), points(page, "targets")
    assert q.sum() == pytest.approx(1, abs=1e-12) and q[0] < 0.6
    for _ in range(20):
        page.click("#step")
        if page.locator("#certificate li.holds").count() == 3:
            break
    assert shown(page, "upper") == pytest.approx(emd(x, y, p, q).value, abs=1e-9)
    assert shown(page, "lower") == pytest.approx(emd(x, y, p, q).value, abs=1e-9)


SHOW = """(problems) => problems.map(({ sources, targets }) => {
  State.load("plane");
  Object.assign(State.state, { sources, targets, f: sources.map(() => 0), g: targets.map(() => 0) });
  State.setPlan("independent");
  State.solve();
  Draw.all();
  return ["lower", "upper"].map((name) => Number(document.getElementById(name).dataset.value));
})"""


@pytest.mark.slow
def test_the_numbers_shown_for_random_problems(page):
    problems = [random_problem(seed) for seed in range(PROBLEMS)]
    sides = [[(x, p), (y, q)] for x, y, p, q in problems]
    named = [
        [[{"x": u, "y": v, "mass": w} for (u, v), w in zip(*side, strict=True)] for side in pair] for pair in sides
    ]
    shown_bounds = page.evaluate(SHOW, [{"sources": s, "targets": t} for s, t in named])
    for (x, y, p, q), bounds in zip(problems, shown_bounds, strict=True):
        assert bounds == pytest.approx([emd(x, y, p, q).value] * 2, abs=1e-9)


SIZES = [("line", 1280), ("cloud12", 1280), ("line", 400), ("cloud12", 400)]


@pytest.mark.slow
def test_the_page_fits_its_window(page):
    for preset, width in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.select_option("#preset", preset)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#solve")
    (x, p), (y, q) = points(page, "sources"), points(page, "targets")
    assert len(x) == len(y) == 12
    assert shown(page, "upper") == pytest.approx(emd(x, y, p, q).value, abs=1e-9)
    assert page.locator("#add-source").is_disabled()


def test_every_control_of_the_page_has_a_label():
    text = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r'<(?:select|input)[^>]* id="([^"]+)"', text) + ["theta"]:
        assert f'for="{name}"' in text or re.search(rf'<label>[^<]*\s*<select id="{name}"', text), name
