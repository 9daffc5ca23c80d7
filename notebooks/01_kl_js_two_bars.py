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
# both fail while the transport distance does not. Each claim comes with its proof, a number and, where there is
# something to see, a picture; the last cell checks every number.
#
# Distributions are lists of probabilities over finitely many places (*pmfs*, probability mass functions): $p(x) \ge 0$
# and $\sum_x p(x) = 1$. Logarithms are natural, so divergences count in *nats*.

# %%
import math

import numpy as np

from otdiv import emd
from otdiv.divergences import js, kl, kl_integrand, kl_integrand_nonnegative, kl_reverse
from otdiv.gans import gan_loss, optimal_discriminator, optimal_gan_loss
from otdiv.lecture import two_bars
from otdiv.plots import moving, plot_lines, plot_plan, plot_theta_sweep

# %% [markdown]
# ## 1. What KL is
#
# **Definition.**
#
# $$\mathrm{KL}(P\,\|\,Q) = \sum_x p(x)\,\log\frac{p(x)}{q(x)}$$
#
# is the mean of $\log p/q$ under $P$: how much more surprised you are, on average, if the world is $P$ and you believe
# $Q$. A place with $p(x) = 0$ contributes 0; one with $p(x) > 0 = q(x)$ makes the sum infinite.
#
# **Theorem** (Gibbs). $\mathrm{KL}(P\,\|\,Q) \ge 0$, and it is 0 only for $P = Q$.
#
# *Proof.* The tangent of the logarithm at 1 lies above it: $\log t \le t - 1$, with equality only at $t = 1$. With
# $t = q/p$ this says $p\log(p/q) \ge p - q$ at every place. Summed over all places the right side is at least
# $1 - 1 = 0$; equality needs $p = q$ at each of them. $\blacksquare$
#
# KL is not symmetric:

# %%
p_real = np.array([0.5, 0.3, 0.2])
p_fake = np.array([0.2, 0.2, 0.6])
print(f"KL(real || fake) = {kl(p_real, p_fake):.6f} nats")
print(f"KL(fake || real) = {kl(p_fake, p_real):.6f} nats")

# %% [markdown]
# Where it is infinite it is worth knowing why. `otdiv` says which mass of $P$ sits where $Q$ has none:

# %%
infinite = kl([0.5, 0.3, 0.2], [0.8, 0.2, 0.0])
print(repr(infinite))

# %% [markdown]
# ## 2. One place is not a divergence
#
# The summand $p\log(p/q)$ of a single place is **not** a divergence: it is negative wherever $p < q$. The proof above
# shows what to add: $p\log(p/q) - p + q$ is never negative, and since $q - p$ sums to zero over two distributions, the
# total is the same KL. Both, for four lines of two numbers (three different pairs: the last repeats the first):
#
# <details><summary>About the slide</summary>
#
# It prints $p\log(p/q)$ for these four lines as values of KL; three of them are negative, which no KL can be.
# </details>

# %%
pairs = [(0.000001, 0.999999), (0.000001, 0.1), (0.999999, 0.000001), (0.000001, 0.999999)]
print("       p         q      p log(p/q)    p log(p/q) - p + q")
for p, q in pairs:
    print(f"{p:8.6f}  {q:8.6f}  {float(kl_integrand(p, q)):14.6e}  {float(kl_integrand_nonnegative(p, q)):14.6f}")

# %% [markdown]
# The last column is easier to read: a place that $Q$ likes and $P$ does not costs about $q$, not nothing.

# %%
grid = np.linspace(0.001, 0.999, 400)
forms = {
    r"$p\,\log(p/q)$": kl_integrand(0.3, grid),
    r"$p\,\log(p/q) - p + q$": kl_integrand_nonnegative(0.3, grid),
}
plot_lines(
    grid,
    forms,
    title="The summand of KL, in two forms",
    names=("q(x), while p(x) = 0.3", "contribution of one place"),
    level={"0": 0.0},
    marks={"q = p": (0.3, 0.0)},
)

