"""The names of the Lipschitz constraints and what each guarantees; without torch, for commands and choices."""

from __future__ import annotations

GUARANTEES = {
    "clipping": (
        "weights in [-c, c]: the constant is some K, not 1; divided by the product of the layers' norms it is proved"
    ),
    "gradient-penalty": (
        "|grad f| near 1 on segments between the distributions: biased upwards by W / (2 lambda), proves nothing by "
        "itself"
    ),
    "one-sided-penalty": (
        "|grad f| rarely above 1 on segments between the distributions: same bias, proves nothing by itself"
    ),
    "spectral": "each layer divided by its spectral norm: proved, but ReLU layers lose much of the slope",
    "frobenius": (
        "each layer divided by its Frobenius norm, an upper bound of the spectral one: proved and looser still"
    ),
    "orthonormal": "orthonormal layers and MaxMin: proved 1-Lipschitz, and no layer loses slope",
    "min-max": "max of min of pieces of slope 1: 1-Lipschitz by construction, every value a lower bound",
    "semi-discrete": (
        "min_j |z - y_j| - g_j: 1-Lipschitz by construction, and the dual program itself for fixed points"
    ),
}
"""Name of a constraint -> what it guarantees, in one sentence."""

CONSTRAINTS = tuple(GUARANTEES)
"""Every constraint, by name."""

PENALTIES = ("gradient-penalty", "one-sided-penalty")
"""Constraints that act through the loss only, so that any network can be trained with them."""
