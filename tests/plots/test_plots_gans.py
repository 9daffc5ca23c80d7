"""Pictures of trainings of generators."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otdiv.errors import InvalidInput
from otdiv.gans import train
from otdiv.plots import plot_gan, plot_gan_strip, save_gan_film

torch.set_num_threads(1)
FAST = {"steps": 4, "width": 16, "batch": 64, "reports": 2}


@pytest.fixture(scope="module")
def ring():
    return train("ring8", "wgan-gp", **FAST)


def test_points_levels_and_curves(ring):
    left, right = plot_gan(ring).axes
    assert {text.get_text() for text in left.get_legend().get_texts()} == {"real", "generated"}
    assert len(left.collections) == 1  # the level lines
    lines = {line.get_label(): line for line in right.lines}
    assert lines["exact W1 (500 points)"].get_ydata().tolist() == [entry["w1"] for entry in ring.history]
    assert ring.snapshots[-1].levels.shape == (48, 48)


def test_a_film_has_a_picture_for_each_report(ring, tmp_path):
    from PIL import Image

    path = save_gan_film(ring, tmp_path / "film.gif")
    with Image.open(path) as film:
        assert film.n_frames == 2
    assert len(plot_gan_strip(ring, 2).axes) == 2
    with pytest.raises(InvalidInput, match="gif"):
        save_gan_film(ring, tmp_path / "film.mp4")


def test_other_points_are_projected_and_have_no_film(tmp_path):
    points = np.random.default_rng(0).normal(size=(60, 5))
    record = train(points, "gan-logd", **FAST)
    assert plot_gan(record).axes[0].get_xlabel() == "first principal axis"
    with pytest.raises(InvalidInput, match="points in the plane"):
        save_gan_film(record, tmp_path / "film.gif")
    line = train(points[:, :1], "exact-ot", plan=64, **FAST)
    assert len(plot_gan(line).axes[0].patches) == 80


@pytest.mark.slow
def test_images_are_a_sheet_and_codes_its_rows():
    record = train("digits", "gan-logd", **FAST)
    assert plot_gan(record).axes[0].images[0].get_array().shape == (72, 72)
    coded = train("digits", "infogan", **FAST)
    assert plot_gan(coded).axes[0].images[0].get_array().shape == (90, 90)
    walk = coded.generator.traversal(3, 0)
    assert walk.shape == (10, 3, 64)
    with pytest.raises(InvalidInput, match="be one of infogan"):
        record.generator.traversal(3)
