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
# # From two potentials to one Lipschitz function, and W as a game
#
# The dual of transport has two potentials. A WGAN trains one critic. This notebook shows the step between them, why
# it needs the triangle inequality and nothing less, and the other road to the same place, through games.

# %%
import matplotlib.pyplot as plt
import numpy as np

from otdiv import emd
from otdiv.duality import MatrixGame, balanced_flow, critic_payoff, solve_game
from otdiv.lecture import three_points
from otdiv.plots import plot_curves, plot_game
from otdiv.potentials import c_transform

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
PLACES = np.arange(3.0)
DISTANCE = np.abs(PLACES[:, None] - PLACES)
QUASI_METRIC = np.array([[0.0, 1, 2], [3, 0, 1], [3, 3, 0]])  # the triangle inequality without symmetry
example = three_points()
p_g, p_r = example.mu.weights, example.nu.weights

# %% [markdown]
# ## 1. One function for two
#
# Take any feasible pair, $f_g(x) + f_r(y) \le d(x, y)$, and put
#
# $$f(x) = \min_y\; d(x, y) - f_r(y) .$$
#
# Then $f \ge f_g$; the triangle inequality makes $f(x) - f(x') \le d(x, x')$; and $d(x, x) = 0$ makes
# $f \le -f_r$. So $(f, -f)$ is feasible and at least as good. Three lines, each with its hypothesis.

# %%
result = emd(*example, method="dual")
f = c_transform(result.g, cost=DISTANCE.T)
print("f_g  =", result.f.round(9), "  f_r =", result.g.round(9), "  value", round(result.lower, 9))
print("f    =", f.round(9), "  -f  =", (-f).round(9), "  value", round(float((p_g - p_r) @ f), 9))

# %% [markdown]
# A pair that is far from optimal shows the mechanism better. Start from $f_r = (0, 3, 0)$: its best partner is
# $f_g = (-2, -3, -2)$.
#
# Raising each $f_g(x)$ on its own to $-f_r(x)$ would give $f_g = (0, -3, 0)$, a better objective and an infeasible
# pair: it exceeds $d$ by 2. The minimum over $y$ keeps every constraint, because it is taken over all of them.
#
# <details><summary>About the slide</summary>
#
# Its argument treats each $x$ on its own: raise $f_g(x)$ to $-f_r(x)$.
# </details>

# %%
f_r = np.array([0.0, 3, 0])
f_g = c_transform(f_r, cost=DISTANCE.T)
raised = -f_r
excess = {name: float((g[:, None] + f_r[None, :] - DISTANCE).max()) for name, g in (("f_g", f_g), ("-f_r", raised))}
print("largest f_g + f_r - d:", excess["f_g"], "   after raising f_g to -f_r:", excess["-f_r"])
print("objective:", round(float(p_g @ f_g + p_r @ f_r), 9), "   after:", round(float(p_g @ raised + p_r @ f_r), 9))

figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
plot_curves(PLACES, {"$f_g = \\min_y d - f_r$": f_g, "$-f_r$": raised}, ax=axes[0])
axes[0].set_title("from $f_r = (0, 3, 0)$: raising to $-f_r$ is too much at 0 and 2", fontsize=10)
plot_curves(PLACES, {"$f_g$": result.f, "$-f_r$": -result.g, "$f$": f}, ax=axes[1])
axes[1].set_title("at the optimum the three coincide", fontsize=10)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## 2. Where the step fails
#
# An argument that never uses the triangle inequality would prove too much. For the squared cost, moving a unit
# mass from 0 to 2 costs 4; with a single function and the constraint $f(x) - f(y) \le |x-y|^2$ only 2, because the
# function may climb by 1 and by 1. A quasi-metric, not symmetric but with the triangle inequality, is fine.

# %%
delta_0, delta_2 = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
uniform = np.array([0.5, 0.5])
cases = {
    "distance": (p_g, p_r, DISTANCE),
    "quasi-metric": (p_g, p_r, QUASI_METRIC),
    "squared, delta_0 to delta_2": (delta_0, delta_2, DISTANCE**2),
    "squared, three points": (p_g, p_r, DISTANCE**2),
    "cost 1 on the diagonal": (uniform, uniform, np.array([[1.0, 2], [2, 1]])),
}
both = {name: (emd(a=p, b=q, cost=c).value, balanced_flow(p, q, c).value) for name, (p, q, c) in cases.items()}
print(f"{'cost':30} two potentials   one function")
for name, (two, one) in both.items():
    print(f"{name:30} {two:14.4f} {one:14.4f}")

