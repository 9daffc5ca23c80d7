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
# We shall solve this twice, as two different linear programs (a *linear program* minimises or maximises a linear
# function under linear equations and inequalities). One seeks the cheapest *plan*, the other the highest *charges*.
# That neither can pass the other is weak duality, proved here; that both give the same number is strong duality, seen
# here in numbers and proved in notebook 04.

# %%
import numpy as np

from otdiv import DiscreteMeasure, TransportProblem, certify, emd, solve
from otdiv.linear_programming import solve_lp
from otdiv.plots import moving, plot_intervals, plot_plan, plot_potentials
from otdiv.transport import transport_program

places = np.array([0.0, 1.0, 2.0])
p_g = np.array([0.2, 0.2, 0.6])
p_r = np.array([0.5, 0.3, 0.2])
problem = TransportProblem(DiscreteMeasure(places, p_g), DiscreteMeasure(places, p_r))
problem.costs()

# %% [markdown]
# ## 1. The primal: a plan
#
# **Definition.** A plan $\gamma$ has one row for each place of $p_g$ and one column for each place of $p_r$:
# $\gamma_{ij}$ is the mass that goes from $i$ to $j$. It must use up every pile and fill every hole:
#
# $$\sum_j \gamma_{ij} = p_g(i), \qquad \sum_i \gamma_{ij} = p_r(j), \qquad \gamma \ge 0 .$$
#
# These sums are its *marginals*. It costs $\sum_{ij} \gamma_{ij}\, d(i, j)$, and the *earth mover's distance* (also
# transport distance, or $W_1$) is the least cost of a plan. The costs $d(i, j)$ are the matrix above.
#
# <details><summary>About the slide</summary>
#
# It sums over the wrong index in both lines: $\sum_x \gamma(1, y)$ is no marginal.
# </details>
#
# Written for the vector $\Gamma$ of all $\gamma_{ij}$, row by row, the two lines are $A\Gamma = b$. Here is $A$ for
# this problem: three rows for the piles, three for the holes. Its rank is 5: one row is too many, because the first
# three add up to the total mass, and so do the last three.

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
# The solver says that no plan costs less; why should one believe it? The *independent* plan $p_g(i)\,p_r(j)$, for
# example, costs more:

# %%
independent = np.outer(p_g, p_r)
print("cost of the independent plan:", (independent * problem.costs()).sum())

# %% [markdown]
# ## 2. The dual: charges
#
# Now let a shipper do the work. She charges $f(i)$ for picking up a unit of earth at place $i$ and $g(j)$ for setting
# it down at place $j$. Either may be negative, a discount; only their sum counts. Nobody hires her for a route that is
# cheaper to walk, so
#
# $$f(i) + g(j) \le d(i, j) \quad\text{for all } i, j .$$
#
# Such a pair is called *admissible* (charges are also called prices, or potentials: three words for one thing).
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
# ## 3. Weak duality, and when they meet
#
# **Theorem** (weak duality). Admissible charges never earn more than any plan costs; they earn the same exactly when
# mass moves only where the *slack* $d_{ij} - f_i - g_j$ is zero (*complementary slackness*). Then the plan is the
# cheapest and the charges are the highest.
#
# *Proof.* For any plan and any charges, because the plan has the marginals $p_g$ and $p_r$,
#
# $$\sum_{ij} \gamma_{ij} d_{ij} - \Big(\sum_i p_g(i) f_i + \sum_j p_r(j) g_j\Big)
#   = \sum_{ij} \gamma_{ij}\,(d_{ij} - f_i - g_j) ,$$
#
# and for admissible charges no summand on the right is negative, so the sum is zero only if each of them is.
# $\blacksquare$
#
# So every admissible pair is a lower bound of the distance, every plan an upper bound, and the gap between them is the
# mass-weighted slack. Here it closes:

# %%
products = gamma * slack
gap = primal.objective - dual.objective
print(products)
print("sum of the products:", products.sum(), " gap:", gap)

# %% [markdown]
# `otdiv` does this for every answer. Whatever method proposes a plan and charges, they are repaired
# until they are truly admissible, and the two bounds are the proof. All roundings go outward, so that the interval
# holds for real numbers and not only for floating-point ones.

# %%
result = emd(places, places, p_g, p_r)
print(result)

# %% [markdown]
# The plan, with what stays on the dotted diagonal, and a dot for each pair between which mass moves:

# %%
plot_plan(result)