# %% [markdown]
# ## 3. Two directions, two characters
#
# Let the data have two modes and let the model be a single bell of any position and width. Choosing
# the bell that minimises $\mathrm{KL}(\text{data}\|\text{model})$ punishes every place where there is
# data but no model ($p > 0$, $q \approx 0$): the bell **covers** both modes. Minimising
# $\mathrm{KL}(\text{model}\|\text{data})$ punishes every place where there is model but no data: the bell **seeks one
# mode**, and drops the other. Below the best of 675 bells for each.

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
print(f"covering: centre {covering[0]:.2f}, width {covering[1]:.2f}")
print(f"seeking:  centre {seeking[0]:.2f}, width {seeking[1]:.2f}")
bells = {"data": data, "KL(data || model): covers": bell(*covering), "KL(model || data): seeks": bell(*seeking)}
plot_lines(x, bells, title="Mode covering and mode seeking", names=("x", "probability"), filled="data")

# %% [markdown]
# ## 4. What a GAN's discriminator measures
#
# A generative adversarial network (GAN) trains a generator $G$, which makes points of distribution $p_g$ that should
# look like real ones, $p_r$, and a discriminator $D$: $D(x)$ guesses the probability that $x$ is real. $D$ maximises
# $L(G, D) = \mathbb E_{p_r}\log D + \mathbb E_{p_g}\log(1 - D)$.
#
# **Definition.** With the mixture $M = (P + Q)/2$ the Jensen-Shannon divergence is
# $\mathrm{JS}(P, Q) = \tfrac12\mathrm{KL}(P\|M) + \tfrac12\mathrm{KL}(Q\|M)$. It is symmetric, and at most
# $\log 2$, because $p/m \le 2$ everywhere; it is $\log 2$ exactly when no place has mass of both.
#
# **Theorem** (Goodfellow et al. 2014). The best discriminator, and what it reaches, are
#
# $$D^*(x) = \frac{p_r(x)}{p_r(x) + p_g(x)},\qquad
# L(G, D^*) = 2\,\mathrm{JS}(p_r, p_g) - 2\log 2 .$$
#
# *Proof.* Each place by itself: $p_r\log D + p_g\log(1 - D)$ is concave in $D$, and its derivative
# $p_r/D - p_g/(1 - D)$ vanishes at $D^*$. There $\log D^* = \log\frac{p_r}{2m} = \log\frac{p_r}{m} - \log 2$, and the
# same for $1 - D^*$ with $p_g$; the two means are two KL to the mixture, less $2\log 2$. $\blacksquare$

# %%
best = optimal_discriminator(p_real, p_fake)
print("D* =", best.round(4))
print(f"L(G, D*)         = {gan_loss(best, p_real, p_fake):.12f}")
print(f"2 JS - 2 log 2   = {2 * js(p_real, p_fake) - 2 * math.log(2):.12f}")
print(f"L(G, guess 1/2)  = {gan_loss([0.5, 0.5, 0.5], p_real, p_fake):.12f}")

# %% [markdown]
# ## 5. The two vertical bars
#
# $P$ is uniform on the segment $x = 0,\ 0<y<1$; $Q$ is the same segment moved to $x = \theta$. Intuition says that
# their distance is $|\theta|$. The distance that says so is the *transport distance* $W_1$: the least mean distance
# that mass has to travel to turn $P$ into $Q$ (the next notebook defines it in full). Here it is $|\theta|$:
#
# * *at most*, for each point can move straight across, by $|\theta|$;
# * *at least*, for the mean of the coordinate $x$ has to change by $|\theta|$, and no unit of mass changes its $x$ by
#   more than it travels.

# %%
bars = emd(*two_bars(0.5, n=16))
print(f"W1 at theta = 0.5: {bars.value:.12f}")


