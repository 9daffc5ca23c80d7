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
# # KL, JS and the two vertical bars
#
# Two distributions, one number: how far apart are they? This notebook meets the Kullback-Leibler
# divergence (KL), the Jensen-Shannon divergence (JS) that a GAN measures, and the example in which
# both fail while the transport distance does not. Everything is computed by `otdiv`; the last cell
# checks every claim.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from otdiv import emd
from otdiv.divergences import js, kl, kl_integrand, kl_integrand_nonnegative, kl_reverse
from otdiv.gans import gan_loss, optimal_discriminator, optimal_gan_loss
from otdiv.lecture import two_bars

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})

# %% [markdown]
# ## 1. What KL is
#
# $$\mathrm{KL}(P\,\|\,Q) = \sum_x p(x)\,\log\frac{p(x)}{q(x)}$$
#
# is the mean of $\log p/q$ under $P$: how much more surprised you are, on average, if the world is
# $P$ and you believe $Q$. It is never negative, zero only for $P = Q$, and not symmetric.

# %%
p_real = np.array([0.5, 0.3, 0.2])
p_fake = np.array([0.2, 0.2, 0.6])
print(f"KL(real || fake) = {kl(p_real, p_fake):.6f} nats")
print(f"KL(fake || real) = {kl(p_fake, p_real):.6f} nats")

# %% [markdown]
# It can be infinite, and then it is worth knowing why. `otdiv` says which mass of $P$ sits where $Q$
# has none:

# %%
infinite = kl([0.5, 0.3, 0.2], [0.8, 0.2, 0.0])
print(repr(infinite))

# %% [markdown]
# ## 2. Four numbers that look like KL, and are not
#
# $p\log(p/q)$ for a pair of numbers is the value of the **integrand** at one point, not a divergence. Of the four lines
# below (three different pairs: the last repeats the first) three are negative, which no KL can be.
#
# <details><summary>About the slide</summary>
#
# It prints $p\log(p/q)$ for these four lines as values of KL.
# </details>

# %%
pairs = [(0.000001, 0.999999), (0.000001, 0.1), (0.999999, 0.000001), (0.000001, 0.999999)]
print("       p         q      p log(p/q)    p log(p/q) - p + q")
for p, q in pairs:
    print(f"{p:8.6f}  {q:8.6f}  {float(kl_integrand(p, q)):14.6e}  {float(kl_integrand_nonnegative(p, q)):14.6f}")

# %% [markdown]
# The last column adds $q - p$, which sums to zero over two distributions, so the total is the same KL;
# but now each point contributes a non-negative amount. It is easier to read: a point that $Q$ likes
# and $P$ does not costs about $q$, not nothing.

# %%
grid = np.linspace(0.001, 0.999, 400)
figure, axis = plt.subplots(figsize=(6.4, 3.6))
axis.plot(grid, kl_integrand(0.3, grid), color=BLUE, label=r"$p\,\log(p/q)$")
axis.plot(grid, kl_integrand_nonnegative(0.3, grid), color=ORANGE, label=r"$p\,\log(p/q) - p + q$")
axis.axhline(0, color=GREY, linewidth=0.8)
axis.axvline(0.3, color=GREY, linewidth=0.8, linestyle=":")
axis.annotate("q = p", (0.3, 1.2), xytext=(4, 0), textcoords="offset points", color=GREY)
axis.set(xlabel="q(x), while p(x) = 0.3", ylabel="contribution of one point", title="The integrand of KL, in two forms")
axis.legend()
figure.tight_layout()
plt.show()

# %% [markdown]
# ## 3. Two directions, two characters
#
# Let the data have two modes and let the model be a single bell of any position and width. Choosing
# the bell that minimises $\mathrm{KL}(\text{data}\|\text{model})$ punishes every place where there is
# data but no model: the bell **covers** both modes. Minimising $\mathrm{KL}(\text{model}\|\text{data})$
# punishes every place where there is model but no data: the bell **seeks one mode**, and drops the other.

# %%
x = np.linspace(-6, 6, 241)


def bell(centre: float, width: float) -> np.ndarray:
    """A discretised normal distribution on the grid."""
    height = np.exp(-0.5 * ((x - centre) / width) ** 2) + 1e-12
    return height / height.sum()


