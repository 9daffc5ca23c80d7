"""``otdiv gan``: train a model of the GAN family, judged by exact distances; ``otdiv gan compare``, all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from otdiv.cli._options import JSON
from otdiv.cli._print import print_json, save_answer, show
from otdiv.core.text_tables import Table, number
from otdiv.core.validation import Array, invalid
from otdiv.datasets.modal_data import MODAL_DATA
from otdiv.gans.model_names import ABOUT, MODELS
from otdiv.measures.files import read_measure

if TYPE_CHECKING:
    from otdiv.gans.training.record import TrainingRecord

COMPARE = "compare"
"""First argument that asks for all models."""
IMAGE_FILES = (".png", ".jpg", ".jpeg", ".bmp")


@click.command("gan", epilog="Models: " + "; ".join(f"{name}, {about}" for name, about in ABOUT.items()) + ".")
@click.argument("data", nargs=-1, required=True, metavar="[compare] DATA")
@click.option("--model", default="wgan-gp", show_default=True, help="One of the models below.")
@click.option("--steps", type=int, help="Updates of the generator; each model has its default.")
@click.option("--batch", type=int, help="Points in a step.")
@click.option("--width", type=int, help="Units of a hidden layer.")
@click.option("--constraint", help="Of the critic of a WGAN: any Lipschitz constraint of otdiv critic.")
@click.option("--entropy", type=float, help="Weight of the generator's entropy, of meg; 0 leaves it out.")
@click.option("--information", type=float, help="Weight of the mutual information, of infogan; 0 is the control.")
@click.option("--device", default="auto", show_default=True, help="CUDA where torch sees it, else the CPU.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same generator.")
@click.option("--seeds", type=int, default=1, show_default=True, help="Trainings, of seeds that follow one another.")
@click.option("--checkpoint", metavar="FILE", help="Save the training here, and go on from here.")
@click.option("--out", metavar="DIR", help="Write generator.pt, samples.npy, record.json, a picture and a film.")
@click.option("--progress/--no-progress", default=True, help="Show the running W1, on standard error.")
@JSON
def gan_command(
    data: tuple[str, ...],
    model: str,
    seed: int,
    seeds: int,
    out: str | None,
    as_json: bool,
    checkpoint: str | None,
    **settings: Any,
) -> None:
    """Train a generator on DATA and judge it by exact distances; with compare, train every model.

    DATA is ring8, grid25, bars, stacked-digits, planes10, digits or mnist5000; a file of points (.csv, .npy, .npz,
    .parquet); or a folder of images of one size.
    """
    comparing = data[0] == COMPARE and len(data) == 2
    if len(data) != 1 and not comparing:
        raise click.UsageError("pass one DATA, or compare and one DATA.", click.get_current_context())
    if seeds < 1:
        raise invalid("seeds", "be a positive integer", str(seeds), "1 trains once.")
    if checkpoint is not None and (comparing or seeds > 1):
        raise invalid("--checkpoint", "belong to one training", "several trainings", "Leave out --seeds and compare.")
    points, shape = _points_of(data[-1])
    models = MODELS if comparing else (model,)
    if comparing:  # a setting of one model only has no meaning here
        settings = {name: settings[name] for name in ("steps", "batch", "width", "device", "progress")}
    from otdiv.gans.training.train import REPORTS, train, trained_seeds

    target = None if out is None else Path(out)
    records: list[TrainingRecord] = []
    for name in models:
        if seeds == 1:
            found = iter([train(points, name, shape=shape, seed=seed, checkpoint=checkpoint, **settings)])
        else:
            progress, others = settings["progress"], {key: settings[key] for key in settings if key != "progress"}
            found = trained_seeds(points, name, range(seed, seed + seeds), shape, REPORTS, progress, None, others)
        for record in found:
            records.append(record)
            if target is not None:
                place = target if len(models) * seeds == 1 else target / f"{name}-{record.settings.seed}"
                save_answer("--out", lambda record=record, place=place: _save(record, place))  # type: ignore[misc]
    named = [data[-1]] if Path(data[-1]).exists() else []
    if len(records) == 1:
        if as_json:
            print_json(records[0].to_dict(), named)
        else:
            show(records[0].table())
        return
    if as_json:
        print_json({"trainings": [record.to_dict() for record in records], "summary": _medians(records)}, named)
    else:
        show(_comparison(records))


def _points_of(data: str) -> tuple[Any, tuple[int, int, int] | None]:
    """What DATA names: data of known modes, the points of a file, or the images of a folder."""
    path = Path(data)
    if data in MODAL_DATA:
        return data, None
    if path.is_dir():
        return _read_images(path)
    if path.exists() or path.suffix:
        return read_measure(data), None
    raise invalid("DATA", "be a file, a folder of images, or known", repr(data), f"Known: {', '.join(MODAL_DATA)}.")


def _read_images(folder: Path) -> tuple[Array, tuple[int, int, int]]:
    """Images of a folder as points with levels in [-1, 1], and their shape (channels, height, width)."""
    from PIL import Image, UnidentifiedImageError

    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_FILES)
    if not files:
        raise invalid("DATA", "hold images", f"{folder.name} without any", f"Endings: {', '.join(IMAGE_FILES)}.")
    rows = []
    for file in files:
        try:
            with Image.open(file) as picture:
                grey = picture.mode in ("1", "L", "I", "F")
                rows.append(np.asarray(picture.convert("L" if grey else "RGB"), dtype=float))
        except (UnidentifiedImageError, OSError) as problem:
            raise invalid("DATA", "hold images that can be read", file.name, f"Remove it ({problem}).") from None
        if rows[-1].shape != rows[0].shape:
            raise invalid(
                "DATA",
                "hold images of one size",
                f"{file.name} of {rows[-1].shape} after {files[0].name} of {rows[0].shape}",
                "Scale or crop them.",
            )
    stack = np.stack(rows)
    stack = stack[:, None] if stack.ndim == 3 else stack.transpose(0, 3, 1, 2)
    return stack.reshape(len(stack), -1) / 127.5 - 1.0, stack.shape[1:]


def _save(record: TrainingRecord, folder: Path) -> None:
    from otdiv.plots.gans import plot_gan, save_gan_film
    from otdiv.plots.style import save_figure

    record.save(folder)
    save_figure(plot_gan(record), folder / "training.png")
    if record.snapshots:
        save_gan_film(record, folder / "film.gif")


_SUMMARISED = ("modes", "high_quality", "js", "reverse_kl", "w1", "w1_floor")


def _medians(records: list[TrainingRecord]) -> list[dict[str, Any]]:
    """For each model the median over seeds of each measure, with the least and the largest."""
    found = []
    for model in dict.fromkeys(record.model for record in records):
        mine = [record for record in records if record.model == model]
        entry: dict[str, Any] = {"model": model, "data": mine[0].data, "seeds": len(mine)}
        for name in (*_SUMMARISED, "seconds", *mine[0].own):
            known = [r.seconds if name == "seconds" else r.measures.get(name) for r in mine]
            values = [float(value) for value in known if value is not None]
            if len(values) < len(mine):  # a measure that has no meaning for these data
                continue
            entry[name] = {"median": float(np.median(values)), "least": min(values), "largest": max(values)}
        found.append(entry)
    return found


def _comparison(records: list[TrainingRecord]) -> Table:
    """One row for each model: medians, with the range where there are several seeds."""

    def cell(entry: dict[str, Any], name: str) -> str:
        if name not in entry:
            return "-"
        median, least, largest = (entry[name][k] for k in ("median", "least", "largest"))
        spread = "" if least == largest or name == "seconds" else f" ({number(least, 2)}–{number(largest, 2)})"
        return number(median, 3) + spread

    medians = _medians(records)
    headers = ("model", "modes", "high quality", "JS", "reverse KL", "exact W1", "seconds")
    names = ("modes", "high_quality", "js", "reverse_kl", "w1", "seconds")
    rows = [(entry["model"], *(cell(entry, name) for name in names)) for entry in medians]
    seeds, floor = medians[0]["seeds"], medians[0]["w1_floor"]["median"]
    notes = [f"W1 of as many real points: {number(floor, 3)}. " + (f"Medians of {seeds} seeds." if seeds > 1 else "")]
    own = [
        f"{entry['model']}: "
        + ", ".join(f"{name.replace('_', ' ')} {cell(entry, name)}" for name in entry if name in r.own)
        for entry in medians
        for r in [next(record for record in records if record.model == entry["model"])]
        if r.own
    ]
    return Table(f"GAN family on {records[0].data}", headers, rows, notes + own, tuple(range(1, 7)))
