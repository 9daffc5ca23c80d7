"""The models by name; :data:`otdiv.gans.model_names.ABOUT` says what each is."""

from __future__ import annotations

from otdiv.gans.models.adversarial import LOG_D, MINIMAX
from otdiv.gans.models.base import GanModel
from otdiv.gans.models.bayesian import BAYESIAN
from otdiv.gans.models.energy import MAXIMUM_ENTROPY
from otdiv.gans.models.exact_transport import EXACT_TRANSPORT
from otdiv.gans.models.infogan import INFOGAN
from otdiv.gans.models.spectral import SPECTRALLY_NORMALISED
from otdiv.gans.models.wasserstein import WASSERSTEIN

MODEL_BY_NAME: dict[str, GanModel] = {
    "gan-minimax": MINIMAX,
    "gan-logd": LOG_D,
    "wgan-clip": WASSERSTEIN,
    "wgan-gp": WASSERSTEIN,
    "sngan": SPECTRALLY_NORMALISED,
    "exact-ot": EXACT_TRANSPORT,
    "meg": MAXIMUM_ENTROPY,
    "infogan": INFOGAN,
    "bayesian": BAYESIAN,
}
"""How each of :data:`otdiv.gans.model_names.MODELS` is built, trained and sampled."""