data = 0.5 * bell(-2, 0.5) + 0.5 * bell(2, 0.5)
candidates = [(centre, width) for centre in np.linspace(-3, 3, 25) for width in np.linspace(0.4, 3.0, 27)]
covering = min(candidates, key=lambda c: kl(data, bell(*c), normalize=True))
seeking = min(candidates, key=lambda c: kl_reverse(data, bell(*c), normalize=True))

figure, axis = plt.subplots(figsize=(6.4, 3.4))
axis.fill_between(x, data, color=GREY, alpha=0.3, label="data")
axis.plot(x, bell(*covering), color=BLUE, label="best for KL(data || model): covers")
axis.plot(x, bell(*seeking), color=ORANGE, label="best for KL(model || data): seeks a mode")
axis.set(xlabel="x", ylabel="probability", title="Mode covering and mode seeking", ylim=(0, 0.068))
axis.legend(loc="upper right")
figure.tight_layout()
plt.show()
print(f"covering: centre {covering[0]:.2f}, width {covering[1]:.2f}")
print(f"seeking:  centre {seeking[0]:.2f}, width {seeking[1]:.2f}")

# %% [markdown]
# ## 4. What a GAN's discriminator measures
#
# A discriminator $D(x)$ guesses the probability that $x$ is real; it maximises
# $L(G, D) = \mathbb E_{p_r}\log D + \mathbb E_{p_g}\log(1 - D)$. The best one is, at every point,
#
# $$D^*(x) = \frac{p_r(x)}{p_r(x) + p_g(x)},\qquad\text{so that}\qquad
# L(G, D^*) = 2\,\mathrm{JS}(p_r, p_g) - 2\log 2 .$$
#
# JS is the mean KL of both to their mixture: symmetric, and never above $\log 2$.

# %%
best = optimal_discriminator(p_real, p_fake)
print("D* =", best.round(4))
print(f"L(G, D*)         = {gan_loss(best, p_real, p_fake):.12f}")
print(f"2 JS - 2 log 2   = {2 * js(p_real, p_fake) - 2 * math.log(2):.12f}")
print(f"L(G, guess 1/2)  = {gan_loss([0.5, 0.5, 0.5], p_real, p_fake):.12f}")

# %% [markdown]
# ## 5. The two vertical bars
#
# $P$ is uniform on the segment $x = 0,\ 0<y<1$; $Q$ is the same segment moved to $x = \theta$.
# Intuition says that their distance is $|\theta|$.

# %%
figure, axis = plt.subplots(figsize=(4.6, 3.4))
for measure, colour, name in zip(two_bars(0.5, n=16), (BLUE, ORANGE), ("P", r"Q, at $\theta = 0.5$"), strict=True):
    axis.scatter(*measure.points.T, s=22, color=colour, label=name)
axis.annotate("", (0.48, 0.5), (0.02, 0.5), arrowprops={"arrowstyle": "->", "color": GREY})
axis.text(0.25, 0.53, r"every point moves by $|\theta|$", ha="center", color=GREY, fontsize=8)
axis.set(xlabel="x", ylabel="y", xlim=(-0.25, 0.95), ylim=(-0.05, 1.05), title="Two bars, 16 points each")
axis.legend(loc="center right")
figure.tight_layout()
plt.show()

# %% [markdown]
# Now sweep $\theta$ through zero and ask all three.

# %%
thetas = np.linspace(-1, 1, 41)
sweep = [two_bars(float(theta) if abs(theta) > 1e-9 else 0.0, n=16) for theta in thetas]
kl_values = np.array([kl(*bars) for bars in sweep])
js_values = np.array([js(*bars) for bars in sweep])
w_values = np.array([emd(*bars).value for bars in sweep])
zero = np.flatnonzero(kl_values == 0)

figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), sharex=True)
away = kl_values > 0
heights = np.where(np.isinf(kl_values), 1.0, kl_values)  # infinity is drawn at the top
for axis, values, colour in ((axes[0], heights, BLUE), (axes[1], js_values, ORANGE)):
    for side in (thetas < 0, thetas > 0):
        axis.plot(thetas[side & away], values[side & away], color=colour)
    axis.plot(thetas[zero], values[zero], "o", color=colour)
