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
# # Can this critic be believed?
#
# A Wasserstein GAN (WGAN) trains a *critic*, a function $f$ that is high on one sample and low on the other, prints the
# difference of its means, and calls it a distance. Is it one? By the theorem of Kantorovich and Rubinstein (notebook
# 05) $W_1 = \max\, \mathbb E_x f - \mathbb E_y f$ over all functions whose slope is at most 1, so two things can go
# wrong: $f$ is steeper than 1, and then the number may be too large, or it is not the best, and then it is too small.
# This notebook takes critics with known faults, one at a time, and shows which number reveals each; it ends with an
# ordinary torch module, trained in an ordinary loop, and audited in one line.
#
# The clouds come in pairs whose distance is known without any solver: here $y = 2x$, where moving along the rays
# from 0 is optimal and $W_1$ is the mean of $|x_i - y_i|$, for any order of the points.

# %%
import numpy as np
import torch

from otdiv import emd
from otdiv.critics import Monitor, audit, estimate, remove_bias
from otdiv.datasets import identical, radial, shift
from otdiv.plots import plot_audit, plot_lines, plot_training

rng = np.random.default_rng(0)
torch.set_num_threads(1)  # networks as small as these gain nothing by more
pair = radial(2)
sample = pair.sample(200, rng)
x, y, w1 = sample
print(f"W1 of these points: {w1:.9f} by construction, {emd(x, y).value:.9f} by exact transport")

# %% [markdown]
# ## 1. A perfect critic
#
# $u(z) = -|z|$ has slope 1 along every ray, and $u(x_i) - u(2 x_i) = |x_i|$ is the length of each move: it is the best
# of all critics. `audit` computes, beside its value, the exact distance, the steepest slope between the points and the
# bounds that the critic proves. Everything in the table agrees.

# %%
perfect = audit(pair.potential, x, y)
perfect

# %% [markdown]
# ## 2. The sign
#
# "Why is my distance negative?" Because the code maximises the difference with the opposite sign. $W_1$ is
# symmetric, so the audit turns the sign and says so.

# %%
turned = audit(lambda z: -pair.potential(z), x, y)
print("turned:", turned.flipped, " value:", round(turned.value, 6), " verdict:", turned.verdict.word)

# %% [markdown]
# ## 3. The scale
#
# A critic three times too steep reports three times the distance. This is what clipping does with its unknown
# constant $K$. The steepest slope between the points reveals it, and dividing by it repairs it.

# %%
steep = audit(lambda z: 3 * pair.potential(z), x, y)
print(steep.verdict.word + ":", steep.verdict.reason, steep.verdict.remedy)
plot_audit(steep)

# %% [markdown]
# ## 4. The bias of the gradient penalty
#
# With weight $\lambda$ the best critic is $1 + W/2\lambda$ times too steep, so the printed value is
# $R = W + W^2/2\lambda$. At $\lambda = 10$ and $W \approx 1.25$ that is 6 % too much; for data ten times as large it
# is 60 %. The formula $W = \lambda(\sqrt{1 + 2R/\lambda} - 1)$ removes it.

# %%
weight = 10.0
factor = 1 + w1 / (2 * weight)
penalised = audit(lambda z: factor * pair.potential(z), x, y, penalty=weight)
print(
    "printed:",
    round(penalised.value, 6),
    " de-biased:",
    round(penalised.debiased["de-biased value"], 6),
    " exact:",
    round(w1, 6),
)

scales = np.array([1, 3, 10, 30, 100.0])
raw = scales * w1 + (scales * w1) ** 2 / (2 * weight)
debiased = [remove_bias(r, weight) / (s * w1) for r, s in zip(raw, scales, strict=True)]
plot_lines(
    scales,
    {"de-biased / W": debiased, "printed value / W": raw / (scales * w1)},
    title="The penalty's bias grows with the scale of the data",
    names=("all data multiplied by", "share of W"),
    scales=("log", "linear"),
)

