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
from otdiv.lipschitz.convolutions import convolution_matrix, convolution_norm
from otdiv.lipschitz.layers import Activation, Layer, activation
from otdiv.lipschitz.layerwise import LayerwiseCertificate, layerwise_constant, prove_layerwise, verify_layerwise
from otdiv.lipschitz.norms import Attained, dual_norm, matrix_norm, vector_norm
from otdiv.lipschitz.on_box import box_constant
from otdiv.lipschitz.spectral import PowerIteration, SpectralNorm, gram_iteration, power_iteration, spectral_norm

__all__ = [
    "SLOPES",
    "Activation",
    "Attained",
    "Layer",
    "LayerwiseCertificate",
    "LipschitzBound",
    "PowerIteration",
    "SpectralNorm",
    "activation",
    "along_line",
    "box_constant",
    "clipped_constant",
    "convolution_matrix",
    "convolution_norm",
    "dual_norm",
    "from_gradients",
    "gram_iteration",
    "layer_constant",
    "layerwise_constant",
    "matrix_norm",
    "network_constant",
    "on_points",
    "power_iteration",
    "prove_layerwise",
    "spectral_norm",
    "spectrally_normalised",
    "vector_norm",
    "verify_layerwise",
]
