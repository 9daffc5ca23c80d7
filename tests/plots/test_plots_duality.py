"""The duality figures draw what the records say, and refuse what has no picture."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
from matplotlib.figure import Figure

from otdiv.duality.farkas import farkas
from otdiv.duality.strong_duality import strong_duality
from otdiv.duality.zero_sum_games import solve_game
from otdiv.errors import InvalidInput
from otdiv.lecture.farkas import two_points
from otdiv.plots.duality import draw_alternative, draw_game, draw_potentials, draw_ray, draw_slackness, draw_squeeze

WALLS = [[2, 1], [1, 3]]


@pytest.fixture
def ax():
    figure = Figure()
    yield figure.subplots()
    figure.draw_without_rendering()


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_inside_shows_the_combination(ax):
    draw_alternative(ax, WALLS, [3, 4], farkas(WALLS, [3, 4], exact=True))
    assert ax.get_title() == "(1) inside: b = 1 a1 + 1 a2"
    assert {"a1", "a2", "b"} <= set(words(ax)) and "F" not in words(ax)


def test_outside_shows_F_and_a_line_orthogonal_to_it(ax):
    answer = farkas(WALLS, [1, -1], exact=True)
    draw_alternative(ax, WALLS, [1, -1], answer)
    assert {"a1", "a2", "b", "F", "h"} <= set(words(ax))
    dotted = next(line for line in ax.lines if line.get_linestyle() == ":")
    (x0, x1), (y0, y1) = dotted.get_data()
    assert abs((x1 - x0) * answer.F[0] + (y1 - y0) * answer.F[1]) < 1e-12


@pytest.mark.parametrize("A", [[[0], [0]], [[1, -1], [0, 0]], [[1, -1, 0], [0, 0, 1]], [[1, -1, 0], [0, 1, -1]]])
def test_degenerate_cones_are_drawn(ax, A):
    draw_alternative(ax, A, [0.5, 1], farkas(A, [0.5, 1], exact=True))
    assert ax.get_title()


def test_the_squeeze_tells_solver_from_construction(ax):
    draw_squeeze(ax, strong_duality(two_points(), [0.1, 1e-3, 1e-9]))
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["F/α found by a solver", "F/α = F*, verified exactly"]


def test_slackness_writes_both_numbers_into_each_cell(ax):
    draw_slackness(ax, np.array([[0.25, 0.0]]), np.array([[0.0, 3.0]]))
    assert words(ax) == ["γ = 0.25", "slack 0", "γ = 0", "slack 3"]
    draw_slackness(ax, np.zeros((2, 2)), np.zeros((2, 2)))


def test_rays_potentials_and_games(ax):
    draw_ray(ax, np.array([0.0, 1]), {"falls": np.array([1.0, -4])})
    draw_potentials(ax, np.arange(3.0), {"f": np.arange(3.0)})
    draw_game(ax, solve_game([[3, -1], [-2, 4]]))
    assert ax.get_title().startswith("value 1 at x = (0.6, 0.4)")
    assert {"column 1", "column 2"} <= set(words(ax))


def test_what_has_no_picture_is_refused(ax):
    with pytest.raises(InvalidInput, match="two dimensions"):
        draw_alternative(ax, [[1], [2], [3]], [1, 2, 3], farkas([[1], [2], [3]], [1, 2, 3], exact=True))
    with pytest.raises(InvalidInput, match="two rows"):
        draw_game(ax, solve_game([[1], [2], [3]]))


def test_plot_slackness_of_a_result():
    import numpy as np

    from otdiv import emd
    from otdiv.plots.duality import plot_slackness

    drawn = plot_slackness(emd([0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]))
    assert len(drawn.axes[0].texts) == 18
    with pytest.raises(ValueError, match="at most 12"):
        plot_slackness(emd(np.arange(13.0), np.arange(13.0)))
