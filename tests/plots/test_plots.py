"""Figures, tables and pages: the right content, nothing empty, nothing fetched from elsewhere; and the demo."""

from __future__ import annotations

import html
import io
import math
import re
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest

from otdiv import emd, emd_images
from otdiv.comparison import compare
from otdiv.core.progress import ProgressEvent
from otdiv.core.text_tables import Table, json_number, number
from otdiv.errors import InvalidInput
from otdiv.lecture import LectureRow
from otdiv.lecture.examples import ten_states
from otdiv.plots import (
    figure,
    plot_image_transport,
    plot_plan,
    plot_potentials,
    plot_rounds,
    plot_theta_sweep,
    png,
)
from otdiv.report import demo
from otdiv.report.html import Section, page


@pytest.fixture(scope="module")
def line():
    return emd(*ten_states())


@pytest.fixture(scope="module")
def plane():
    return emd([[0.0, 0], [1, 0], [0, 1]], [[1.0, 1], [2, 0]], [0.5, 0.3, 0.2], [0.6, 0.4])


def drawn(fig):
    """Draw it; every pair of axes shows something and says what."""
    fig.draw_without_rendering()
    for ax in fig.axes:
        if ax.get_label() == "<colorbar>":
            assert ax.get_ylabel()
            continue
        assert ax.lines or ax.collections or ax.images, "empty axes"
        assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
    return [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]


def words(ax):
    return {text.get_text() for text in ax.texts}


def test_theta_sweep_draws_every_value():
    sweep = demo.theta_sweep((-0.5, 0.0, 0.5, 1.0), n=4)
    left, right = drawn(plot_theta_sweep(sweep))
    assert left.lines[0].get_xdata().tolist() == [-0.5, 0, 0.5, 1]
    assert left.lines[0].get_ydata() == pytest.approx([0.5, 0, 0.5, 1])
    assert words(left) == {"W1 = |θ|"}
    assert {"JS = log 2", "KL = ∞", "θ = 0: both are 0"} == words(right)
    js, js_zero, infinite, finite = right.lines
    assert np.isnan(js.get_ydata()[1]) and js.get_ydata()[[0, 2, 3]] == pytest.approx([math.log(2)] * 3)
    assert (js_zero.get_xdata().tolist(), js_zero.get_ydata().tolist()) == ([0], [0])
    assert infinite.get_xdata().tolist() == [-0.5, 0.5, 1] and finite.get_xdata().tolist() == [0]
    assert right.get_ylim()[1] > infinite.get_ydata().max(), "the arrows of infinity stay in the picture"


def test_plan_in_the_plane_has_a_segment_for_each_arc(plane):
    (ax,) = drawn(plot_plan(plane, labels=("from", "to")))
    segments = ax.collections[0].get_segments()
    assert len(segments) == len(plane.plan)
    for segment, row, column in zip(segments, plane.plan.rows, plane.plan.columns, strict=True):
        assert segment.tolist() == [plane.problem.mu.points[row].tolist(), plane.problem.nu.points[column].tolist()]
    widths = ax.collections[0].get_linewidths()
    assert np.argmax(widths) == np.argmax(plane.plan.mass)
    assert len(ax.collections[1].get_offsets()) == 3 and len(ax.collections[2].get_offsets()) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["from", "to"]
    assert ax.get_aspect() == 1, "lengths are costs, in whichever direction"
    assert "cost 1.26569" in ax.get_title() and "gap" in ax.get_title()
    named = plot_plan(plane, axes_names=("alcohol", "colour")).axes[0]
    assert (named.get_xlabel(), named.get_ylabel()) == ("alcohol", "colour")


def test_plan_on_the_line_is_drawn_as_a_matrix(line):
    (ax,) = drawn(plot_plan(line, labels=("P", "Q")))
    assert len(ax.collections[0].get_offsets()) == len(line.plan)
    assert ax.collections[0].get_array().data == pytest.approx(line.plan.mass)
    assert ax.get_xlabel() == "to (Q)" and ax.get_ylabel() == "from (P)"


def test_potentials_and_slack(line):
    left, right = drawn(plot_potentials(line))
    f, g = left.lines
    assert np.all(np.diff(f.get_xdata()) >= 0)
    assert sorted(f.get_ydata()) == pytest.approx(sorted(line.f)) and sorted(g.get_ydata()) == pytest.approx(
        sorted(-line.g)
    )
    slack = right.images[0].get_array().data
    assert slack.shape == (line.n, line.m) and slack.min() >= 0
    dots = right.lines[0]
    assert len(dots.get_xdata()) == len(line.plan)
    at_dots = slack[dots.get_ydata().astype(int), dots.get_xdata().astype(int)]
    assert at_dots.max() < 1e-12 < slack.max(), "mass moves where the slack is zero"


