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
# # The traditional GAN, measured
#
# A generator $G$ turns noise $z$ into points, a discriminator $D$ says how probable it is that a point is real. They
# play
#
# $$L(D, G) = E_{x \sim p_r} \log D(x) + E_z \log(1 - D(G(z))),$$
#
# $D$ to make it large, $G$ to make it small. Three questions: what is the best $D$, which distance does $G$ then
# lower, and what is different about the loss $-\log D$ that everybody uses? Each has an exact answer on finitely many
# points, and each is then measured on networks.
#
# Trainings are short here; `OTDIV_FULL=1` in the environment runs them at the settings of `docs/gans.md`, as for the
# outputs that are kept with this notebook.

# %%
import math
import os

import numpy as np
import torch

from otdiv.divergences import js, kl
from otdiv.gans import (
    gan_loss,
    kl_minus_2js,
    log_d_identity,
    non_saturating_slope,
    optimal_discriminator,
    optimal_gan_loss,
    saturating_slope,
    train,
)
from otdiv.gans.objectives import discriminator_loss
from otdiv.plots import plot_gan, plot_gan_strip, plot_lines

FULL = os.environ.get("OTDIV_FULL") == "1"
torch.set_num_threads(1)

# %% [markdown]
# ## 1. The best discriminator
#
# Point by point $p_r \log D + p_g \log(1 - D)$ is concave in $D$, with its top at
#
# $$D^* = \frac{p_r}{p_r + p_g}, \qquad L(D^*, G) = 2\,\mathrm{JS}(p_r \| p_g) - 2 \log 2.$$
#
# So against the best discriminator the generator lowers the Jensen-Shannon divergence. On three points:

# %%
p_r, p_g = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
best = optimal_discriminator(p_r, p_g)
print("D* =", best.round(4), "  L(D*) =", round(optimal_gan_loss(p_r, p_g), 6))
print("2 JS - 2 log 2 =", round(2 * js(p_r, p_g) - 2 * math.log(2), 6))
draws = np.random.default_rng(0).uniform(0.001, 0.999, size=(5000, 3))
largest = max(gan_loss(d, p_r, p_g) for d in draws)
print("largest L of 5000 other discriminators:", round(largest, 6))

# %% [markdown]
# ## 2. A network finds it
#
# Real points from $N(-1, 1)$, generated ones from $N(1, 1)$. Both densities are known, so $D^*(x) = 1 / (1 + e^{2x})$
# and $L(D^*) = -0.712633$. A small network, trained on batches, comes close to both.

# %%
rng = torch.Generator().manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
with torch.no_grad():
    for parameter in network.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.5)
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
for _ in range(600):
    real, fake = torch.randn((512, 1), generator=rng) - 1, torch.randn((512, 1), generator=rng) + 1
    loss = discriminator_loss(network(real).squeeze(1), network(fake).squeeze(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    real, fake = torch.randn((100_000, 1), generator=rng) - 1, torch.randn((100_000, 1), generator=rng) + 1
    learnt_value = -float(discriminator_loss(network(real).squeeze(1), network(fake).squeeze(1)))
    grid = torch.linspace(-4, 4, 200)[:, None]
    learnt = torch.sigmoid(network(grid)).squeeze(1).numpy()
exact = 1 / (1 + np.exp(2 * grid.squeeze(1).numpy()))
curves = {"trained": learnt, "$D^*$": exact}
plot_lines(grid.squeeze(1), curves, title=f"L = {learnt_value:.4f}, best {-0.712633:.4f}", names=("x", "D(x)"))

# %% [markdown]
# ## 3. Where the generator's slope comes from
#
# With $D = \sigma(a)$, the loss $\log(1 - D)$ has slope $-D$ in the logit $a$ of a generated point, and $-\log D$ has
# $-(1 - D)$. Early on $D$ is sure that generated points are false ($a \ll 0$): the first loss is flat there, the second
# is not.

# %%
a = np.linspace(-6, 6, 200)
plot_lines(
    a,
    {"$\\log(1 - D)$: slope $-D$": saturating_slope(a), "$-\\log D$: slope $-(1 - D)$": non_saturating_slope(a)},
    title="Where D is sure (left) only one loss moves G",
    names=("logit a of a generated point", "slope"),
)

# %% [markdown]
# ## 4. Another loss is another distance
#
# At the best discriminator
#
# $$E_{p_g}(-\log D^*) = \mathrm{KL}(p_g \| p_r) - 2\,\mathrm{JS} + 2 \log 2 + E_{p_r} \log D^*,$$
#
# and at fixed $D^*$ the generator follows the gradient of $\mathrm{KL}(p_g \| p_r) - 2\,\mathrm{JS}$: it is paid for
# leaving modes out ($-\mathrm{JS}$) and punished for points where there is no data (reverse KL).

# %%
identity = log_d_identity(p_r, p_g)
print(
    "left",
    round(identity.loss, 9),
    " right",
    round(identity.kl - 2 * identity.js + 2 * math.log(2) + identity.real_term, 9),
)
one_mode, all_modes = np.array([1.0, 0.0, 0.0]), np.array([0.3, 0.3, 0.4])
for name, q in (("one mode left", one_mode), ("all modes, wrong shares", all_modes)):
    print(f"{name}: KL - 2 JS = {kl_minus_2js(p_r, q):+.4f}, JS = {js(p_r, q):.4f}, reverse KL = {kl(q, p_r):.4f}")

# %% [markdown]
# ## 5. Both on a ring of eight modes
#
# The measure of success is not the loss but the exact distance of 2000 generated points from 2000 balanced real ones,
# beside that of 2000 other real points: the floor.

# %%
steps = 3000 if FULL else 300
minimax = train("ring8", "gan-minimax", steps=steps, reports=5, rate=3e-4 if FULL else 1e-3, critic_rate=1e-3)
plot_gan_strip(minimax)

# %%
log_d = train("ring8", "gan-logd", steps=steps, reports=5, rate=3e-4 if FULL else 1e-3, critic_rate=1e-3)
for record in (minimax, log_d):
    print(record)
    print()
plot_gan(log_d)

# %% [markdown]
# ## 6. Mode collapse, measured
#
# Ten clusters in 100 dimensions, each on a plane of its own. A single GAN reaches few of them. JS over the clusters,
# the reverse KL, and the exact distance say so, each with the value of a perfect generator beside it; the
# discriminator's own estimate of JS says only how well it tells the two apart.

# %%
collapsed = train(
    "planes10",
    "gan-logd",
    steps=1000 if FULL else 150,
    width=256,
    depth=2,
    noise=10,
    flatness=0.5,
    rate=1e-3,
    reports=2,
)
print(collapsed)

# %% jupyter={"source_hidden": true}
if FULL:
    assert minimax.measures["modes"] == 8 and minimax.measures["w1"] < 0.2
assert largest < optimal_gan_loss(p_r, p_g)
assert abs(optimal_gan_loss(p_r, p_g) - (2 * js(p_r, p_g) - 2 * math.log(2))) < 1e-12
assert abs(learnt_value + 0.712633) < 0.01 and np.abs(learnt - exact).max() < 0.1
assert abs(identity.loss - (identity.kl - 2 * identity.js + 2 * math.log(2) + identity.real_term)) < 1e-12
assert kl_minus_2js(p_r, one_mode) < kl(one_mode, p_r)
assert collapsed.measures["js"] > 10 * collapsed.measures["js_floor"]
assert collapsed.measures["w1"] > 2 * collapsed.measures["w1_floor"]