# %% [markdown]
# ## 3. Kantorovich and Rubinstein
#
# $f(x) - f(y) \le d(x, y)$ for all ordered pairs is the same as $|f(x) - f(y)| \le d(x, y)$. So for a metric
#
# $$W(p_g, p_r) = \max_{\|f\|_L \le 1}\; \mathbb{E}_{p_r} f - \mathbb{E}_{p_g} f ,$$
#
# the critic of a WGAN. Every 1-Lipschitz $f$ is a lower bound:
#
# <details><summary>About the slide</summary>
#
# It writes the norm of $f'$ for that of $f$; a later one has the expectations exchanged, which only turns $f$
# into $-f$.
# </details>

# %%
rng = np.random.default_rng(0)
slopes = rng.uniform(-1, 1, size=(500, 2))
critics = np.column_stack([np.zeros(500), np.cumsum(slopes, axis=1)])
scores = critics @ (p_r - p_g)
print(f"500 random 1-Lipschitz critics: best {scores.max():.4f}; the optimum {result.value:.4f}")

# %% [markdown]
# ## 4. What a matrix game is
#
# The row player picks $x$, the column player $y$, independently; the payoff is
# $x^\top A y = \sum_j y_j\, x^\top a_j$.
#
# The minimum of this sum over $y$ is the least of the $x^\top a_j$: all weight on the worst column. Maximising that is
# a linear program, and its dual is the other player's.
#
# <details><summary>About the slide</summary>
#
# It takes the least of the terms $y_j\, x^\top a_j$, where the payoff is their sum.
# </details>

# %%
solution = solve_game(MatrixGame([[3, -1], [-2, 4]]))
print(f"value in [{solution.bounds.lower:.15g}, {solution.bounds.upper:.15g}]")
print("x =", solution.x.round(9), " y =", solution.y.round(9))
print("pure maxmin", solution.game.pure_maxmin, "  pure minmax", solution.game.pure_minmax)

figure, axis = plt.subplots(figsize=(6, 3.8))
plot_game(solution, ax=axis)
figure.tight_layout()
plt.show()

# %% [markdown]
# The interval is proved by the strategies themselves: $x$ guarantees the lower end, $y$ loses no more than the upper.
# The minimax theorem makes them meet, and it needs mixed strategies and a payoff that is concave in one and convex
# in the other: for $(x - y)^2$ on $[0, 1]^2$ without mixing, the guaranteed payoff of $x$ is at most 0 and
# the worst-case loss of $y$ at least 1/4.

# %%
grid = np.linspace(0, 1, 21)
parabola = MatrixGame((grid[:, None] - grid[None, :]) ** 2)
print(
    "max min =", parabola.pure_maxmin, "  min max =", parabola.pure_minmax, "  with mixing:", solve_game(parabola).value
)

# %% [markdown]
# ## 5. W as a game
#
# $$W = \inf_\gamma \sup_f \;\mathbb{E}_\gamma[d - (f(x) - f(y))] + \mathbb{E}_{p_r} f - \mathbb{E}_{p_g} f ,$$
#
# and $\inf\sup = \sup\inf$ by the minimax theorem. One function $f$ only forces the **difference** of the marginals of
# $\gamma$ to be $p_r - p_g$: the infimum runs over balanced flows, not over plans. For a metric the two have the same
# value, for the squared cost they do not.
#
# <details><summary>About the slide</summary>
#
# It writes "$\sup_\gamma \sup_f$" between the two, and lets one function stand for both marginals.
# </details>

# %%
print(f"{'cost':30} free mass    mass 1    transport")
games = {}
for name, (p, q, c) in {
    "distance": (p_r, p_g, DISTANCE),
    "squared, delta_2 and delta_0": (delta_2, delta_0, DISTANCE**2),
    "squared, three points": (p_r, p_g, DISTANCE**2),
}.items():
    games[name] = (balanced_flow(p, q, c).value, balanced_flow(p, q, c, mass=1).value, emd(a=p, b=q, cost=c).value)
    print(f"{name:30} {games[name][0]:9.4f} {games[name][1]:9.4f} {games[name][2]:12.4f}")

