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
# The transport distance $W$ of two distributions is the least cost of a plan, and by duality the largest value of two
# potentials with $f_g(x) + f_r(y) \le d(x, y)$. A Wasserstein GAN (WGAN) trains *one* function, its critic. This
# notebook shows the step between them, why it needs the triangle inequality and nothing less, and the other road to the
# same place, through games.

# %%
import numpy as np

from otdiv import emd
from otdiv.duality import MatrixGame, balanced_flow, critic_payoff, solve_game
from otdiv.lecture import three_points
from otdiv.plots import figure, plot_curves, plot_game, plot_lines
from otdiv.potentials import c_transform

PLACES = np.arange(3.0)
DISTANCE = np.abs(PLACES[:, None] - PLACES)
QUASI_METRIC = np.array([[0.0, 1, 2], [3, 0, 1], [3, 3, 0]])  # the triangle inequality without symmetry
example = three_points()
p_g, p_r = example.mu.weights, example.nu.weights

# %% [markdown]
# ## 1. One function for two
#
# **Theorem.** If $d(x, x) = 0$ and $d$ satisfies the triangle inequality, then for every feasible pair
# $f_g(x) + f_r(y) \le d(x, y)$ there is one function $f$ such that $(f, -f)$ is feasible and worth at least as much.
#
# *Proof.* Put
#
# $$f(x) = \min_y\; d(x, y) - f_r(y) .$$
#
# 1. $f \ge f_g$, since $f_g(x) \le d(x, y) - f_r(y)$ for every $y$.
# 2. $f \le -f_r$, since $y = x$ is one of the choices, and $d(x, x) = 0$.
# 3. $f(x) - f(x') \le d(x, x')$: if $y$ is the best choice for $x'$, then $f(x) \le d(x, y) - f_r(y) \le d(x, x') +
#    d(x', y) - f_r(y) = d(x, x') + f(x')$.
#
# By 3 the pair $(f, -f)$ is feasible; by 1 and 2 neither part is smaller than before. $\blacksquare$
#
# On three points, with the numbers of the notebooks before:

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

drawing, (left, right) = figure(10.4, 3.6, columns=2)
pair = {"$f_g = \\min_y d - f_r$": f_g, "$-f_r$": raised}
plot_curves(PLACES, pair, title="from $f_r = (0, 3, 0)$: raising to $-f_r$ is too much at 0 and 2", ax=left)
three = {"$f_g$": result.f, "$-f_r$": -result.g, "$f$": f}
plot_curves(PLACES, three, title="at the optimum the three coincide", ax=right)
drawing

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
# **Definition.** A function is *1-Lipschitz*, $\|f\|_L \le 1$, if $|f(x) - f(y)| \le d(x, y)$ for all $x$, $y$.
#
# For a symmetric $d$ this is the same as $f(x) - f(y) \le d(x, y)$ for all ordered pairs, that is, as feasibility of
# $(f, -f)$. With $-f$ for $f$ the theorem of section 1 becomes
#
# **Theorem** (Kantorovich and Rubinstein 1958). For a metric $d$
#
# $$W(p_g, p_r) = \max_{\|f\|_L \le 1}\; \mathbb{E}_{p_r} f - \mathbb{E}_{p_g} f ,$$
#
# and the best $f$ is the critic that a WGAN looks for. Every 1-Lipschitz $f$ is a lower bound:
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
# **Definition.** In a matrix game with payoff $A$ (columns $a_j$) the row player picks a probability vector $x$ over
# the rows, the column player one, $y$, over the columns, independently (*mixed strategies*). The row player receives,
# on average, $x^\top A y = \sum_j y_j\, x^\top a_j$.
#
# The minimum of this sum over $y$ is the least of the $x^\top a_j$: all weight on the worst column.
#
# **Theorem** (von Neumann 1928). $\max_x \min_y x^\top A y = \min_y \max_x x^\top A y$.
#
# *Proof.* The left side is the linear program "maximise $v$ with $v \le x^\top a_j$ for all $j$, $x \ge 0$,
# $\sum x_i = 1$". Its dual is "minimise $w$ with $w \ge (Ay)_i$ for all $i$, $y \ge 0$, $\sum y_j = 1$", the right
# side. Both are feasible and bounded; strong duality. $\blacksquare$
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

plot_game(solution)

# %% [markdown]
# The interval is proved by the strategies themselves: $x$ guarantees the lower end, $y$ loses no more than the upper.
# The theorem makes them meet, and it needs mixed strategies: for the payoff $(x - y)^2$ on $[0, 1]^2$ without mixing,
# the guaranteed payoff of $x$ is at most 0 (whatever $x$ is, $y = x$ answers) and the worst-case loss of $y$ at least
# 1/4 (from every $y$ one end of the interval is half or more away).

# %%
grid = np.linspace(0, 1, 21)
parabola = MatrixGame((grid[:, None] - grid[None, :]) ** 2)
print(
    "max min =", parabola.pure_maxmin, "  min max =", parabola.pure_minmax, "  with mixing:", solve_game(parabola).value
)

# %% [markdown]
# ## 5. W as a game
#
# Let a mover choose what moves, $\gamma \ge 0$, and a critic $f$ punish what does not arrive:
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
plot_lines(
    steepness,
    {"with the infimum over pairs": payoffs, "mean under $p_r$ less mean under $p_g$, alone": scores_of_s},
    title="The payoff punishes every slope beyond 1",
    names=("s, where f(x) = −s x", "payoff"),
    level={"W = 0.7": 0.7},
)

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** Masses 0.4, 0.1, 0.3, 0.2 on the places 0, 1, 2, 3 go onto 0.1, 0.4, 0.2, 0.3. Give one 1-Lipschitz function
# h of points [n, 1] whose value sum a h(x) - sum b h(y) is the distance.
#
# <details><summary>Solution</summary>
#
# Mass goes from 0 to 1 and from 2 to 3, so h falls by 1 on both steps and may rest between.
#
# ```python
# print(grade("05.1", lambda x: np.interp(x[:, 0], [0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, -1.0])))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("05.1", yours))

# %% [markdown]
# **2.** The row player receives [[3, -1], [-2, 1]]. Give the saddle point (x, y) in mixed strategies: x makes the row
# player's guaranteed payoff the largest, y the column player's worst loss the smallest.
#
# <details><summary>Solution</summary>
#
# x makes both columns pay the same, 3 p - 2 (1 - p) = -p + (1 - p), so p = 3 / 7; y makes both rows pay the same.
#
# ```python
# print(grade("05.2", ([3 / 7, 4 / 7], [2 / 7, 5 / 7])))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("05.2", yours))

# %% [markdown]
# **3.** What is the value of that game?
#
# <details><summary>Solution</summary>
#
# Any column against x: 3 * 3/7 - 2 * 4/7 = 1 / 7.
#
# ```python
# print(grade("05.3", 1 / 7))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("05.3", yours))

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
assert all(grade(name, exercise(name).solution).full for name in ("05.1", "05.2", "05.3"))
