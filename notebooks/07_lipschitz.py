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
# # Keeping a critic 1-Lipschitz: norms, power iteration, and what each constraint loses
#
# $W_1 = \max_{\mathrm{Lip}(f) \le 1} \mathbb E_{p_r} f - \mathbb E_{p_g} f$: everything hangs on
# $\mathrm{Lip}(f) \le 1$. This notebook follows the lecture through the methods that keep a network there, and
# measures what each of them loses.

# %%
import numpy as np

from otdiv.critics import audit, estimate
from otdiv.datasets import radial
from otdiv.lecture import penalised
from otdiv.lipschitz import (
    clipped_constant,
    dual_norm,
    matrix_norm,
    network_constant,
    on_points,
    power_iteration,
    spectral_norm,
    spectrally_normalised,
)
from otdiv.plots import BLUE, GREEN, GREY, ORANGE, figure

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. Dual norms
#
# $\|z\|_* = \max\{z'x : \|x\| \le 1\}$. The maximiser is where a line orthogonal to $z$ leaves the ball.
# For the maximum norm and $z = (-5, 5)$ that is the corner $x = (-1, 1)$, which gives 10: the dual of $L_\infty$ is
# $L_1$.
#
# <details><summary>About the slide</summary>
#
# It gives the 2-norm as the dual of the maximum norm; that would be 7.07.
# </details>

# %%
z = np.array([-5.0, 5.0])
drawing, axes = figure(9.6, 3.4, columns=3)
angle = np.linspace(0, 2 * np.pi, 2000)
circle = np.stack([np.cos(angle), np.sin(angle)])
for ax, p in zip(axes, (1, 2, np.inf), strict=True):
    ball = circle / np.linalg.norm(circle, ord=p, axis=0)
    best = dual_norm(z, p)
    ax.fill(*ball, color=BLUE, alpha=0.15, lw=0)
    ax.plot(*ball, color=BLUE)
    ax.annotate("", z / 5, (0, 0), arrowprops={"arrowstyle": "->", "color": GREY})
    ax.annotate("z / 5", z / 5, color=GREY, ha="right", va="bottom")
    ax.plot(*best.at, "o", color=ORANGE, ms=8)
    ax.set(
        title=f"ball of the {p:g}-norm: dual norm {best.value:.4g}", aspect="equal", xlim=(-1.5, 1.5), ylim=(-1.5, 1.5)
    )
drawing

# %% [markdown]
# ## 2. The spectral norm, and why power iteration certifies nothing
#
# $\|A\|_2$ is the largest stretch. Power iteration approaches it **from below**: after any number of
# steps the true norm may be larger, so a layer divided by the estimate may still have norm above 1. And a
# start without a part in the leading direction never finds it.

# %%
A = np.array([[1.0, -2.0], [3.0, 4.0]])
wide = rng.normal(size=(64, 64))
norm = spectral_norm(wide)
run = power_iteration(wide, steps=60, rng=rng)
stalled = power_iteration(np.diag([2.0, 1.0]), start=[0.0, 1.0], steps=5)
print(f"|A|_2 = {spectral_norm(A).value:.12f} = sqrt(15 + sqrt 125)")
print(f"64 x 64: proved to lie in [{norm.bounds.lower:.12f}, {norm.bounds.upper:.12f}]")
print(f"after 1 step {run.estimates[0] / norm.value:.3f}, after 15 steps {run.estimates[14] / norm.value:.3f} of it")
print(f"stalled start on diag(2, 1): {stalled.value} instead of 2, reported as stalled: {stalled.stalled}")

# %%
drawing, (ax,) = figure(6.4, 3.4)
ax.plot(range(1, 61), run.estimates / norm.value, color=BLUE)
ax.axhline(1, color=ORANGE, lw=1)
ax.annotate("the norm", (60, 1), xytext=(0, 4), textcoords="offset points", color=ORANGE, ha="right")
ax.set(title="Power iteration comes from below", xlabel="steps", ylabel="estimate / norm", ylim=(None, 1.03))
drawing

# %% [markdown]
# ## 3. Frobenius or spectral?
#
# $\|W\|_2 \le \|W\|_F \le \sqrt{\mathrm{rank}}\,\|W\|_2$. Dividing by the Frobenius norm is safe and easy,
# but it shrinks a layer up to $\sqrt{\mathrm{rank}}$ times too much, in every layer. Here is what is left of the
# slope of random ReLU networks after each normalisation, by depth.

# %%
points = rng.normal(size=(150, 8))
depths = [1, 2, 3, 4]
left_spectral, left_frobenius = [], []
for depth in depths:
    weights = [rng.normal(size=(32, 8))] + [rng.normal(size=(32, 32)) for _ in range(depth - 1)]

    def through(layers):
        out = points
        for W in layers:
            out = np.maximum(out @ W.T, 0)
        rise = np.linalg.norm(out[:, None] - out[None], axis=2)
        run_ = np.linalg.norm(points[:, None] - points[None], axis=2)
        return (rise[run_ > 0] / run_[run_ > 0]).max()

    left_spectral.append(through([spectrally_normalised(W) for W in weights]))
    left_frobenius.append(through([W / matrix_norm(W, "fro").value for W in weights]))

drawing, (ax,) = figure(6.4, 3.4)
ax.semilogy(depths, left_spectral, "o-", color=BLUE, label="divided by the spectral norm")
ax.semilogy(depths, left_frobenius, "s-", color=ORANGE, label="divided by the Frobenius norm")
ax.axhline(1, color=GREY, lw=1, ls=":")
ax.legend(frameon=False, fontsize=9)
ax.set(
    title="Both stay below 1; neither keeps a slope of 1", xlabel="layers", ylabel="steepest slope found", xticks=depths
)
drawing

