# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # WGAN and its relatives, judged by the distance that they approximate
#
# A WGAN replaces the discriminator by a critic $f$ with slope at most 1:
#
# $$W_1(p_r, p_g) = \max_{\mathrm{Lip}(f) \le 1} E_{p_r} f - E_{p_g} f, \qquad \min_G \; W_1(p_r, G_\# p_z).$$
#
# How the slope is kept below 1 decides how well it works: clipped weights, a gradient penalty, spectral norms. And
# since otdiv computes $W_1$ exactly, two more things can be done: every model is judged by the true distance, and a
# generator can follow it directly, with no critic at all.
#
# Trainings are short here; `OTDIV_FULL=1` in the environment runs them at the settings of `docs/gans.md`, as for the
# outputs that are kept with this notebook.

# %%
import os

import numpy as np
import torch

from otdiv import emd
from otdiv.datasets import modal_data
from otdiv.gans import train
from otdiv.plots import BLUE, ORANGE, figure, plot_bars, plot_gan, plot_gan_strip

FULL = os.environ.get("OTDIV_FULL") == "1"
torch.set_num_threads(1)
ring = modal_data("ring8")
SHORT = {} if FULL else {"steps": 200, "rate": 1e-3, "critic_steps": 2}

# %% [markdown]
# ## 1. The floor
#
# Even 2000 real points are not at distance 0 from 2000 other real points. The reference is balanced, the same number
# of points in each mode, so that its own noise is small. No generator can be seen to be better than this floor.

# %%
rng = np.random.default_rng(0)
reference = ring.draw_balanced(2000, rng)
floors = [emd(ring.draw(2000, rng), reference).value for _ in range(5)]
print("W1 of real points from the reference:", np.round(floors, 4))

# %% [markdown]
# ## 2. Three ways to keep a critic's slope below 1
#
# * **Clipping**: weights stay in $[-c, c]$. The critic is $K$-Lipschitz for a $K$ that nobody knows; the table shows
#   the proved product of the layers' norms, which is tiny, and the generator gets hardly any direction.
# * **Gradient penalty**: $\lambda\,E(|\nabla f| - 1)^2$ between the two clouds. Proves nothing, works well.
# * **Spectral normalisation**: every layer is divided by its largest singular value; those of the trained network
#   are 1 to the last digits, and a fixed slope makes the discriminator's logit as steep as is useful.

# %%
clipped = train("ring8", "wgan-clip", reports=5, **SHORT)
penalised = train("ring8", "wgan-gp", reports=5, **SHORT)
spectral = train("ring8", "sngan", reports=5, **(SHORT | ({} if FULL else {"critic_steps": 1})))
for record in (clipped, penalised, spectral):
    print(record)
    print()

# %%
plot_gan_strip(penalised)

# %% [markdown]
# ## 3. A generator without a critic
#
# By the envelope theorem the gradient of $W_1$ in a generated point is that of its cost with the optimal plan held
# fixed. So: find the exact plan between many generated and many real points, move $G$ along it, repeat. This is the
# gradient descent that a WGAN approximates.
#
# $W_1$ between two *batches* is larger than between the distributions, and its minimiser is not $p_r$: the smaller the
# batch, the more the generator shrinks towards the middle of what it may be matched with. That is why one plan of
# many points serves several steps. The record says how large the bias is: mean $W_1$ of batches of 256 less that of
# one plan of 2048.

# %%
exact = train("ring8", "exact-ot", reports=5, **({} if FULL else {"steps": 240, "rate": 3e-3, "plan": 1024}))
print(exact)
plot_gan(exact)

# %%
small = train(
    "ring8",
    "exact-ot",
    reports=5,
    **({"plan": 64, "batch": 64} if FULL else {"steps": 240, "rate": 3e-3, "plan": 64, "batch": 64}),
)
print(
    f"plans of {exact.settings.plan} points: W1 = {exact.measures['w1']:.4f}; "
    f"plans of 64: {small.measures['w1']:.4f}; floor {exact.measures['w1_floor']:.4f}"
)
fig, (left, right) = figure(9.0, 4.2, columns=2)
for ax, record, name in ((left, exact, f"plans of {exact.settings.plan}"), (right, small, "plans of 64")):
    ax.plot(*record.real[:400].T, "o", ms=2, color=BLUE, alpha=0.5, label="real")
    ax.plot(*record.sample(400, 0).T, "o", ms=2, color=ORANGE, alpha=0.7, label="generated")
    ax.set(title=f"{name}: W1 = {record.measures['w1']:.3f}", aspect="equal")
    ax.legend(frameon=False, fontsize=8)
fig

# %% [markdown]
# ## 4. All on one scale
#
# The same measure for everyone: exact $W_1$ of 2000 points from the balanced reference, in multiples of the floor.

# %%
records = [clipped, penalised, spectral, exact]
floor = exact.measures["w1_floor"]
title = "exact W1, in multiples of the floor (dotted: 1)"
plot_bars({title: {r.model: r.measures["w1"] / floor for r in records}}, level={title: 1.0})

# %% jupyter={"source_hidden": true}
assert max(floors) < 0.06
assert exact.measures["w1"] < 0.5 * exact.before["w1"]
assert penalised.measures["w1"] < clipped.measures["w1"]
assert abs(spectral.measures["largest_norm"] - 1) < 1e-3 and abs(spectral.measures["least_norm"] - 1) < 1e-3
assert exact.measures["batch_bias"] > 0
assert clipped.measures["lipschitz_bound"] < 1
if FULL:
    assert exact.measures["w1"] < 1.5 * floor and penalised.measures["modes"] == spectral.measures["modes"] == 8