def test_dots_stand_where_the_mass_moves_when_the_points_come_unsorted():
    rng = np.random.default_rng(0)
    result = emd(rng.permutation(8).astype(float), rng.permutation(8) + 0.25)
    right = plot_potentials(result).axes[1]
    slack, dots = right.images[0].get_array().data, right.lines[0]
    assert slack[dots.get_ydata().astype(int), dots.get_xdata().astype(int)].max() < 1e-12


def test_what_has_no_faithful_picture_is_refused(plane):
    solid = emd(np.eye(3), np.eye(3) + 1)
    with pytest.raises(
        InvalidInput, match=r"result must be about points of the line or the plane to be drawn; got d = 3"
    ):
        plot_plan(solid)
    with pytest.raises(InvalidInput, match=r"result must be about points of the line; got d = 2"):
        plot_potentials(plane)


def test_rounds_of_a_solve():
    events = [ProgressEvent("a", 0.1), ProgressEvent("a", 0.2, 0.5, 1.5), ProgressEvent("a", 0.3, 1.0, 1.0)]
    left, right = drawn(plot_rounds(events, 1.0))
    assert left.lines[0].get_ydata().tolist() == [0.5, 1] and left.lines[1].get_ydata().tolist() == [1.5, 1]
    assert right.lines[0].get_ydata().tolist() == [1, 1e-17] and right.get_xticks().tolist() == [1, 2]
    with pytest.raises(InvalidInput, match="bounded interval"):
        plot_rounds(events[:1], 1.0)


def test_images_and_their_potential():
    first, second = np.zeros((4, 5)), np.zeros((4, 5))
    first[1, 1], second[2, 3] = 1.0, 1.0
    result = emd_images(first, second, cost="cityblock")
    fig = plot_image_transport(first, second, result)
    fig.draw_without_rendering()
    left, right = fig.axes
    moved = left.images[0].get_array()
    assert (moved[1, 1], moved[2, 3], np.abs(moved).sum()) == (1, -1, 2)
    assert right.images[0].get_array().data == pytest.approx(result.f.reshape(4, 5))
    with pytest.raises(InvalidInput, match="first and second must be images"):
        plot_image_transport(first, second[:2], result)


def test_figures_belong_to_no_window():
    import matplotlib.pyplot

    fig, axes = figure(columns=3)
    assert len(axes) == 3 and matplotlib.pyplot.get_fignums() == []
    with pytest.raises(AssertionError, match="empty axes"):
        drawn(fig)


class Links(HTMLParser):
    """Collects everything a page would fetch, and its open tags."""

    def __init__(self):
        super().__init__()
        self.sources, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def inspected(text):
    parser = Links()
    parser.feed(text)
    assert parser.open == [], "every tag is closed"
    assert all(source.startswith("data:image/png;base64,") for source in parser.sources)
    assert not {"script", "link", "iframe"} & set(parser.tags)
    assert not re.search(r"https?:|url\(|@import", re.sub(r"base64,[^\"]*", "", text))
    return parser


def test_page_is_one_self_contained_file(line):
    table = Table("a < b", ("x", "y"), [("1 & 2", "<b>")], ("note > note",), (0,))
    text = page(
        "T <1>", [Section("H & H", "words <i>", [table], [('fig "1"', plot_potentials(line))]), Section("2", "")]
    )
    parser = inspected(text)
    assert parser.tags.count("img") == 1 and parser.tags.count("table") == 1 and parser.tags.count("h2") == 2
    for escaped in ("T &lt;1&gt;", "H &amp; H", "words &lt;i&gt;", "1 &amp; 2", "&lt;b&gt;", "note &gt;", "a &lt; b"):
        assert escaped in text
    assert 'alt="fig &quot;1&quot;"' in text and "<b>" not in text


def test_a_page_with_a_link_is_seen():
    for bad in ('<img src="http://x/y.png">', '<link href="x.css">', "<style>@import 'x'</style>", "<p><b></p>"):
        with pytest.raises(AssertionError):
            inspected(bad)


def test_png_is_a_picture(line):
    data = png(plot_plan(line), dpi=50)
    image = matplotlib.image.imread(io.BytesIO(data))
    assert data.startswith(b"\x89PNG") and image.shape[:2] == (230, 280) and image[..., :3].std() > 0.01