# %% [markdown]
# ## 4. Weight clipping
#
# Weights in $[-c, c]$ make the network $K$-Lipschitz with $K \le \prod c\sqrt{n_{out} n_{in}}$, not
# 1-Lipschitz. For the usual $c = 0.01$ and a small network $K$ is tiny, and the "distance" comes out that much
# too small; only after division by $K$ is it a bound.

# %%
widths = (2, 32, 32, 1)
K = clipped_constant(0.01, widths).value
flat = [np.full((m, n), 0.01) for n, m in zip(widths, widths[1:], strict=False)]
print(f"K of a 2-32-32-1 network clipped to 0.01: {K:.6f}")
print(f"attained by equal weights: {network_constant(flat).value:.6f}")

# %% [markdown]
# ## 5. The gradient penalty
#
# On the two bars at distance $\theta$ with the critic $f = -a x$, the penalised loss is
# $J(a) = -a\theta + \lambda (a - 1)^2$. Its best slope is $1 + \theta / 2\lambda$: *more* than 1. So the value
# exceeds $W$; it is no lower bound. The bias has a closed form and can be removed.

# %%
theta, weight = 0.5, 10.0
slopes = np.linspace(0.9, 1.15, 400)
best_slope = 1 + theta / (2 * weight)
drawing, (ax,) = figure(6.4, 3.4)
ax.plot(slopes, [penalised(a, theta, weight) for a in slopes], color=BLUE)
ax.plot([1.0], [penalised(1.0, theta, weight)], "o", color=GREY)
ax.annotate(
    "slope 1: value W",
    (1.0, penalised(1.0, theta, weight)),
    xytext=(-10, 16),
    textcoords="offset points",
    color=GREY,
    ha="right",
)
ax.plot([best_slope], [penalised(best_slope, theta, weight)], "o", color=ORANGE)
ax.annotate(
    "what training finds",
    (best_slope, penalised(best_slope, theta, weight)),
    xytext=(8, 10),
    textcoords="offset points",
    color=ORANGE,
)
ax.set(title="The penalty's best slope lies beyond 1", xlabel="slope a", ylabel="loss J(a)")
drawing

# %% [markdown]
# ## 6. What each constraint loses
#
# The same two clouds ($y = 2x$, so $W_1$ is known exactly), four constraints, a short training each. "Raw" is
# what the training prints; the steepest slope says on which scale it is.

# %%
pair = radial(2)
sample = pair.sample(120, rng)
rows = {}
for constraint in ("clipping", "spectral", "orthonormal", "min-max"):
    answer = estimate(sample.x, sample.y, constraint=constraint, steps=200, rng=0)
    report = audit(answer.critic, sample.x, sample.y)
    rows[constraint] = (answer.raw / sample.w1, report.secant, answer.lower / sample.w1)
    print(
        f"{constraint:12s} raw / W {rows[constraint][0]:7.3f}   steepest slope {report.secant:6.3f}   "
        f"proved lower bound / W {rows[constraint][2]:.4f}   {report.verdict.word}"
    )

# %%
drawing, (ax,) = figure(7.2, 3.4)
place = np.arange(len(rows))
for offset, column, colour, label in (
    (-0.25, 0, GREY, "raw value"),
    (0.0, 1, ORANGE, "steepest slope"),
    (0.25, 2, GREEN, "proved lower bound"),
):
    ax.bar(place + offset, [row[column] for row in rows.values()], 0.24, color=colour, label=label)
ax.axhline(1, color=BLUE, lw=1)
ax.set_xticks(place, list(rows))
ax.legend(frameon=False, fontsize=9)
ax.set(title="Against the exact distance (1)", ylabel="share of W")
drawing

# %% [markdown]
# The raw value means nothing without the slope beside it. The last bar comes from the critic's values by one
# c-transform on the points; it is a proved lower bound whatever the training did.

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Try your own before you open a solution.

# %%
from otdiv.exercises import grade

print(grade("07.1", None))

# %% [markdown]
# **1.** What is the spectral norm of [[3, 0], [4, 5]]?
#
# <details><summary>Solution</summary>
#
# The eigenvalues of W'W = [[25, 20], [20, 25]] are 45 and 5; the norm is sqrt 45.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("07.1", np.sqrt(45)))

# %% [markdown]
# **2.** Give two points of the plane between which f(x) = |x1| + |x2| is as steep as it can be.
#
# <details><summary>Solution</summary>
#
# Along (1, 1) within one quadrant f grows by 2 over a length of sqrt 2.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("07.2", ([0.0, 0.0], [1.0, 1.0])))

# %% [markdown]
# **3.** Give a 2 x 2 matrix whose spectral norm and Frobenius norm are both 2.
#
# <details><summary>Solution</summary>
#
# Both norms agree exactly where all singular values but one are 0.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("07.3", [[2.0, 0.0], [0.0, 0.0]]))

# %% [markdown]
# ## What this notebook claimed

# %% jupyter={"source_hidden": true}
assert dual_norm(z, np.inf).value == 10 and abs(dual_norm(z, 1).value - 5) < 1e-12
assert (run.estimates <= norm.bounds.upper).all() and stalled.stalled and stalled.value == 1
assert all(f < s <= 1 + 1e-9 for f, s in zip(left_frobenius, left_spectral, strict=True))
assert K < 0.002 and abs(network_constant(flat).value - K) < 1e-12
assert penalised(best_slope, theta, weight) < penalised(1.0, theta, weight) and best_slope > 1
assert all(lower <= 1 + 1e-9 for _, _, lower in rows.values())
assert rows["orthonormal"][1] <= 1 + 1e-4 and rows["min-max"][1] <= 1 + 1e-4
assert on_points(pair.potential(sample.x), sample.x).value <= 1 + 1e-9
assert not grade("07.1", None).full
