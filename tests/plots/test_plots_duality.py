"""The duality figures draw what the records say, and refuse what has no picture."""

import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib.figure import Figure

from otdiv import emd, plots
from otdiv.duality import farkas, nearest_in_cone, solve_game, strong_duality
from otdiv.errors import InvalidInput
from otdiv.lecture import two_points
from otdiv.plots import (
    plot_alternative,
    plot_curves,
    plot_game,
    plot_lagrangian,
    plot_nearest_point,
    plot_norm_balls,
    plot_plan_and_slack,
    plot_slackness,
    plot_squeeze,
    plot_strong_duality,
)

WALLS = [[2, 1], [1, 3]]


@pytest.fixture
def ax():
    figure = Figure()
    yield figure.subplots()
    figure.draw_without_rendering()


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_inside_shows_the_combination(ax):
    plot_alternative(WALLS, [3, 4], farkas(WALLS, [3, 4], exact=True), ax=ax)
    assert ax.get_title() == "(1) inside: b = 1 a1 + 1 a2"
    assert {"a1", "a2", "b"} <= set(words(ax)) and "F" not in words(ax)


def test_outside_shows_F_and_a_line_orthogonal_to_it(ax):
    answer = farkas(WALLS, [1, -1], exact=True)
    plot_alternative(WALLS, [1, -1], answer, ax=ax)
    assert {"a1", "a2", "b", "F", "h"} <= set(words(ax))
    dotted = next(line for line in ax.lines if line.get_linestyle() == ":")
    (x0, x1), (y0, y1) = dotted.get_data()
    assert abs((x1 - x0) * answer.F[0] + (y1 - y0) * answer.F[1]) < 1e-12


@pytest.mark.parametrize("A", [[[0], [0]], [[1, -1], [0, 0]], [[1, -1, 0], [0, 0, 1]], [[1, -1, 0], [0, 1, -1]]])
def test_degenerate_cones_are_drawn(ax, A):
    plot_alternative(A, [0.5, 1], farkas(A, [0.5, 1], exact=True), ax=ax)
    assert ax.get_title()


def test_the_squeeze_tells_solver_from_construction(ax):
    plot_strong_duality(strong_duality(two_points(), [0.1, 1e-3, 1e-9]), ax=ax)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["F/α found by a solver", "F/α = F*, verified exactly"]


def test_slackness_writes_both_numbers_into_each_cell(ax):
    plot_plan_and_slack(np.array([[0.25, 0.0]]), np.array([[0.0, 3.0]]), ax=ax)
    assert words(ax) == ["γ = 0.25", "slack 0", "γ = 0", "slack 3"]
    plot_plan_and_slack(np.zeros((2, 2)), np.zeros((2, 2)), ax=ax)


def test_rays_potentials_and_games(ax):
    plot_lagrangian(np.array([0.0, 1]), {"falls": np.array([1.0, -4])}, ax=ax)
    plot_curves(np.arange(3.0), {"f": np.arange(3.0)}, ax=ax)
    plot_game(solve_game([[3, -1], [-2, 4]]), ax=ax)
    assert ax.get_title().startswith("value 1 at x = (0.6, 0.4)")
    assert {"column 1", "column 2"} <= set(words(ax))


def test_what_has_no_picture_is_refused(ax):
    with pytest.raises(InvalidInput, match="two dimensions"):
        plot_alternative([[1], [2], [3]], [1, 2, 3], farkas([[1], [2], [3]], [1, 2, 3], exact=True), ax=ax)
    with pytest.raises(InvalidInput, match="vector of the plane"):
        plot_norm_balls(np.zeros(2))
    with pytest.raises(InvalidInput, match="two rows"):
        plot_game(solve_game([[1], [2], [3]]), ax=ax)


def test_plot_slackness_of_a_result():
    drawn = plot_slackness(emd([0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]))
    assert len(drawn.axes[0].texts) == 18
    with pytest.raises(ValueError, match="at most 12"):
        plot_slackness(emd(np.arange(13.0), np.arange(13.0)))


def test_every_plot_returns_a_figure_of_its_own_or_that_of_the_axes():
    answer, proof = farkas(WALLS, [3, 4], exact=True), strong_duality(two_points(), [0.1, 1e-3])
    result = emd([0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    for plot, arguments in (
        (plot_alternative, (WALLS, [3, 4], answer)),
        (plot_strong_duality, (proof,)),
        (plot_plan_and_slack, (np.eye(2), 1 - np.eye(2))),
        (plot_slackness, (result,)),
        (plot_lagrangian, (np.arange(2.0), {"L": np.arange(2.0)})),
        (plot_curves, (np.arange(2.0), {"f": np.arange(2.0)})),
        (plot_game, (solve_game([[3, -1], [-2, 4]]),)),
    ):
        drawn = plot(*arguments)
        assert (isinstance(drawn, Figure) and len(drawn.axes) == 1 and drawn.axes[0].has_data()) or drawn.axes[0].texts
        mine = Figure()
        left, right = mine.subplots(1, 2)
        assert plot(*arguments, ax=right) is mine
        assert not left.has_data() and not left.texts


def test_all_plots_are_public_and_importing_them_brings_no_torch():
    names = {name for name in dir(plots) if name.startswith("plot_")}
    assert names == {name for name in plots.__all__ if name.startswith("plot_")} and len(names) == 29
    code = "import sys, otdiv.plots; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_squeeze_shows_open_and_closed_ends():
    ax = plot_squeeze(0.25, {0.2: [0.1, 0.25], 0.1: [0.2]}).axes[0]
    bars = [
        line
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() == "-" and line.get_linewidth() == 2
    ]
    assert [bar.get_xdata().tolist() for bar in bars if bar.get_marker() == "None"] == [
        [pytest.approx(0.05), 0.25],
        [pytest.approx(0.15), 0.25],
    ]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ε = 0.2", "ε = 0.1"]


def test_norm_balls_show_where_the_dual_norm_is_attained():
    fig = plot_norm_balls(np.array([-5.0, 5.0]))
    fig.draw_without_rendering()
    assert [ax.get_title() for ax in fig.axes] == [
        f"p = {p}: dual norm {n}" for p, n in (("1", "5"), ("2", "7.071"), ("∞", "10"))
    ]
    for ax in fig.axes:
        ball, line, best = ax.lines
        at = np.array([best.get_xdata()[0], best.get_ydata()[0]])
        heights = np.array([-1.0, 1.0]) @ np.stack(ball.get_data())
        assert [-1.0, 1.0] @ at == pytest.approx(heights.max(), abs=1e-5), "no point of the ball lies beyond"
        assert np.array([-1.0, 1.0]) @ np.stack(line.get_data()) == pytest.approx([-at[0] + at[1]] * 2)
        assert ax.get_aspect() == 1


def test_names_stand_on_the_far_side_of_the_nearest_point(ax):
    """p is named where the dashed line from b does not run."""
    found = nearest_in_cone(WALLS, [2, -2])
    plot_nearest_point(WALLS, [2, -2], found, ax=ax)
    name = next(text for text in ax.texts if text.get_text() == "p")
    away = np.array([float(v) for v in found.point]) - [2, -2]
    assert np.array(name.xyann) @ away > 0 and name.get_path_effects()
