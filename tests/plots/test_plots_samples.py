"""Figures of generated samples show what the records hold."""

from __future__ import annotations

import numpy as np
import pytest

import otdiv
from otdiv.plots import plot_matching_curves, plot_modes, plot_samples
from otdiv.sample_quality import fidelity_diversity, mode_coverage


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 5])
def test_points_are_drawn_on_the_line_and_in_a_plane(d):
    rng = np.random.default_rng(d)
    found = otdiv.judge(rng.normal(size=(60, d)), rng.normal(size=(50, d)), permutations=0, splits=1)
    (ax,) = plot_samples(found).axes
    if d == 1:
        assert len(ax.patches) == 2
    else:
        assert [len(line.get_xdata()) for line in ax.lines] == [60, 50]
    if d == 2:
        assert np.array_equal(ax.lines[0].get_xdata(), found.points[0][:, 0])


def test_curves_and_modes():
    rng = np.random.default_rng(0)
    found = fidelity_diversity(rng.normal(size=(60, 1)), rng.normal(size=(60, 1)))
    left, right = plot_matching_curves(found).axes
    assert np.array_equal(left.lines[0].get_ydata(), found.fidelity_curve.generated)
    assert np.array_equal(right.lines[1].get_ydata(), found.diversity_curve.real)
    without = fidelity_diversity(rng.normal(size=(60, 1)), rng.normal(size=(60, 1)), curves=False)
    assert [len(ax.lines) for ax in plot_matching_curves(without).axes] == [0, 0]
    coverage = mode_coverage([0, 0, 1, 2], 3)
    (ax,) = plot_modes(coverage).axes
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([1 / 3] * 3)