axes[0].set(title="KL(P || Q)", yticks=[0, 1], yticklabels=["0", r"$\infty$"], ylim=(-0.1, 1.15))
axes[1].set(title="JS(P, Q)", yticks=[0, math.log(2)], yticklabels=["0", "log 2"], ylim=(-0.07, 0.8))
axes[2].plot(thetas, w_values, color=GREEN)
axes[2].set(title=r"W$_1$(P, Q)", yticks=[0, 0.5, 1], ylim=(-0.1, 1.15))
for axis in axes:
    axis.set_xlabel(r"$\theta$")
figure.tight_layout()
plt.show()

# %% [markdown]
# KL is infinite and JS is $\log 2$, at every $\theta$ but zero, where both are 0. They jump, and are
# flat on either side: their slope in $\theta$ says nothing about where to go, and a generator trained
# on them learns nothing. The transport distance $W_1 = |\theta|$ has no jump and slope $\pm 1$.
#
# ## 6. Why samples fool JS
#
# Put the two bars on top of each other ($\theta = 0$), but represent each by $n$ points of its own,
# half a grid step apart. The bars are the same; the samples share no point. JS sees only that.

# %%
sizes = [4, 16, 64]
shifted = [two_bars(0.0, n=n, offset=1 / (2 * n)) for n in sizes]
print("   n        JS        W1")
for n, bars in zip(sizes, shifted, strict=True):
    print(f"{n:4d}  {js(*bars):.6f}  {emd(*bars).value:.6f}")
print()
print(repr(kl(*shifted[0])))

# % [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Try your own before you open a solution.

# %%
from otdiv.exercises import grade

print(grade("01.1", None))

# %% [markdown]
# **1.** Give two pmfs p, q on three places with KL(p || q) finite and KL(q || p) infinite.
#
# <details><summary>Solution</summary>
#
# Where p has mass q must have some, and q needs a place where p has none.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("01.1", ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])))

# %% [markdown]
# **2.** Give two pmfs on the places 0, 1, 2 whose JS is as large as it can be (log 2) and whose W1 is 1.
#
# <details><summary>Solution</summary>
#
# JS sees only that the supports are apart; W1 sees by how much.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("01.2", ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])))

# %% [markdown]
# **3.** At which distance theta > 0 of the two vertical bars is W1 a quarter of JS, both read as numbers?
#
# <details><summary>Solution</summary>
#
# W1 is theta and JS is log 2 at every theta > 0, so theta = (log 2) / 4.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("01.3", np.log(2) / 4))

# %% [markdown]
# JS stays at $\log 2$ whatever $n$ is; $W_1 = 1/(2n)$ goes to zero, as it should. For samples of
# continuous data, a JS or KL of the raw points is always $\log 2$ or infinity: first bin the data, or
# estimate densities, or use a distance that knows how far apart the points are.
#
# ## 7. Every claim above, checked

# %% jupyter={"source_hidden": true}
assert kl(p_real, p_fake) > 0 < kl(p_fake, p_real) != kl(p_real, p_fake)
assert infinite == math.inf and abs(infinite.singular_mass - 0.2) < 1e-15 and "index 2" in infinite.reason
negative = [float(kl_integrand(p, q)) < 0 for p, q in pairs]
assert negative == [True, True, False, True]
assert all(kl_integrand_nonnegative(p, q) >= 0 for p, q in pairs)
assert abs(float(kl_integrand(0.999999, 0.000001)) - 13.815495742454216) < 1e-12
assert abs(covering[0]) < 0.3 and covering[1] > 1.5, "the covering bell sits between the modes and is wide"
assert abs(abs(seeking[0]) - 2) < 0.3 and seeking[1] < 0.7, "the seeking bell sits on one mode and is narrow"
assert abs(gan_loss(best, p_real, p_fake) - optimal_gan_loss(p_real, p_fake)) < 1e-12
assert gan_loss([0.5, 0.5, 0.5], p_real, p_fake) < gan_loss(best, p_real, p_fake)
assert zero.tolist() == [20] and np.all(np.isinf(kl_values[away]))
assert js_values[20] == 0 and np.allclose(js_values[away], math.log(2), atol=1e-12)
assert np.allclose(w_values, np.abs(thetas), atol=1e-9)
assert all(abs(js(*bars) - math.log(2)) < 1e-12 for bars in shifted)
assert all(abs(emd(*bars).value - 1 / (2 * n)) < 1e-12 for n, bars in zip(sizes, shifted, strict=True))
print("every claim holds")
assert not grade("01.1", None).full
