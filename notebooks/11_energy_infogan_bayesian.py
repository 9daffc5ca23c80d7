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
# # Energies, codes and posteriors: three generators with a second wish
#
# A traditional generator wants one thing: to deceive. The three models of this notebook want something more: high
# entropy, a code that can be read back, or to be one of many. Each wish has an exact form on finitely many states,
# which comes first, and a training on networks, which comes second.
#
# Trainings are short here; `OTDIV_FULL=1` in the environment runs them at the settings of `docs/gans.md`, as for the
# outputs that are kept with this notebook.

# %%
import math
import os

import numpy as np
import torch

from otdiv.divergences import conditional_entropy, entropy, mutual_information
from otdiv.gans import (
    discriminator_posterior,
    energy_on_line,
    free_energy,
    generator_posterior,
    gibbs,
    information_bound,
    joint_of_channel,
    log_partition,
    marginal_generator_posterior,
    posterior_of_code,
    train,
)
from otdiv.plots import plot_gan, plot_lines

FULL = os.environ.get("OTDIV_FULL") == "1"
torch.set_num_threads(1)

# %% [markdown]
# ## 1. Maximum entropy: the generator of an energy
#
# The discriminator of an energy-based GAN is an energy $U$, low where data are:
#
# $$U = \arg\min_U \; E_p U - E_q U + \lambda E_p |\nabla U|^2.$$
#
# On the line it has a closed form, $U' = (P - Q) / (2 \lambda p)$ with the distribution functions $P$ and $Q$: it rises
# where the generator has put too much. Without the penalty there is no minimum, and where the generator leaves the
# support of the data the penalty is silent.
#
# The generator minimises $E_q U - H(q)$. Its optimum is $q \propto e^{-U}$, of value $-\log Z$. Leave the entropy
# out, and the optimum is a single state.

# %%
best = energy_on_line(np.ones_like, lambda x: x, lambda x: x**2, (0.0, 1.0), weight=10.0)
print(f"uniform data, q = 2x: value {best.value:.9f}, -1/1200 = {-1 / 1200:.9f}")
energy = np.array([0.0, 1.0, 2.0])
q = gibbs(energy)
print("q =", q.round(4), f" E U - H = {free_energy(energy, q):.6f}, -log Z = {-log_partition(energy):.6f}")
print("without entropy:", free_energy(energy, [1.0, 0.0, 0.0], entropy_weight=0.0), "at one state, H = 0")

# %%
steps = {} if FULL else {"steps": 300, "rate": 1e-3, "critic_rate": 2e-3, "width": 64}
with_entropy = train("ring8", "meg", reports=3, penalty=1.0, **steps)
without = train("ring8", "meg", reports=3, penalty=1.0, entropy=0.0, **steps)
for name, record in (("with entropy", with_entropy), ("without", without)):
    m = record.measures
    print(
        f"{name}: {m['modes']} of 8 modes, JS {m['js']:.3f}, exact W1 {m['w1']:.3f}, AUROC of U {m['energy_auroc']:.3f}"
    )
plot_gan(with_entropy)

# %% [markdown]
# ## 2. InfoGAN: a code that can be read back
#
# A code $c$ enters the generator beside the noise. $I(c; x) = H(c) - H(c \mid x)$ should be large; any guess
# $Q(c \mid x)$ gives the lower bound
#
# $$L_I = E \log Q(c \mid x) + H(c) = I(c; x) - E_x \mathrm{KL}(P(\cdot \mid x) \| Q(\cdot \mid x)).$$
#
# For a channel that flips a bit with probability 0.1:

# %%
joint = joint_of_channel([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]])
print(
    f"I = {mutual_information(joint):.6f} = H(c) - H(c|x) = "
    f"{entropy([0.5, 0.5]) - conditional_entropy(joint, given=1):.6f}"
)
flips = np.linspace(0.01, 0.6, 60)
bounds = [information_bound(joint, [[1 - t, t], [t, 1 - t]]).value for t in flips]
tight = information_bound(joint, posterior_of_code(joint))
plot_lines(
    flips,
    {"$L_I$ of a Q that flips t": bounds},
    title="The bound is tight where Q is the posterior, t = 0.1",
    names=("t", "nats"),
    level={"I(c; x)": tight.information},
)

