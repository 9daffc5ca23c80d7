"""One's own data, drawn at any size: the arrows are the plan's, the coordinates those that move."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib.quiver import Quiver

from otdiv import emd
from otdiv.cli.main import main
from otdiv.errors import InvalidInput
from otdiv.plots import plot_displacement, plot_marginals

SHIFT = np.array([2.0, -1.0])


def arrows(fig):
    found = next(artist for artist in fig.axes[1].collections if isinstance(artist, Quiver))
    return np.stack([found.U, found.V], axis=1)


def moved(n, d=2):
    x = np.random.default_rng(0).normal(size=(n, d))
    y = x.copy()
    y[:, :2] += SHIFT
    return emd(x, y, cost="sqeuclidean")


@pytest.mark.parametrize("n", [40, 2500])
def test_the_arrows_of_a_translation_are_the_translation(n):
    fig = plot_displacement(moved(n), labels=("before", "after"))
    fig.draw_without_rendering()
    found = arrows(fig)
    assert np.allclose(found, SHIFT) and len(found) == 40 if n == 40 else 40 < len(found) < 600
    assert fig.axes[0].get_title().startswith("before") and "gap" in fig.get_suptitle()
    box = fig.axes[1].get_xlim() + fig.axes[1].get_ylim()
    assert all(ax.get_xlim() + ax.get_ylim() == box and ax.get_aspect() == 1.0 for ax in fig.axes[:3])


def test_mean_arrows_keep_the_displacement_of_the_whole():
    """Weighted by their mass, the arrows of the cells add up to the difference of the means."""
    from otdiv.plots.displacement import _box, _mean_displacement

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(700, 2)), rng.gamma(2.0, size=(600, 2))
    plan = emd(x, y, rng.dirichlet(np.ones(700)), cost="sqeuclidean").plan
    start, gap, mass = _mean_displacement(plan.rows, plan.columns, plan.mass, x, y, _box(x, y))
    assert np.allclose(mass @ gap, plan.mass @ (y[plan.columns] - x[plan.rows]))
    assert np.allclose(mass @ start, plan.mass @ x[plan.rows]) and len(mass) < 24 * 24


def test_beyond_the_plane_the_coordinates_that_move_are_drawn():
    rng = np.random.default_rng(2)
    before = pd.DataFrame(rng.normal(size=(60, 4)), columns=["height", "weight", "age", "pulse"])
    after = before * [1.0, 3.0, 1.0, 1.0] + [0.0, 0.0, 2.0, 0.0]
    result = emd(before, after)
    fig = plot_displacement(result)
    assert [fig.axes[0].get_xlabel(), fig.axes[0].get_ylabel()] == ["weight", "age"]
    assert "2 of 4 coordinates" in fig.get_suptitle()
    chosen = plot_displacement(result, columns=("pulse", 0))
    assert [chosen.axes[0].get_xlabel(), chosen.axes[0].get_ylabel()] == ["pulse", "height"]
    panels = plot_marginals(result, labels=("before", "after"))
    titles = [ax.get_title() for ax in panels.axes]
    assert {title.split(":")[0] for title in titles[:2]} == {"weight", "age"} and float(titles[-1].split()[-1]) < 0.1
    panels.draw_without_rendering()


def test_on_the_line():
    rng = np.random.default_rng(3)
    fig = plot_displacement(emd(rng.normal(size=50), rng.normal(size=70) + 1.0))
    fig.draw_without_rendering()
    assert "area between" in fig.axes[0].get_title()
    (area,) = fig.axes[0].collections
    assert area.get_paths()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(InvalidInput, match="result must be about points; got a cost matrix"):
        plot_displacement(emd(cost=np.eye(3)))
    with pytest.raises(InvalidInput, match="cost matrix"):
        plot_marginals(emd(cost=np.eye(3)))
    result = moved(5, 3)
    for columns, word in (
        ((0, 3), "count from 0 to 2"),
        ((0, 0), "name two"),
        ("ab", "name two"),
        (("a", 1), "be one"),
    ):
        with pytest.raises(InvalidInput, match=f"columns must {word}"):
            plot_displacement(result, columns=columns)


def test_by_the_command(tmp_path, capsys):
    rng = np.random.default_rng(4)
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    for file in files:
        np.savetxt(file, rng.normal(size=(20, 2)), delimiter=",")
    picture = tmp_path / "moved.png"
    with pytest.raises(SystemExit) as ended:
        main(["emd", *files, "--figure", str(picture)])
    assert ended.value.code == 0 and picture.read_bytes().startswith(b"\x89PNG") and "EMD" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["emd", *files, "--figure", str(tmp_path / "moved.txt")])
    assert ended.value.code == 2 and "--figure" in capsys.readouterr().err


@pytest.mark.parametrize("side, each", [(64, 1), (100, 2), (45, 1)])
def test_the_density_of_a_grid_is_even(side, each):
    """Every bin holds as many lines of the grid: all pixels of an even image have one shade."""
    pixels = np.stack(np.indices((side, side)), axis=2).reshape(-1, 2) * 0.1
    fig = plot_displacement(emd(pixels, pixels + [0.1, 0.0]))
    for ax in (fig.axes[0], fig.axes[2]):
        shades = np.asarray(ax.collections[0].get_array())
        held = shades[shades > 0] * side**2
        assert len(held) == (side // each) ** 2
        np.testing.assert_allclose(held, each**2, rtol=1e-9)


def test_points_of_no_grid_are_binned_too():
    """Gaps from 1e-300 up, and all points on one line."""
    x = np.random.default_rng(1).normal(size=(2000, 2))
    x[:3, 0] = 0.0, 1e-300, 1.0
    x[:, 1] = 2.0
    fig = plot_displacement(emd(x, x))
    assert np.asarray(fig.axes[0].collections[0].get_array()).sum() == pytest.approx(1.0)
