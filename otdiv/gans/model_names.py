"""The models of the GAN family by name, and the settings of each; without torch, for commands and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from otdiv.core.validation import check_choice, invalid

ABOUT = {
    "gan-minimax": "traditional GAN: G minimises E log(1 - D(G(z)))",
    "gan-logd": "traditional GAN with the -log D trick: G minimises -E log D(G(z))",
    "wgan-clip": "WGAN, critic with clipped weights",
    "wgan-gp": "WGAN with a gradient penalty",
    "sngan": "spectrally normalised discriminator",
    "exact-ot": "no critic: G follows the gradient of the exact transport distance",
    "meg": "energy-based GAN with a maximum-entropy generator",
    "infogan": "InfoGAN: codes that Q reads back from the points",
    "bayesian": "Bayesian GAN: generators sampled from their posterior",
}
"""Name of a model -> what it is, in a line."""

MODELS = tuple(ABOUT)
"""Every model, by name."""


@dataclass(frozen=True)
class GanSettings:
    """Everything about a training that is not data.

    Attributes
    ----------
    model : str
        One of :data:`MODELS`.
    steps : int
        Updates of the generator.
    batch : int
        Points in a step.
    width, depth : int
        Units of a hidden layer, and hidden layers, of every network.
    noise : int
        Dimension of z.
    rate, critic_rate : float
        First learning rates of generator and discriminator (Adam); both fall to 0 as a cosine.
    critic_steps : int
        Updates of the discriminator for each of the generator.
    constraint : str or None
        How the critic of a WGAN is kept Lipschitz, one of :data:`otdiv.critics.CONSTRAINTS`.
    penalty : float
        Weight of the gradient penalty: of the critic, or of the energy.
    flatness : float
        Weight of E |grad logit|^2 at real points in the loss of a traditional discriminator (R1); 0 leaves it out, and
        a discriminator that separates the two wholly gives no direction.
    clip : float
        Largest absolute weight of a clipped critic.
    slope : float
        Largest slope of the discriminator's logit, of "sngan", in units of the training.
    entropy : float
        Weight of the generator's entropy, of "meg"; 0 leaves it out, and the generator collapses.
    information : float
        Weight of L_I, of "infogan"; 0 trains Q alone, the control.
    codes : int
        Number of codes of "infogan".
    plan : int
        Points of each side in one exact plan, of "exact-ot".
    generators : int
        Generators sampled side by side, of "bayesian".
    friction : float
        Share of the momentum that is lost in a step of the sampler, of "bayesian".
    temperature : float
        Factor of the sampler's noise variance, of "bayesian": 1 is the posterior, 0 its maximum.
    prior_sd : float
        Of every weight, of "bayesian".
    seed : int
    device : str
        "auto", or a device of torch.
    """

    model: str
    steps: int = 4000
    batch: int = 256
    width: int = 128
    depth: int = 3
    noise: int = 8
    rate: float = 3e-4
    critic_rate: float = 1e-3
    critic_steps: int = 1
    constraint: str | None = None
    penalty: float = 0.1
    flatness: float = 0.0
    clip: float = 0.01
    slope: float = 10.0
    entropy: float = 1.0
    information: float = 1.0
    codes: int = 10
    plan: int = 2048
    generators: int = 10
    friction: float = 0.1
    temperature: float = 1.0
    prior_sd: float = 1.0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_choice("model", self.model, MODELS)
        for name in ("steps", "batch", "width", "depth", "noise", "critic_steps", "codes", "plan", "generators"):
            value = getattr(self, name)
            if not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
                raise invalid(name, "be a positive integer", repr(value), "Leave it out for the default.")
        for name in ("rate", "critic_rate", "penalty", "clip", "slope", "prior_sd"):
            if not 0 < getattr(self, name) < float("inf"):
                raise invalid(name, "be a positive number", repr(getattr(self, name)), "Leave it out for the default.")
        for name in ("entropy", "information", "temperature", "flatness"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise invalid(name, "be a number >= 0", repr(getattr(self, name)), "Leave it out for the default.")
        if not 0 < self.friction <= 1:
            raise invalid("friction", "lie in (0, 1]", repr(self.friction), "Leave it out for the default.")
        if not (isinstance(self.seed, int) and 0 <= self.seed < 2**31):
            raise invalid("seed", "be an integer from 0 to 2**31 - 1", repr(self.seed), "Leave it out for 0.")

    @classmethod
    def of(cls, model: str, dimension: int | None = None, **given: Any) -> GanSettings:
        """The defaults of a model, with what is given in their place; None counts as not given.

        Parameters
        ----------
        model : str
        dimension : int, optional
            Of the points: from 32 on networks are wider, and traditional discriminators flatter.
        **given
            Settings by name.

        Raises
        ------
        InvalidInput
            An unknown model or setting, or a value outside its range.
        """
        check_choice("model", model, MODELS)
        known = {field.name for field in fields(cls)}
        for name in given:
            if name not in known:
                raise invalid("settings", "be known", repr(name), f"Known: {', '.join(sorted(known))}.")
        defaults = dict(DEFAULTS.get(model, {}))
        if dimension is not None and dimension >= HIGH_DIMENSION:
            defaults |= {**OF_HIGH_DIMENSION, **DEFAULTS_OF_HIGH_DIMENSION.get(model, {})}
        return replace(cls(model), **{**defaults, **{k: v for k, v in given.items() if v is not None}})


DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "gan-minimax": {"steps": 3000},
    "gan-logd": {"steps": 3000},
    "wgan-clip": {"constraint": "clipping", "critic_steps": 3, "steps": 2000},
    "wgan-gp": {"constraint": "gradient-penalty", "critic_steps": 3, "steps": 3000},
    "sngan": {"slope": 30.0, "steps": 3000},
    "exact-ot": {"rate": 2e-3, "steps": 3000, "width": 256, "noise": 2},
    "meg": {"entropy": 0.1, "steps": 3000},
    "infogan": {"rate": 1e-3, "flatness": 0.1, "steps": 2000},
    "bayesian": {"rate": 3e-5, "critic_rate": 1e-4, "steps": 2000},
}
"""Settings in which a model departs from :class:`GanSettings`."""

HIGH_DIMENSION = 32
"""Coordinates from which the settings below hold."""
OF_HIGH_DIMENSION: Mapping[str, Any] = {"width": 256, "depth": 2, "noise": 32, "steps": 1000, "rate": 1e-3}
"""Settings of every model in high dimension."""
DEFAULTS_OF_HIGH_DIMENSION: Mapping[str, Mapping[str, Any]] = {
    "gan-minimax": {"flatness": 0.5},
    "gan-logd": {"flatness": 0.5},
    "wgan-gp": {"penalty": 10.0},
    "meg": {"rate": 5e-4, "critic_steps": 3, "penalty": 10.0, "entropy": 0.01, "steps": 1500},
    "infogan": {"flatness": 1.0},
    "bayesian": {"flatness": 0.5, "rate": 3e-4, "critic_rate": 3e-4, "steps": 2000},
}
"""Further ones of a model."""
