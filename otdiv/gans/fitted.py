"""A trained generator: draws points in the units of the data, is saved, and is read by another process."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from otdiv.core.devices import training_device
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.files.writing import require_writable
from otdiv.gans.model_names import GanSettings
from otdiv.gans.models.base import GanSpec, GanState
from otdiv.gans.models.infogan import generate
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.neural.torch_files import read_torch, write_torch

BLOCK = 8192
"""Points generated at once."""
PARTS = {"kind", "settings", "d", "shape", "data_size", "mean", "scale", "networks"}
KIND = "otdiv generator 1"


@dataclass(frozen=True, eq=False)
class FittedGenerator:
    """A generator and the units that it was trained in.

    Attributes
    ----------
    state : GanState
    mean, scale : ndarray [d]
        Points are mean + scale G(z).
    """

    state: GanState
    mean: Array
    scale: Array

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.state.spec.d

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> Array:
        """n generated points.

        Parameters
        ----------
        n : int
        rng : int, Generator or None
            A seed draws the same points again.

        Returns
        -------
        ndarray [n, d]
            float64, in the units of the data.

        Raises
        ------
        InvalidInput
            n not a positive integer.
        """
        if not (isinstance(n, int | np.integer) and n >= 1):
            raise invalid("n", "be a positive integer", repr(n), "Give the number of points.")
        seed = int(as_rng(rng).integers(2**62))
        generator = torch.Generator(self.state.spec.device).manual_seed(seed)
        draw = MODEL_BY_NAME[self.state.settings.model].draw
        blocks = [draw(self.state, min(BLOCK, n - k), generator) for k in range(0, int(n), BLOCK)]
        points = torch.cat(blocks).double().cpu().numpy()
        return np.asarray(points * self.scale + self.mean)

    def traversal(self, columns: int, rng: int | np.random.Generator | None = None) -> Array:
        """Points of every code of an InfoGAN, with the same noises for each.

        Parameters
        ----------
        columns : int
            Noises.
        rng : int, Generator or None

        Returns
        -------
        ndarray [codes, columns, d]
            Along a row only the noise changes, along a column only the code.

        Raises
        ------
        InvalidInput
            A generator without codes.
        """
        settings = self.state.settings
        if settings.model != "infogan":
            raise invalid("generator", "be one of infogan, with codes", settings.model, "Use sample.")
        generator = torch.Generator(self.state.spec.device).manual_seed(int(as_rng(rng).integers(2**62)))
        noise = self.state.noise(columns, generator).repeat(settings.codes, 1)
        codes = torch.arange(settings.codes, device=noise.device).repeat_interleave(columns)
        with torch.no_grad():
            points = generate(self.state, noise, codes).double().cpu().numpy()
        return np.asarray((points * self.scale + self.mean).reshape(settings.codes, columns, self.d))

    def save(self, path: str | Path) -> Path:
        """Write the generator as a .pt file that holds tensors and numbers only.

        Raises
        ------
        InvalidInput
            A file that cannot be written, or one of another ending.
        """
        file = require_writable(path, "path", (".pt",))
        spec = self.state.spec
        content: dict[str, Any] = {
            "kind": KIND,
            "settings": json.dumps(asdict(spec.settings)),
            "d": spec.d,
            "shape": None if spec.shape is None else list(spec.shape),
            "data_size": spec.data_size,
            "mean": torch.from_numpy(self.mean.copy()),
            "scale": torch.from_numpy(self.scale.copy()),
            "networks": self.state.networks.state_dict(),
        }
        write_torch(file, content, "path")
        return file


def load_generator(path: str | Path, *, device: str = "cpu") -> FittedGenerator:
    """The generator of a file that :meth:`FittedGenerator.save` wrote; nothing in the file is run.

    Parameters
    ----------
    path : path
    device : str
        "auto", or a device of torch.

    Returns
    -------
    FittedGenerator

    Raises
    ------
    InvalidInput
        A file that holds anything else.
    """
    file = Path(path)
    content = read_torch(file, PARTS, "path", "be a generator that otdiv saved")
    place = training_device(device)
    try:
        if content["kind"] != KIND:
            raise ValueError("another kind")
        settings = GanSettings(**json.loads(content["settings"]))
        d, shape = content["d"], content["shape"]
        mean, scale = (content[name].double().numpy() for name in ("mean", "scale"))
        if not (type(d) is int and 1 <= d < 10**7 and mean.shape == scale.shape == (d,)):
            raise ValueError("sizes")
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise ValueError("units")
        if shape is not None and (len(shape) != 3 or math.prod(shape) != d):
            raise ValueError("shape")
        spec = GanSpec(settings, d, None if shape is None else tuple(shape), place, int(content["data_size"]), 1.0)
        state = MODEL_BY_NAME[settings.model].initial(spec, torch.Generator().manual_seed(0))
        state.networks.load_state_dict(content["networks"])
        if not all(bool(torch.isfinite(weight).all()) for weight in state.networks.state_dict().values()):
            raise ValueError("weights that are not finite")
    except Exception as problem:  # what no run wrote fails in json, torch and the settings, each in its own way
        raise invalid(
            "path", "be a generator that otdiv saved", f"{file.name} ({type(problem).__name__})", "Train it again."
        ) from None
    return FittedGenerator(state, mean, scale)
