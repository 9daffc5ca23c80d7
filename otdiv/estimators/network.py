"""A neural network as discriminator: ratios of densities that no fixed features express.  Needs torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array, optional_import
from otdiv.estimators.logistic import Learner

WIDTH, DEPTH = 64, 2
"""Units of a hidden layer, and such layers; more of them express more ratios and fit more noise."""
FEWEST_POINTS = 1000
"""Points of both samples below which no network is trained: from half of them, by which its error is measured, it
often learns nothing."""
EPOCHS = 60
"""Passes over the training points, while the rate falls to 0 as a cosine; more of them take longer."""
DECAYS = (1.0, 2.0)
"""Weight decays that are tried; a larger one fits less noise, which is needed in more dimensions."""
_BATCH, _RATE = 128, 1e-2


def network_learner(seed: int, decay: float) -> Learner:
    """A network trained by AdamW (I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR 2019).

    Parameters
    ----------
    seed : int
        Of weights and batches.
    decay : float
        Share of the weights, over the rate, that each step takes away.

    Raises
    ------
    MissingPackage
        If torch is not installed.
    """
    optional_import("torch", "A network among the classifiers", "torch")

    def learn(points: Array, labels: Array) -> Callable[[Array], Array]:
        import torch

        from otdiv.neural.mlp import MLP

        random = np.random.default_rng(seed)
        z, targets = (torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)) for a in (points, labels))
        generator = torch.Generator().manual_seed(int(random.integers(2**31)))
        network = MLP(points.shape[1], WIDTH, DEPTH, "relu", generator)
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=decay)
        batches = max(1, len(points) // _BATCH)
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * batches)
        for _ in range(EPOCHS):
            for batch in np.array_split(random.permutation(len(points)), batches):
                optimizer.zero_grad()
                chosen = torch.from_numpy(batch)
                torch.nn.functional.binary_cross_entropy_with_logits(network(z[chosen]), targets[chosen]).backward()
                optimizer.step()
                rate.step()
        return _logits_of(network)

    return learn


def _logits_of(network: Any) -> Callable[[Array], Array]:
    import torch

    def logits(z: Array) -> Array:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy(z.astype(np.float32))), dtype=np.float64)

    return logits
