"""Norms, spectral norms and Lipschitz constants: bounds, never a bare guess."""

from otdiv.lipschitz.constants import (
    SLOPES,
    LipschitzBound,
    along_line,
    clipped_constant,
    from_gradients,
    layer_constant,
    network_constant,
    on_points,
    spectrally_normalised,
)
from otdiv.lipschitz.norms import Attained, dual_norm, matrix_norm, vector_norm
from otdiv.lipschitz.spectral import PowerIteration, SpectralNorm, gram_iteration, power_iteration, spectral_norm

__all__ = [
    "SLOPES",
    "Attained",
    "LipschitzBound",
    "PowerIteration",
    "SpectralNorm",
    "along_line",
    "clipped_constant",
    "dual_norm",
    "from_gradients",
    "gram_iteration",
    "layer_constant",
    "matrix_norm",
    "network_constant",
    "on_points",
    "power_iteration",
    "spectral_norm",
    "spectrally_normalised",
    "vector_norm",
]
