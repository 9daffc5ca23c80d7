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
# The transport distance is $W_1 = \max_{\mathrm{Lip}(f) \le 1} \mathbb E_{p_r} f - \mathbb E_{p_g} f$ (Kantorovich and
# Rubinstein, notebook 05), where $\mathrm{Lip}(f)$ is the steepest slope $|f(x) - f(y)| / |x - y|$ of two points. A
# network that is to be the $f$, a *critic*, must be kept at $\mathrm{Lip}(f) \le 1$: everything hangs on it. A slope is
# a product of matrix norms, so this notebook begins with norms, then takes the methods that keep a network there, and
# measures what each of them loses.

# %%
import numpy as np
import torch

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
from otdiv.plots import plot_bars, plot_lines, plot_norm_balls

rng = np.random.default_rng(0)
torch.set_num_threads(1)  # networks as small as these gain nothing by more

# %% [markdown]
# ## 1. Dual norms
#
# **Definition.** $\|z\|_* = \max\{z^\top x : \|x\| \le 1\}$: the steepest slope of the linear function $x \mapsto
# z^\top x$, where distances are measured by $\|\cdot\|$. The maximiser is where a line orthogonal to $z$ leaves the
# ball.
#
# For the maximum norm $z^\top x = \sum z_i x_i$ is largest with $x_i = \pm 1$ of the sign of $z_i$, and that is $\sum
# |z_i|$: the dual of $L_\infty$ is $L_1$. For $z = (-5, 5)$ it is the corner $x = (-1, 1)$, and 10. The dual of the
# 2-norm is the 2-norm (Cauchy and Schwarz), and that of $L_1$ is $L_\infty$: all weight on the largest entry.
#
# <details><summary>About the slide</summary>
#
# It gives the 2-norm as the dual of the maximum norm; that would be 7.07.
# </details>

# %%
z = np.array([-5.0, 5.0])
plot_norm_balls(z)

# %% [markdown]
# ## 2. The spectral norm, and why power iteration certifies nothing
#
# **Definition.** The spectral norm $\|A\|_2 = \max_{|v| = 1} |Av|$ is the largest stretch of a vector, the root of the
# largest eigenvalue of $A^\top A$. Layers stretch one after the other and ReLU never stretches, so the slope of a
# network is at most the product of its layers' norms.
#
# Power iteration starts with some $v$ and repeats $v \leftarrow A^\top A v$, scaled to length 1; the estimate is
# $|Av|$. It is one of the values whose maximum is the norm, so it approaches the norm **from below**: after any number
# of steps the true norm may be larger, and a layer divided by the estimate may still have norm above 1. And a start
# without a part in the leading direction never finds it.

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
plot_lines(
    np.arange(1, 61),
    {"estimate": run.estimates / norm.value},
    title="Power iteration comes from below",
    names=("steps", "estimate / norm"),
    level={"the norm": 1.0},
)

# %% [markdown]
# ## 3. Frobenius or spectral?
#
# The Frobenius norm is the root of the sum of all squared entries, which is that of all squared singular values:
# $\|W\|_F^2 = \sigma_1^2 + \sigma_2^2 + \dots$, while $\|W\|_2 = \sigma_1$ is the largest. There are rank many that are
# not 0, so $\|W\|_2 \le \|W\|_F \le \sqrt{\mathrm{rank}}\,\|W\|_2$. Dividing by the Frobenius norm is safe and easy,
# but it shrinks a layer up to $\sqrt{\mathrm{rank}}$ times too much, in every layer. Here is what is left of the slope
# of random ReLU networks after each normalisation, by depth.

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

plot_lines(
    depths,
    {"divided by the spectral norm": left_spectral, "divided by the Frobenius norm": left_frobenius},
    title="Both stay below 1; neither keeps a slope of 1",
    names=("layers", "steepest slope found"),
    scales=("linear", "log"),
    level={"slope 1": 1.0},
)