# %% [markdown]
# For a fixed $f$ the infimum over probabilities $\gamma$ sits on one pair. If $f$ is 1-Lipschitz that pair is on the
# diagonal and costs 0, and the critic's score remains. A steeper $f$ makes
# the pair negative, finite for probabilities, and the payoff still does not exceed $W$.

# %%
steepness = np.linspace(0, 3, 61)
payoffs = np.array([critic_payoff(-s * PLACES, p_r, p_g, DISTANCE) for s in steepness])
scores_of_s = np.array([float((p_r - p_g) @ (-s * PLACES)) for s in steepness])
figure, axis = plt.subplots(figsize=(6.4, 3.8))
axis.plot(steepness, scores_of_s, color="#666666", ls="--", label="$E_{p_r} f - E_{p_g} f$ alone")
axis.plot(steepness, payoffs, color="#0072B2", lw=2, label="with the infimum over pairs")
axis.axhline(0.7, color="#D55E00", lw=1)
axis.annotate("W = 0.7", (3, 0.7), xytext=(-4, 5), textcoords="offset points", ha="right", color="#D55E00")
axis.set(xlabel="s, where f(x) = −s x", ylabel="payoff", title="the payoff punishes every slope beyond 1")
axis.legend(fontsize=8, frameon=False, loc="lower left")
figure.tight_layout()
plt.show()

# % [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Try your own before you open a solution.

# %%
from otdiv.exercises import grade

print(grade("05.1", None))

# %% [markdown]
# **1.** Masses 0.4, 0.1, 0.3, 0.2 on the places 0, 1, 2, 3 go onto 0.1, 0.4, 0.2, 0.3. Give one 1-Lipschitz function
# h of points [n, 1] whose value sum a h(x) - sum b h(y) is the distance.
#
# <details><summary>Solution</summary>
#
# Mass goes from 0 to 1 and from 2 to 3, so h falls by 1 on both steps and may rest between.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("05.1", lambda x: np.interp(x[:, 0], [0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, -1.0])))

# %% [markdown]
# **2.** The row player receives [[3, -1], [-2, 1]]. Give the saddle point (x, y) in mixed strategies.
#
# <details><summary>Solution</summary>
#
# x makes both columns pay the same, 3 p - 2 (1 - p) = -p + (1 - p), so p = 3 / 7; y makes both rows pay the same.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("05.2", ([3 / 7, 4 / 7], [2 / 7, 5 / 7])))

# %% [markdown]
# **3.** What is the value of that game?
#
# <details><summary>Solution</summary>
#
# Any column against x: 3 * 3/7 - 2 * 4/7 = 1 / 7.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("05.3", 1 / 7))

# %% [markdown]
# ## What was claimed

# %% jupyter={"source_hidden": true}
assert (f[:, None] - f[None, :] <= DISTANCE + 1e-12).all() and abs((p_g - p_r) @ f - 0.7) < 1e-9
assert excess == {"f_g": 0.0, "-f_r": 2.0} and f_g.tolist() == [-2, -3, -2]
expected = {"distance": (0.7, 0.7), "quasi-metric": (1.2, 1.2), "squared, delta_0 to delta_2": (4, 2)}
expected |= {"squared, three points": (0.9, 0.7), "cost 1 on the diagonal": (1, 0)}
assert all(np.allclose(both[name], values, atol=1e-9) for name, values in expected.items())
assert scores.max() <= 0.7 + 1e-12
assert 1.0 in solution.bounds and solution.bounds.gap < 1e-12 and np.allclose(solution.x, [0.6, 0.4])
assert (parabola.pure_maxmin, parabola.pure_minmax) == (0.0, 0.25)
assert np.allclose(games["distance"], [0.7, 0.7, 0.7], atol=1e-9)
assert np.allclose(games["squared, delta_2 and delta_0"], [2, 4, 4], atol=1e-9)
assert np.allclose(games["squared, three points"], [0.7, 0.7, 0.9], atol=1e-9)
assert payoffs.max() <= 0.7 + 1e-12 and abs(payoffs[20] - 0.7) < 1e-12
assert abs(critic_payoff(2 * PLACES, p_r, p_g, DISTANCE) + 3.4) < 1e-12
assert not grade("05.1", None).full