# %% [markdown]
# The charges, and the slack of every pair, dark where a route costs more than they charge; no dot lies on a dark cell:

# %%
plot_potentials(result)

# %% [markdown]
# ## 4. A proof does not need a solver
#
# Take charges out of thin air, say $f(x) = -x$ for picking up. `certify` adds the highest $g$ that they admit, $g(j) =
# \min_i d(i, j) - f(i)$, improves $f$ in the same manner, and says what the pair proves. A poor guess gives a wide
# interval, never a wrong one.

# %%
guesses = {
    "f(x) = 0": np.zeros(3),
    "f(x) = -x": -places,
    "f(x) = x": places,
    "f(x) = 5 x (inadmissible as it stands)": 5 * places,
}
intervals = {name: certify(problem, gamma, (guess, None)).bounds for name, guess in guesses.items()}
for name, bounds in intervals.items():
    print(f"{name:40s} [{bounds.lower:.4f}, {bounds.upper:.4f}]")

# %%
proved = {name: (bounds.lower, bounds.upper) for name, bounds in intervals.items()}
plot_intervals(proved, truth=0.7, title="What each guess proves", name="interval for the distance (dotted: 0.7)")

# %% [markdown]
# The prices $f(x) = t\,x$, for a $t$ of your choice (0.5 at first):

# %%


def proved_by(t: float):
    """The interval that the prices f(x) = t x prove."""
    bounds = certify(problem, gamma, (t * places, None)).bounds
    return plot_intervals({f"f(x) = {t:.2f} x": (bounds.lower, bounds.upper)}, truth=0.7, name="proved interval")


moving(proved_by, "t", -2.0, 2.0, 0.5)

# %% [markdown]
# ## 5. Different sizes, in the plane
#
# Nothing changes when the two sides have different numbers of points.

# %%
x, a = np.array([[0.0, 0], [1, 0], [0, 1]]), np.array([0.5, 0.3, 0.2])
y, b = np.array([[1.0, 1], [2, 0]]), np.array([0.6, 0.4])
plane = emd(x, y, a, b)
print(plane)
plot_plan(plane)

# %% [markdown]
# And fifty problems at random: how far apart are the primal program, the dual program, and the network simplex of
# another package (POT, Python Optimal Transport)?

# %%
rng = np.random.default_rng(0)
worst = 0.0
for _ in range(50):
    cloud = TransportProblem(DiscreteMeasure(rng.normal(size=(6, 2))), DiscreteMeasure(rng.normal(size=(6, 2))))
    values = [solve(cloud, method).value for method in ("primal", "dual", "pot")]
    worst = max(worst, max(values) - min(values))
print("largest disagreement:", worst)

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** Give the cheapest plan [3, 3] that moves the masses 1/2, 1/4, 1/4 on the places 0, 1, 2 onto 1/4, 1/4, 1/2.
#
# <details><summary>Solution</summary>
#
# A quarter of the mass has to travel 2 in all, and what stays where it is costs nothing.
#
# ```python
# print(grade("02.1", [[0.25, 0.0, 0.25], [0.0, 0.25, 0.0], [0.0, 0.0, 0.25]]))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("02.1", yours))

# %% [markdown]
# **2.** Give prices (f, g), three numbers each, that prove that no plan for these masses is cheaper.
#
# <details><summary>Solution</summary>
#
# f(i) = -i, g(j) = j: then f + g = j - i, which is at most |i - j|, and equal to it wherever mass moves to the right.
#
# ```python
# print(grade("02.2", ([0.0, -1.0, -2.0], [0.0, 1.0, 2.0])))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("02.2", yours))

# %% [markdown]
# **3.** Half of the mass lies at (0, 0) and half at (1, 0); half is to go to (0, 1) and half to (2, 0). Give a plan and
# prices, (plan, (f, g)), whose cost and income agree: a proof without a solver.
#
# <details><summary>Solution</summary>
#
# Straight up and straight across cost 1 each. With f = (1, 0), g = (0, 1) both arcs are tight: 1 + 0 = 1, 0 + 1 = 1;
# the others have slack, 1 + 1 = 2 and 0 + 0 < sqrt 2.
#
# ```python
# print(grade("02.3", ([[0.5, 0.0], [0.0, 0.5]], ([1.0, 0.0], [0.0, 1.0]))))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("02.3", yours))

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
assert all(grade(name, exercise(name).solution).full for name in ("02.1", "02.2", "02.3"))
