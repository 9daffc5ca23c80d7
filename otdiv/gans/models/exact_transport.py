"""A generator without a critic: find the exact plan between G(z) and data, then move G along it.

By the envelope theorem the gradient of W1 is that of the cost with the optimal plan held fixed.  One exact plan of
many points serves several steps of small batches: the larger the plan, the smaller the bias of W1 between batches.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.gans.model_names import GanSettings
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, draw_from_generator
from otdiv.gans.objectives import transport_loss
from otdiv.transport.solve import emd


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """The generator alone."""
    return {"generator": spec.generator(spec.settings.noise, rng)}


def rates(settings: GanSettings) -> dict[str, tuple[tuple[str, ...], float]]:
    """One optimizer."""
    return {"generator": (("generator",), settings.rate)}


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """A new plan where the former is used up, then one step of a batch along it."""
    batch, memory = state.settings.batch, state.memory
    rounds = max(1, len(real) // batch)
    if state.step % rounds == 0:
        noise = state.noise(len(real), rng)
        with torch.no_grad():
            points = state.networks["generator"](noise)
        value, matched = exact_match(points, real)
        memory["noise"], memory["matched"] = noise, matched
        memory["w1"] = torch.tensor(value, dtype=torch.float64)
    part = slice(state.step % rounds * batch, (state.step % rounds + 1) * batch)
    generated = state.networks["generator"](memory["noise"][part])
    loss = state.minimise("generator", transport_loss(generated, memory["matched"][part]))
    return state.advanced(), {
        "plan_w1": state.in_data_units(memory["w1"]),
        "distance_to_match": state.in_data_units(loss),
    }


def exact_match(points: Tensor, real: Tensor) -> tuple[float, Tensor]:
    """W1 of two batches [n, d] of one size, and where the optimal plan sends each of the points [n, d]."""
    found = emd(points.double().cpu().numpy(), real.double().cpu().numpy())
    rows, columns, mass = found.plan.rows, found.plan.columns, found.plan.mass
    order = np.lexsort((mass, rows))  # the heaviest arc of each row comes last
    target = np.zeros(len(points), dtype=np.int64)
    target[rows[order]] = columns[order]
    return found.value, real[torch.from_numpy(target).to(real.device)]


def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """W1 of batches, on average, and of one large plan: the difference is the bias of small batches."""
    batch = state.settings.batch
    points = draw_from_generator(state, len(real), rng)
    parts = [slice(k, k + batch) for k in range(0, len(real) - batch + 1, batch)]
    small = state.spec.unit * float(np.mean([exact_match(points[part], real[part])[0] for part in parts]))
    whole = state.spec.unit * exact_match(points, real)[0]
    return {"batch_w1": small, "plan_w1": whole, "batch_bias": small - whole}


EXACT_TRANSPORT = GanModel(
    build,
    rates,
    step,
    draw_from_generator,
    measures,
    batch=lambda settings: max(settings.plan, settings.batch),
    capturable=False,
)
