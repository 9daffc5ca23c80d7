"""Trainings of generators, drawn: points with the critic's level lines, the running W1 and JS, and a short film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.files.writing import require_writable, write_whole
from otdiv.plots.style import BLUE, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from otdiv.gans.training.record import Snapshot, TrainingRecord

REAL_POINTS = 400
"""Real points in a picture."""
FILM_SECONDS = 0.4
"""Seconds that a picture of the film stands."""
IMAGES = 64
"""Generated images in a sheet."""
IMAGES_OF_A_CODE = 10
"""Images of each code of an InfoGAN."""


def plot_gan(record: TrainingRecord) -> Figure:
    """The generator's points beside the real ones, and the exact W1 of the training with its floor.

    Parameters
    ----------
    record : TrainingRecord

    Returns
    -------
    matplotlib.figure.Figure
        Points in the plane with the level lines of critic, discriminator or energy; a sheet of images where the data
        are images; the first two principal axes of the real points else.
    """
    fig, (left, right) = figure(9.6, 4.3, columns=2)
    if record.snapshots:
        _draw_snapshot(left, record.snapshots[-1], record.real)
    elif record.generator.state.spec.shape is not None:
        _draw_sheet(left, record)
    else:
        _draw_projection(left, record)
    left.set_title(f"{record.model} on {record.data}", fontsize=10)
    _draw_history(right, record, record.settings.steps)
    return fig


def save_gan_film(record: TrainingRecord, path: str | Path) -> Path:
    """A film (.gif) of the generator's points with the critic's level lines, W1 and JS below.

    Parameters
    ----------
    record : TrainingRecord
        Of points in the plane.
    path : path
        Ending in .gif.

    Returns
    -------
    Path

    Raises
    ------
    InvalidInput
        A record of other points, or a file that cannot be written.
    """
    import io

    from PIL import Image

    target = require_writable(path, "path", (".gif",))
    pictures = []
    for snapshot in _snapshots_of(record):
        fig = _film_picture(record, snapshot)
        stream = io.BytesIO()
        fig.savefig(stream, format="png", dpi=80)
        pictures.append(Image.open(stream).convert("P", palette=Image.Palette.ADAPTIVE))
    drawn = io.BytesIO()
    lasting = [int(1000 * FILM_SECONDS)] * (len(pictures) - 1) + [2000]
    pictures[0].save(drawn, format="GIF", save_all=True, append_images=pictures[1:], duration=lasting, loop=0)
    with write_whole(target) as output:
        output.write(drawn.getbuffer())
    return target


def plot_gan_strip(record: TrainingRecord, pictures: int = 5) -> Figure:
    """Some pictures of the film side by side.

    Parameters
    ----------
    record : TrainingRecord
        Of points in the plane.
    pictures : int

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A record of other points.
    """
    snapshots = _snapshots_of(record)
    chosen = np.unique(np.linspace(0, len(snapshots) - 1, pictures).round().astype(int))
    fig, axes = figure(2.6 * len(chosen), 2.8, columns=len(chosen))
    entries = {int(entry["step"]): entry for entry in record.history}
    for ax, k in zip(axes, chosen, strict=True):
        _draw_snapshot(ax, snapshots[k], record.real, legend=False)
        entry = entries[snapshots[k].step]
        ax.set_title(f"step {snapshots[k].step}, W1 {entry['w1']:.3g}", fontsize=9)
    lines, names = axes[0].get_legend_handles_labels()
    fig.legend(lines, names, loc="outside lower center", ncols=2, frameon=False, fontsize=8, markerscale=3)
    return fig


def _snapshots_of(record: TrainingRecord) -> list[Snapshot]:
    if not record.snapshots:
        raise invalid("record", "be of points in the plane", f"{record.generator.d} dimensions", "Plot the training.")
    return record.snapshots


def _film_picture(record: TrainingRecord, snapshot: Snapshot) -> Any:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.6, 6.0), layout="constrained")
    above, below = fig.subplots(2, 1, height_ratios=(3, 1))
    _draw_snapshot(above, snapshot, record.real)
    above.set_title(f"{record.model} on {record.data}, step {snapshot.step}", fontsize=10)
    _draw_history(below, record, snapshot.step)
    return fig


def _draw_snapshot(ax: Axes, snapshot: Snapshot, real: Array, legend: bool = True) -> None:
    left, right, bottom, top = snapshot.box
    if snapshot.levels is not None:
        rows, columns = snapshot.levels.shape
        u, v = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
        ax.contour(u, v, snapshot.levels, levels=12, colors=GREY, linewidths=0.5, alpha=0.6)
    ax.plot(*real[:REAL_POINTS].T, "o", color=BLUE, ms=2, alpha=0.5, label="real")
    ax.plot(*snapshot.points.T, "o", color=ORANGE, ms=2, alpha=0.6, label="generated")
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    if legend:
        ax.legend(frameon=False, fontsize=8, loc="upper right", markerscale=3)


def _draw_sheet(ax: Axes, record: TrainingRecord) -> None:
    """Images in a square; of an InfoGAN a row for each code, with the same noises in every row."""
    shape = record.generator.state.spec.shape
    assert shape is not None
    channels, height, width = shape
    if record.model == "infogan":
        images = record.generator.traversal(IMAGES_OF_A_CODE, 0)
        ax.set_ylabel("code")
        ax.set_xlabel("noise")
    else:
        images = record.sample(IMAGES, 0).reshape(int(np.sqrt(IMAGES)), -1, record.generator.d)
    rows, columns, _ = images.shape
    framed = np.zeros((rows, columns, channels, height + 1, width + 1))  # a grey line below and beside each image
    framed[..., :height, :width] = images.reshape(rows, columns, channels, height, width)
    sheet = framed.transpose(0, 3, 1, 4, 2).reshape(rows * (height + 1), columns * (width + 1), channels)
    sheet = np.clip((sheet + 1) / 2, 0, 1)
    ax.imshow(sheet[..., 0] if channels == 1 else sheet[..., :3], cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])


def _draw_projection(ax: Axes, record: TrainingRecord) -> None:
    real = record.real
    generated = record.sample(REAL_POINTS, 0)
    if real.shape[1] == 1:
        bins = np.histogram_bin_edges(np.concatenate([real, generated]).ravel(), 40).tolist()
        for points, colour, name in ((real, BLUE, "real"), (generated, ORANGE, "generated")):
            ax.hist(points.ravel(), bins, density=True, color=colour, alpha=0.5, label=name)
        ax.legend(frameon=False, fontsize=8)
        return
    centre = real.mean(axis=0)
    spread = real.std(axis=0)
    spread[spread == 0] = 1.0
    _, _, axes = np.linalg.svd((real - centre) / spread, full_matrices=False)
    for points, colour, name in ((real[:REAL_POINTS], BLUE, "real"), (generated, ORANGE, "generated")):
        ax.plot(*(((points - centre) / spread) @ axes[:2].T).T, "o", color=colour, ms=2, alpha=0.5, label=name)
    ax.set(xlabel="first principal axis", ylabel="second")
    ax.legend(frameon=False, fontsize=8, markerscale=3)


def _draw_history(ax: Axes, record: TrainingRecord, until: int) -> None:
    seen = [entry for entry in record.history if entry["step"] <= until]
    steps = [entry["step"] for entry in seen]
    ax.plot(steps, [entry["w1"] for entry in seen], "-o", color=ORANGE, ms=3, label="exact W1 (500 points)")
    if seen and "js" in seen[0]:
        ax.plot(steps, [entry["js"] for entry in seen], "-o", color=BLUE, ms=3, label="JS over modes (nats)")
    floor = record.running_floor
    ax.axhline(floor, color=GREY, lw=1, ls=":", label=f"the same of real points, {floor:.2g}")
    highest = max(entry["w1"] for entry in record.history)
    ax.set(xlim=(0, 1.03 * record.settings.steps), ylim=(0, 1.1 * max(highest, floor)), xlabel="step")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