def test_table_as_text_and_as_page():
    table = Table("a[1] :smile: [/b]", ("[red]x", "value"), [("[bold]", "inf"), ("y", "12")], ("[note] :x:",), (1,))
    text = table.text(60)
    lines = text.splitlines()
    assert lines[0] == "a[1] :smile: [/b]", "brackets and colons are not markup"
    for word in ("[red]x", "[bold]", "[note] :x:"):
        assert word in text
    (row,) = (one for one in lines if "12" in one)
    assert row.endswith("12") and all(len(one) <= 60 for one in lines)
    assert table.html().count("text-align:right") == 3
    assert Table("", ("x",), [("1",)]).html().startswith("<table><thead>")


def test_numbers_for_people_and_for_json():
    assert (number(math.inf), number(-math.inf), number(1 / 3, 4)) == ("inf", "-inf", "0.3333")
    assert (json_number(math.inf), json_number(-math.inf), json_number(0.1)) == ("inf", "-inf", 0.1)
    assert json_number(math.nan) == "nan"


def test_lecture_table_counts_the_mismatches():
    rows = [
        LectureRow("S1", "right", 1.0, 1.0),
        LectureRow("S2", "wrong", 1.0, 2.0),
        LectureRow("S3", "inf", math.inf, 0),
    ]
    table = demo.lecture_table(rows)
    assert [row[4] for row in table.rows] == ["ok", "NO", "NO"] and table.notes == ("2 of 3 rows do not match.",)
    assert demo.lecture_table(rows[:1]).notes == ("1 rows, all ok.",)


def test_the_data_of_the_demo():
    three, eight = demo.digits()
    assert three.shape == (183, 64) and eight.shape == (174, 64) and three.max() == 16
    first, second, names = demo.wines()
    assert first.shape == (59, 13) and second.shape == (71, 13) and len(names) == 13
    pooled = np.vstack([first, second])
    assert pooled.mean(axis=0) == pytest.approx(0, abs=1e-12) and pooled.std(axis=0) == pytest.approx(1)


def test_theta_sweep_values():
    for row in demo.theta_sweep((-0.25, 0.0, 0.75), n=8):
        moved = row["theta"] != 0
        assert row["w1"] == pytest.approx(abs(row["theta"]), abs=1e-12)
        assert row["kl"] == (math.inf if moved else 0)
        assert row["js"] == pytest.approx(math.log(2) * moved, abs=1e-12)


@pytest.mark.long
def test_demo_from_end_to_end(tmp_path):
    shown = []
    result = demo.run_demo(tmp_path / "new" / "folder", shown.append)
    assert result.mismatches == 0 and result.certified
    folder = tmp_path / "new" / "folder"
    assert result.page == folder / "index.html"
    assert {path.name for path in folder.iterdir()} == {
        "cultivar_1.csv", "cultivar_2.csv", "index.html",
        "changes.png", "theta_sweep.png", "plan.png", "potentials.png",
    }  # fmt: skip
    for path in folder.glob("*.png"):
        assert matplotlib.image.imread(path).shape[0] > 300
    text = result.page.read_text(encoding="utf-8")
    parser = inspected(text)
    assert parser.tags.count("img") == 4 and parser.tags.count("table") == 5
    assert shown[0].title == "$ otdiv compare cultivar_1.csv cultivar_2.csv" and len(shown[0].rows) == 13
    assert not shown[1].rows and "otdiv lecture prints them" in shown[1].notes[0]
    assert [table.title for table in shown[2:]] == [
        "Handwritten digits, 3 against 8 (64-D)", "Two wine cultivars (13-D, standardised)",
        "A neural critic against exact transport: digits, 3 against 8",
    ]  # fmt: skip
    for table in shown[2:]:
        assert all(html.escape(row[1]) in text for row in table.rows), "every value of the comparisons is on the page"
    assert "37.11133274" in text and len(text) < 3_000_000


@pytest.mark.slow
def test_demo_says_what_went_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.lecture, "rows", lambda: [LectureRow("S1", "wrong", 1.0, 2.0)])
    monkeypatch.setattr(demo, "digits", lambda: (np.eye(3), np.eye(3) + 1))
    small = compare(np.eye(2), np.eye(2) + 1)
    monkeypatch.setattr(demo, "compare_all", lambda *pair: small if pair[0].shape[1] != 2 else compare(*pair))
    monkeypatch.setattr(demo, "theta_sweep", lambda: [{"theta": 0.0, "kl": 0.0, "js": 0.0, "w1": 0.0}])
    shown = []
    result = demo.run_demo(tmp_path, shown.append)
    assert result.mismatches == 1 and result.certified
    assert "1 of 1 rows do not match." in shown[1].notes[0] and len(shown[1].rows) == 1
    assert "1 of 1 rows do not match." in result.page.read_text(encoding="utf-8")


def test_demo_writes_its_folder_before_it_works(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        demo.run_demo(tmp_path / "file", lambda table: pytest.fail("computed before it looked"))
