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
# # The earth mover's distance: primal, dual, and why they meet
#
# Two piles of earth, $p_g$ and $p_r$, on the places 0, 1, 2. How much work does it take to turn
# one into the other, if moving a unit of earth from $x$ to $y$ costs $d(x, y) = |x - y|$?
#
# We shall solve this twice, as two different linear programs. One seeks the cheapest *plan*,
# the other the highest *charges*. That both give the same number is strong duality.

# %%
import numpy as np

from otdiv import DiscreteMeasure, TransportProblem, certify, emd, solve
from otdiv.linear_programming import solve_lp
from otdiv.plots import figure, plot_plan, plot_potentials
from otdiv.transport import transport_program

places = np.array([0.0, 1.0, 2.0])
p_g = np.array([0.2, 0.2, 0.6])
p_r = np.array([0.5, 0.3, 0.2])
problem = TransportProblem(DiscreteMeasure(places, p_g), DiscreteMeasure(places, p_r))
problem.costs()

# %% [markdown]
# ## The primal: a plan
#
# A plan $\gamma$ has one row for each place of $p_g$ and one column for each place of $p_r$:
# $\gamma_{ij}$ is the mass that goes from $i$ to $j$. It must use up every pile and fill every hole:
#
# $$\sum_j \gamma_{ij} = p_g(i), \qquad \sum_i \gamma_{ij} = p_r(j), \qquad \gamma \ge 0 .$$
#
# <details><summary>About the slide</summary>
#
# It sums over the wrong index in both lines: $\sum_x \gamma(1, y)$ is no marginal.
# </details>
#
# Written as a linear program in the vector $\Gamma = \mathrm{vec}(\gamma)$, these are the rows of
# $A\Gamma = b$. Here is $A$ for this problem, and its rank: one row too many, because the total mass
# is counted twice.

# %%
program, rows, columns = transport_program(problem)
A = program.A.toarray().astype(int)
rank = np.linalg.matrix_rank(A)
print(A)
print("rank", rank, "of", A.shape[0], "rows")

# %%
primal = solve_lp(program)
gamma = primal.x.reshape(3, 3)
print(gamma)
print("cost of the plan:", primal.objective)

# %% [markdown]
# Any other plan costs at least as much. The *independent* plan $p_g(x)\,p_r(y)$, for example:

# %%
independent = np.outer(p_g, p_r)
print("cost of the independent plan:", (independent * problem.costs()).sum())

# %% [markdown]
# ## The dual: charges
#
# Now let a shipper do the work. She charges $f(i)$ for picking up a unit of earth at place $i$ and $g(j)$ for setting
# it down at place $j$. Either may be negative, a discount; only their sum counts. Nobody hires her for a route that is
# cheaper to walk, so
#
# $$f(i) + g(j) \le d(i, j) \quad\text{for all } i, j .$$
#
# Every unit of $p_g$ is picked up and every unit of $p_r$ set down, so her income is $\sum_i p_g(i) f(i) + \sum_j
# p_r(j) g(j)$, whatever the routes. She makes it as large as she can. No plan is mentioned: this program is solved
# by itself, not read off the primal's multipliers.
#
# (Had she *bought* the earth at $i$ for $u(i)$ and *sold* it at $j$ for $v(j)$, the condition would be
# $v(j) - u(i) \le d(i, j)$: the same program with $u = -f$, $v = g$. That form gives the single function of the
# Kantorovich-Rubinstein theorem.)

# %%
dual = solve_lp(program.dual())
f, g = dual.y[:3], dual.y[3:]
print("f =", f, " g =", g)
print("income:", dual.objective)
slack = problem.costs() - f[:, None] - g[None, :]
print("smallest slack d - f - g:", slack.min())

# %% [markdown]
# ## Why they meet
#
# For *any* plan and *any* admissible charges,
#
# $$\sum_{ij} \gamma_{ij} d_{ij} - \Big(\sum_i p_g(i) f_i + \sum_j p_r(j) g_j\Big)
#   = \sum_{ij} \gamma_{ij}\,(d_{ij} - f_i - g_j) \;\ge\; 0 .$$
#
# So every admissible list of charges is a lower bound, every plan an upper bound, and the gap between
# them is the mass-weighted slack. It is zero exactly when mass moves only where the slack is zero:
# *complementary slackness*.

# %%
products = gamma * slack
gap = primal.objective - dual.objective
print(products)
print("sum of the products:", products.sum(), " gap:", gap)

# %% [markdown]
# otdiv does this for every answer. Whatever method proposes a plan and charges, they are repaired
# until they are truly feasible, and the two bounds are the proof. All roundings go outward.

# %%
result = emd(places, places, p_g, p_r)
print(result)

