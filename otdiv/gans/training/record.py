"""The record of a training: its settings, its history, what it measured, and the trained generator."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.text_tables import Table, json_number, number
from otdiv.core.validation import Array
from otdiv.files.writing import write_whole
from otdiv.gans.fitted import FittedGenerator
from otdiv.gans.model_names import ABOUT, GanSettings

NOT_OURS = ("modes", "of", "high_quality", "js", "reverse_kl", "js_floor", "reverse_kl_floor", "w1", "w1_floor")
"""Measures that every model has; the rest are the model's own."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a report saw of points in the plane.

    Attributes
    ----------
    step : int
    points : ndarray [n, 2]
        Generated, in own units.
    levels : ndarray [k, k] or None
        Values of critic, discriminator logit or energy on a regular grid over ``box``; rows go up.
    box : tuple of float
        (left, right, bottom, top).
    """

    step: int
    points: Array
    levels: Array | None
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """How a training went, and how good its generator is.

    Attributes
    ----------
    data : str
    settings : GanSettings
    history : list of dict
        At each report: step, seconds, w1 (exact, of 500 points), js and modes where they are known, and what the
        step itself reported.
    measures : dict
        Of the trained generator: w1 and w1_floor (exact, 2000 points), modes, of, high_quality, js, reverse_kl with
        their floors where modes are known, and the model's own.
    before : dict
        The same of the untrained generator.
    seconds : float
        Of the training, reports included.
    device : str
    generator : FittedGenerator
    snapshots : list of Snapshot
        For points in the plane.
    real : ndarray [n, d]
        Real points, for pictures.
    running_floor : float
        Exact W1 of 500 real points from the reference of ``history``: what its w1 can come down to.
    """

    data: str
    settings: GanSettings
    history: list[dict[str, float]]
    measures: dict[str, Any]
    before: dict[str, Any]
    seconds: float
    device: str
    generator: FittedGenerator
    snapshots: list[Snapshot]
    real: Array
    running_floor: float

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.settings.model

    @property
    def own(self) -> dict[str, float]:
        """The model's own measures."""
        return {name: value for name, value in self.measures.items() if name not in NOT_OURS}

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> Array:
        """n generated points [n, d], in the units of the data."""
        return self.generator.sample(n, rng)

    def table(self) -> Table:
        """One row for each measure, before and after."""
        m, b = self.measures, self.before
        rows = [("exact W1", number(b["w1"], 4), number(m["w1"], 4), f"{number(m['w1_floor'], 4)} (real points)")]
        if "modes" in m:
            rows.append(("modes captured", f"{b['modes']}", f"{m['modes']}", f"{m['of']}"))
            if m["high_quality"] is not None:
                rows.append(("high quality", f"{b['high_quality']:.1%}", f"{m['high_quality']:.1%}", "98.9 %"))
            rows.append(("JS over modes", number(b["js"], 3), number(m["js"], 3), number(m["js_floor"], 2)))
            rows.append(
                ("reverse KL", number(b["reverse_kl"], 3), number(m["reverse_kl"], 3), number(m["reverse_kl_floor"], 2))
            )
        rows += [(name.replace("_", " "), number(b[name], 4), number(value, 4), "") for name, value in self.own.items()]
        notes = [
            f"{ABOUT[self.model]}; {self.settings.steps} steps in {self.seconds:.0f} s on {self.device}, "
            f"seed {self.settings.seed}."
        ]
        title = f"{self.model} on {self.data}"
        return Table(title, ("", "untrained", "trained", "a perfect generator"), rows, notes, (1, 2, 3))

    def __str__(self) -> str:
        return self.table().text(120)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; inf is the string "inf"."""

        def plain(values: dict[str, Any]) -> dict[str, Any]:
            return {k: json_number(v) if isinstance(v, float) else v for k, v in values.items()}

        return {
            "model": self.model,
            "data": self.data,
            **plain(self.measures),
            "before": plain(self.before),
            "running_w1_floor": self.running_floor,
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "settings": asdict(self.settings),
            "history": [plain(entry) for entry in self.history],
        }

    def save(self, folder: str | Path, n: int = 2000) -> Path:
        """Write generator.pt, samples.npy (n points) and record.json into a folder.

        Parameters
        ----------
        folder : path
            Made where it is not there.
        n : int
            Points in samples.npy, drawn with seed 0.

        Returns
        -------
        Path

        Raises
        ------
        InvalidInput
            A folder that cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self.generator.save(target / "generator.pt")
        with write_whole(target / "samples.npy") as stream:
            np.save(stream, self.sample(n, 0), allow_pickle=False)
        with write_whole(target / "record.json") as stream:
            stream.write(json.dumps(self.to_dict(), indent=2, allow_nan=False).encode())
        return target