# %% [markdown]
# ## 5. Overfitting
#
# Two samples of the *same* distribution: the distance of the distributions is 0. The exact critic of these eighty
# points finds a large distance between them, and that distance is real; on other points of the same distributions
# it finds next to nothing. Only held-out points show the difference.

# %%
same = identical(8)
first, other = same.sample(80, rng), same.sample(400, rng)
memorised, _ = emd(first.x, first.y).potential_functions()
overfitted = audit(memorised, first.x, first.y, held_out=(other.x, other.y))
print(overfitted.verdict.word + ":", overfitted.verdict.reason)

# %% [markdown]
# ## 6. When the reference is biased
#
# In high dimension the exact distance of two samples lies far above the distance of their distributions: even two
# samples of one distribution are far apart. A critic below the exact value may then be right about the
# distributions.

# %%
dimensions = [2, 4, 8, 16, 32]
exact_values, critic_values = [], []
for d in dimensions:
    moved = shift(d, 1.0)
    free = moved.independent(200, rng)
    report = audit(moved.potential, free.x, free.y, estimand="population")
    exact_values.append(report.exact)
    critic_values.append(report.value)
print(report.verdict.word + ":", report.verdict.reason)

plot_lines(
    dimensions,
    {"the true potential on the same points": critic_values, "exact distance of 200 points": exact_values},
    title="The distance of the distributions is 1 in every dimension",
    names=("dimension", "W1"),
    level={"distance of the distributions": 1.0},
)

# %% [markdown]
# ## 7. A critic that says what it proves
#
# `estimate` trains one and returns a value with its interval. The curve is the value that other programs would
# print while they train; the band is what this critic proves about these very points in the end.

# %%
answer = estimate(x, y, steps=300)
answer

# %%
plot_training(answer)

# %% [markdown]
# ## 8. Your own module
#
# An ordinary network and an ordinary WGAN critic loop with weight clipping, as found in many repositories. What is
# its "loss" worth?

# %%
torch.manual_seed(0)
critic = torch.nn.Sequential(
    torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
)
optimiser = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
real, fake = (torch.tensor(points, dtype=torch.float32) for points in (x, y))
for _ in range(300):
    loss = critic(fake).mean() - critic(real).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    with torch.no_grad():
        for weight_ in critic.parameters():
            weight_.clamp_(-0.1, 0.1)
print("loss_D =", round(loss.item(), 4), " but W1 =", round(w1, 4))

# %%
clipped = audit(critic, x, y)
clipped

# %%
plot_audit(clipped)

# %% [markdown]
# The printed loss is no distance: it is on the scale of the clipped network. But the critic did learn something.
# Its values at the points, sent through one c-transform, *prove* a lower bound of $W_1$, and exact transport the
# upper one. That interval holds for any critic, however it was trained.

# %% [markdown]
# ## 9. An image critic, watched while it trains
#
# A convolutional critic as it stands in many repositories, trained by the two-sided gradient penalty. The images are
# squares, bright in one corner or dim in the other. `Monitor` audits it every 40 steps: the printed value, the same
# without the penalty's bias, and the exact distance of the images of that step.

# %%
torch.manual_seed(1)


def images(n, row, light):
    points = 0.1 * torch.rand((n, 1, 8, 8))
    points[:, :, row : row + 3, 1:4] += light * (1 + 0.2 * torch.rand((n, 1, 1, 1)))
    return points


conv = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3, stride=2, padding=1),
    torch.nn.LeakyReLU(0.2),
    torch.nn.Conv2d(8, 16, 3, stride=2, padding=1),
    torch.nn.LeakyReLU(0.2),
    torch.nn.Flatten(),
    torch.nn.Linear(64, 1),
)
step_of_critic = torch.optim.Adam(conv.parameters(), lr=2e-3, betas=(0.5, 0.9))
losses = []
monitor = Monitor(every=40, points=100, penalty=10.0, share=1.0)
for _ in range(240):
    bright, dim = images(64, 1, 1.0), images(64, 4, 0.5)
    t = torch.rand((64, 1, 1, 1))
    between = (t * bright + (1 - t) * dim).requires_grad_(True)
    (slope,) = torch.autograd.grad(conv(between).sum(), between, create_graph=True)
    loss = conv(dim).mean() - conv(bright).mean() + 10.0 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    step_of_critic.zero_grad()
    loss.backward()
    step_of_critic.step()
    losses.append(loss.item())
    monitor(conv, bright, dim)