# %%
plot_plan(result)

# %%
plot_potentials(result)

# %% [markdown]
# ## A proof does not need a solver
#
# Take charges out of thin air, say $f(x) = -x$ on the sources. The auditor turns them into admissible
# ones and says what they prove. A poor guess gives a wide interval, never a wrong one.

# %%
guesses = {
    "nothing": np.zeros(3),
    "f(x) = -x": -places,
    "f(x) = x": places,
    "f(x) = 5 x (inadmissible as it stands)": 5 * places,
}
intervals = {name: certify(problem, gamma, (guess, None)).bounds for name, guess in guesses.items()}
for name, bounds in intervals.items():
    print(f"{name:40s} [{bounds.lower:.4f}, {bounds.upper:.4f}]")

# %%
drawing, (axes,) = figure(6.4, 2.6)
for level, (_, bounds) in enumerate(intervals.items()):
    axes.plot([bounds.lower, bounds.upper], [level, level], "|-", lw=3, ms=12, color="#1f5fa8")
axes.axvline(0.7, color="#6b6b6b", ls=":", lw=1)
axes.set_yticks(range(len(intervals)), list(intervals))
axes.set_xlabel("proved interval for the distance (truth 0.7)")
drawing

# %% [markdown]
# ## Different sizes, in the plane
#
# Nothing changes when the two sides have different numbers of points.

# %%
x, a = np.array([[0.0, 0], [1, 0], [0, 1]]), np.array([0.5, 0.3, 0.2])
y, b = np.array([[1.0, 1], [2, 0]]), np.array([0.6, 0.4])
plane = emd(x, y, a, b)
print(plane)
plot_plan(plane)

# %% [markdown]
# And fifty problems at random: how far apart are the primal program, the dual program, and POT's
# network simplex?

# %%
rng = np.random.default_rng(0)
worst = 0.0
for _ in range(50):
    cloud = TransportProblem(DiscreteMeasure(rng.normal(size=(6, 2))), DiscreteMeasure(rng.normal(size=(6, 2))))
    values = [solve(cloud, method).value for method in ("primal", "dual", "pot")]
    worst = max(worst, max(values) - min(values))
print("largest disagreement:", worst)

# % [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Try your own before you open a solution.

# %%
from otdiv.exercises import grade

print(grade("02.1", None))

# %% [markdown]
# **1.** Give the cheapest plan [3, 3] that moves the masses 1/2, 1/4, 1/4 on the places 0, 1, 2 onto 1/4, 1/4, 1/2.
#
# <details><summary>Solution</summary>
#
# A quarter of the mass has to travel 2 in all, and what stays where it is costs nothing.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("02.1", [[0.25, 0.0, 0.25], [0.0, 0.25, 0.0], [0.0, 0.0, 0.25]]))

# %% [markdown]
# **2.** Give prices (f, g) that prove that this plan cannot be bettered.
#
# <details><summary>Solution</summary>
#
# f(i) = -i, g(j) = j: then f + g = j - i, which is at most |i - j|, and equal to it wherever mass moves to the right.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("02.2", ([0.0, -1.0, -2.0], [0.0, 1.0, 2.0])))

# %% [markdown]
# **3.** Half of the mass lies at (0, 0) and at (1, 0), and is to go to (0, 1) and (2, 0), half each. Give a plan and
# prices, (plan, (f, g)), whose costs and income agree: a proof without a solver.
#
# <details><summary>Solution</summary>
#
# Straight up and straight across cost 1 each. With f = (1, 0), g = (0, 1) both arcs are tight: 1 + 0 = 1, 0 + 1 = 1;
# the others have slack, 1 + 1 = 2 and 0 + 0 < sqrt 2.
# </details>

# %% jupyter={"source_hidden": true}
print(grade("02.3", ([[0.5, 0.0], [0.0, 0.5]], ([1.0, 0.0], [0.0, 1.0]))))

# %% [markdown]
# ## What this notebook claimed

# %% jupyter={"source_hidden": true}
assert rank == 5 and A.shape[0] == 6  # one redundant row
assert abs(primal.objective - 0.7) < 1e-9 and abs(dual.objective - 0.7) < 1e-9
assert (independent * problem.costs()).sum() > 1.0599
assert slack.min() > -1e-9 and abs(products.sum() - gap) < 1e-9
assert result.lower <= 0.7 <= result.upper and result.gap < 1e-12
assert all(bounds.lower <= 0.7 <= bounds.upper for bounds in intervals.values())
assert abs(plane.value - (0.7 + 0.4 * np.sqrt(2))) < 1e-12
assert worst < 1e-9
assert not grade("02.1", None).full