def bars_at(theta: float):
    """The plan between the bars at a distance of theta."""
    return plot_plan(emd(*two_bars(theta, n=16)), labels=("P", "Q"), axes_names=("x", "y"))


moving(bars_at, "theta", -1.0, 1.0, 0.5)

# %% [markdown]
# Now let $\theta$ run through zero and ask all three.

# %%
thetas = np.linspace(-1, 1, 41)
sweep = [two_bars(float(theta) if abs(theta) > 1e-9 else 0.0, n=16) for theta in thetas]
kl_values = np.array([kl(*pair) for pair in sweep])
js_values = np.array([js(*pair) for pair in sweep])
w_values = np.array([emd(*pair).value for pair in sweep])
zero = np.flatnonzero(kl_values == 0)
away = kl_values > 0
rows = [
    {"theta": 0.0 if k in zero else theta, "kl": kl_values[k], "js": js_values[k], "w1": w_values[k]}
    for k, theta in enumerate(thetas)
]
plot_theta_sweep(rows)

# %% [markdown]
# KL is infinite and JS is $\log 2$, at every $\theta$ but zero, where both are 0: the bars share no point, and neither
# divergence sees anything else. They jump, and are flat on either side: their slope in $\theta$ says nothing about
# where to go, and a generator trained on them learns nothing. The transport distance $W_1 = |\theta|$ has no jump and
# slope $\pm 1$.
#
# ## 6. Why samples fool JS
#
# Put the two bars on top of each other ($\theta = 0$), but represent each by $n$ points of its own,
# half a grid step apart. The bars are the same; the samples share no point. JS sees only that.

# %%
sizes = [4, 16, 64]
shifted = [two_bars(0.0, n=n, offset=1 / (2 * n)) for n in sizes]
print("   n        JS        W1")
for n, pair in zip(sizes, shifted, strict=True):
    print(f"{n:4d}  {js(*pair):.6f}  {emd(*pair).value:.6f}")
print()
print(repr(kl(*shifted[0])))

# %% [markdown]
# JS stays at $\log 2$ whatever $n$ is; $W_1 = 1/(2n)$ goes to zero, as it should. For samples of
# continuous data, a JS or KL of the raw points is always $\log 2$ or infinity: first bin the data, or
# estimate densities, or use a distance that knows how far apart the points are.

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** Give two pmfs p, q on three places with KL(p || q) finite and KL(q || p) infinite.
#
# <details><summary>Solution</summary>
#
# Where p has mass q must have some, and q needs a place where p has none.
#
# ```python
# print(grade("01.1", ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("01.1", yours))

# %% [markdown]
# **2.** Give two pmfs on the places 0, 1, 2 whose JS is as large as it can be (log 2) and whose W1 is 1.
#
# <details><summary>Solution</summary>
#
# JS sees only that the supports are apart; W1 sees by how much.
#
# ```python
# print(grade("01.2", ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("01.2", yours))

# %% [markdown]
# **3.** At which distance theta > 0 of the two vertical bars is W1 a quarter of JS, both read as numbers?
#
# <details><summary>Solution</summary>
#
# W1 is theta and JS is log 2 at every theta > 0, so theta = (log 2) / 4.
#
# ```python
# print(grade("01.3", np.log(2) / 4))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("01.3", yours))

# %% [markdown]
# ## Every claim above, checked

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
assert abs(bars.value - 0.5) < 1e-12
assert np.allclose(w_values, np.abs(thetas), atol=1e-9)
assert all(abs(js(*pair) - math.log(2)) < 1e-12 for pair in shifted)
assert all(abs(emd(*pair).value - 1 / (2 * n)) < 1e-12 for n, pair in zip(sizes, shifted, strict=True))
assert not grade("01.1", None).full
assert all(grade(name, exercise(name).solution).full for name in ("01.1", "01.2", "01.3"))
print("every claim holds")