watched = monitor.reports

steps = [report["step"] for report in watched]
plot_lines(
    np.arange(1, len(losses) + 1),
    {
        "without the penalty's bias": (steps, [report["debiased"] for report in watched]),
        "value": (steps, [report["value"] for report in watched]),
        "-loss_D": [-value for value in losses],
    },
    title="What loss_D was",
    names=("step", "in units of the images"),
    level={"exact, last step": watched[-1]["exact"]},
)

# %%
final = audit(conv, images(100, 1, 1.0), images(100, 4, 0.5), penalty=10.0)
final

# %% [markdown]
# The loss is minus the value plus the penalty, and the value itself is inflated: the penalty lets the critic be
# $1 + W/2\lambda$ times too steep. The proved Lipschitz constant, layer by layer, lies well below the product of the
# layers' norms and above every slope that was found; dividing by it would give a lower bound of $W_1$.

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** Give a critic of points [n, 2] that finds the whole distance between a cloud and the same moved by (3, 4).
#
# <details><summary>Solution</summary>
#
# The projection on the direction of the shift: its gradient has length 1 along every move, and it does not change
# across. The sign makes the first cloud the higher one.
#
# ```python
# print(grade("08.1", lambda x: -x @ np.array([3.0, 4.0]) / 5))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("08.1", yours))

# %% [markdown]
# **2.** A critic's value is 113.3 and its steepest slope 2.8. What is the largest lower bound of W1 that this proves?
#
# <details><summary>Solution</summary>
#
# V / slope is the value of a 1-Lipschitz critic: 113.3 / 2.8 = 40.46.
#
# ```python
# print(grade("08.2", 113.3 / 2.8))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("08.2", yours))

# %% [markdown]
# **3.** Weights are clipped to [-0.01, 0.01] in a linear critic of 100 inputs. What is its largest possible slope?
#
# <details><summary>Solution</summary>
#
# The slope of w.x is |w|_2, at most 0.01 * sqrt(100) = 0.1.
#
# ```python
# print(grade("08.3", 0.1))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("08.3", yours))

# %% [markdown]
# ## What this notebook claimed

# %% jupyter={"source_hidden": true}
assert perfect.verdict.word == turned.verdict.word == "agrees" and turned.flipped
assert steep.verdict.word == "not 1-Lipschitz" and abs(steep.value / steep.secant - w1) < 1e-6
assert abs(penalised.debiased["de-biased value"] - w1) < 1e-9 and penalised.value > 1.05 * w1
assert overfitted.verdict.word == "overfit" and overfitted.held_out < 0.5 * overfitted.value
assert exact_values[-1] > 2 and abs(critic_values[-1] - 1) < 0.5
assert answer.lower <= w1 * (1 + 1e-9) and w1 <= answer.upper * (1 + 1e-9) and abs(answer.value - w1) < 0.01 * w1
assert clipped.verdict.word in ("not 1-Lipschitz", "underfit") and abs(clipped.value - w1) > 0.1 * w1
assert 0.5 * w1 < clipped.proved.lower <= w1 * (1 + 1e-9) and clipped.secant <= clipped.constant * (1 + 1e-5)
assert [report["step"] for report in watched] == [40, 80, 120, 160, 200, 240]
assert abs(watched[-1]["debiased"] - watched[-1]["exact"]) < 0.15 * watched[-1]["exact"]
assert watched[-1]["lower"] <= watched[-1]["exact"] * (1 + 1e-9) and -losses[-1] < watched[-1]["value"]
assert final.slope_found <= final.proved_constant * (1 + 1e-4) and final.proved_constant < 0.8 * final.constant
assert not grade("08.1", None).full
assert all(grade(name, exercise(name).solution).full for name in ("08.1", "08.2", "08.3"))