# %% [markdown]
# ## 4. Weight clipping
#
# A layer of $n_{out} n_{in}$ weights in $[-c, c]$ has a Frobenius norm of at most $c\sqrt{n_{out} n_{in}}$, and so a
# spectral norm of at most that. So the network is $K$-Lipschitz with $K = \prod c\sqrt{n_{out} n_{in}}$, not
# 1-Lipschitz, and equal weights $c$ attain it. For the usual $c = 0.01$ and a small network $K$ is tiny, and the
# "distance" comes out that much too small; only after division by $K$ is it a bound.

# %%
widths = (2, 32, 32, 1)
K = clipped_constant(0.01, widths).value
flat = [np.full((m, n), 0.01) for n, m in zip(widths, widths[1:], strict=False)]
print(f"K of a 2-32-32-1 network clipped to 0.01: {K:.6f}")
print(f"attained by equal weights: {network_constant(flat).value:.6f}")

# %% [markdown]
# ## 5. The gradient penalty
#
# Instead of a hard constraint one may punish a slope that differs from 1, $\lambda\,(|\nabla f| - 1)^2$ on average. On
# two vertical bars, one at $x = 0$ and one at $x = \theta$, whose distance is $\theta$, with the critic $f = -a x$, the
# penalised loss is $J(a) = -a\theta + \lambda (a - 1)^2$. Its derivative $-\theta + 2\lambda (a - 1)$ vanishes at $a =
# 1 + \theta / 2\lambda$: *more* than 1. So the value $a\theta$ exceeds $W = \theta$; it is no lower bound. The bias,
# $\theta^2 / 2\lambda$, has a closed form and can be removed.

# %%
theta, weight = 0.5, 10.0
slopes = np.linspace(0.9, 1.15, 400)
best_slope = 1 + theta / (2 * weight)
plot_lines(
    slopes,
    {"J(a)": [penalised(a, theta, weight) for a in slopes]},
    title="The penalty's best slope lies beyond 1",
    names=("slope a", "loss J(a)"),
    marks={
        "slope 1: value W": (1.0, penalised(1.0, theta, weight)),
        "what training finds": (best_slope, penalised(best_slope, theta, weight)),
    },
)

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
titles = ("raw value / W", "steepest slope", "proved lower bound / W")
panels = {title: {name: row[k] for name, row in rows.items()} for k, title in enumerate(titles)}
plot_bars(panels, level=dict.fromkeys(titles, 1.0))

# %% [markdown]
# The raw value means nothing without the slope beside it: where the slope is above 1 the value may exceed the distance,
# where it is below the value is too small by at least as much. The last panel comes from the critic's values by one
# c-transform on the points; it is a proved lower bound whatever the training did.

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** What is the spectral norm of [[3, 0], [4, 5]]?
#
# <details><summary>Solution</summary>
#
# The eigenvalues of W'W = [[25, 20], [20, 25]] are 45 and 5; the norm is sqrt 45.
#
# ```python
# print(grade("07.1", np.sqrt(45)))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("07.1", yours))

# %% [markdown]
# **2.** Give two points of the plane between which f(x) = |x1| + |x2| is as steep as it can be.
#
# <details><summary>Solution</summary>
#
# Along (1, 1) within one quadrant f grows by 2 over a length of sqrt 2.
#
# ```python
# print(grade("07.2", ([0.0, 0.0], [1.0, 1.0])))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("07.2", yours))

# %% [markdown]
# **3.** Give a 2 x 2 matrix whose spectral norm and Frobenius norm are both 2.
#
# <details><summary>Solution</summary>
#
# Both norms agree exactly where all singular values but one are 0.
#
# ```python
# print(grade("07.3", [[2.0, 0.0], [0.0, 0.0]]))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("07.3", yours))

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
assert all(grade(name, exercise(name).solution).full for name in ("07.1", "07.2", "07.3"))