# %% [markdown]
# On handwritten digits with ten codes the ceiling is $H(c) = \log 10 = 2.303$: the entropy of the code's prior. The
# control trains $Q$ as well but gives no gradient to $G$: then the generator has no reason to use the code.

# %%
short = {} if FULL else {"steps": 100, "width": 64, "critic_rate": 2e-3}
coded = train("digits", "infogan", reports=2, **({} if FULL else {"steps": 300}))
control = train("digits", "infogan", reports=2, information=0.0, **short)
for name, record in (("InfoGAN", coded), ("control", control)):
    m = record.measures
    print(
        f"{name}: L_I = {m['information_bound']:.3f} +- {m['information_bound_error']:.3f} of {m['code_entropy']:.3f}"
    )
plot_gan(coded)

# %% [markdown]
# Every row of the sheet is one code, every column one noise: what changes down a column is what the code has come to
# mean.
#
# ## 3. Bayesian GAN: not one generator but their posterior
#
# With a prior on the parameters, a generator is the more probable the better its points deceive, a discriminator the
# better it separates:
#
# $$p(\theta_g \mid z, \theta_d) \propto p(\theta_g) \prod_i D_{\theta_d}(G_{\theta_g}(z_i)), \qquad
# p(\theta_d \mid z, X, \theta_g) \propto p(\theta_d) \prod_i D(x_i) \prod_i (1 - D(G(z_i))).$$
#
# The prior of the discriminator is its own, and counts once. The noise is integrated out by averaging posteriors, each
# normalised first. Two generators, two discriminators, by hand:

# %%
D = np.array([[0.8, 0.4], [0.3, 0.9]])  # D_k(x), x = 0, 1
G = np.array([[0, 1], [1, 0]])  # G_k(z) = z xor k
print("p(theta_g | z = 0, theta_d = 0) =", generator_posterior(D[0][G[:, [0]]], [0.6, 0.4]))
print(
    "p(theta_d | z = (0, 1), X = (0, 0, 1)) =",
    discriminator_posterior(D[:, [0, 0, 1]], D[:, G[0]], [0.9, 0.1]).round(6),
)
marginal = marginal_generator_posterior(D[0][G], [0.6, 0.4], [0.5, 0.5])
print("z integrated out:", marginal.round(6), "= 33/56, 23/56")

# %% [markdown]
# On networks the posterior is sampled: gradient steps with friction and noise of just the size that keeps the samples
# distributed as the posterior (SGHMC). Ten generators run side by side. Ten clusters in 100 dimensions:

# %%
short = {} if FULL else {"steps": 150, "width": 64, "depth": 1}
single = train(
    "planes10", "gan-logd", noise=10, flatness=0.5, reports=2, **({"steps": 1000, "rate": 1e-3} if FULL else short)
)
ensemble = train("planes10", "bayesian", reports=2, **short)
cold = train("planes10", "bayesian", reports=2, temperature=0.0, **short)
for name, record in (("one generator", single), ("ten, sampled", ensemble), ("ten, no noise", cold)):
    m = record.measures
    print(f"{name}: {m['modes']} of 10 clusters, JS {m['js']:.3f}, exact W1 {m['w1']:.2f} (floor {m['w1_floor']:.2f})")

# %% [markdown]
# The third line is the honest one: ten generators *without* the sampler's noise, an ordinary ensemble. What it shares
# with the second line comes from the ensemble, and only the rest from sampling the posterior.

# %% jupyter={"source_hidden": true}
assert abs(best.value + 1 / 1200) < 1e-12
assert abs(free_energy(energy, q) + log_partition(energy)) < 1e-12
assert max(bounds) <= tight.information + 1e-12 and abs(tight.gap) < 1e-12
assert abs(marginal[0] - 33 / 56) < 1e-12
assert with_entropy.measures["js"] < without.measures["js"]
assert coded.measures["information_bound"] > control.measures["information_bound"]
assert coded.measures["information_bound"] <= math.log(10)
assert ensemble.measures["js"] < single.measures["js"]
if FULL:
    assert coded.measures["information_bound"] > 2.25 and control.measures["information_bound"] < 0.1
