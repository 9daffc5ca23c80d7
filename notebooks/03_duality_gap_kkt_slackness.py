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
# # The duality gap, and where it goes
#
# A transport plan costs something; a pair of potentials (prices) is worth something; the difference is the duality gap.
# Where do the prices come from? This notebook derives them for any linear program: from the Lagrangian to the dual,
# from the dual to complementary slackness, on three points, with the number that decides at each step.

# %%
import numpy as np

from otdiv import TransportProblem, emd
from otdiv.duality import dual_function, kkt, lagrangian, weak_duality
from otdiv.errors import CertificateRefused
from otdiv.lecture import three_points
from otdiv.linear_programming import LinearProgram, solve_lp
from otdiv.plots import figure, plot_lagrangian, plot_plan_and_slack
from otdiv.transport import transport_program

# %% [markdown]
# ## 1. The two programs
#
# Move $p_g = (.2, .2, .6)$ onto $p_r = (.5, .3, .2)$, both on the points 0, 1, 2, at cost $|x - y|$:
#
# $$\min_{x \ge 0} \; c^\top x \;\text{ with }\; Ax = b
# \qquad\text{and}\qquad \max_F \; b^\top F \;\text{ with }\; A^\top F \le c .$$
#
# $x$ is the plan written as one vector, $A$ takes its row sums and its column sums, $b = (p_g, p_r)$, and
# $F = (f_g, f_r)$ holds a price for each place of $p_g$ and of $p_r$: $A^\top F \le c$ says
# $f_g(i) + f_r(j) \le |i - j|$ for every pair. What satisfies its program's conditions is called *feasible*. Each of
# the two is solved here as a program of its own.

# %%
example = three_points()
lp = transport_program(TransportProblem(example.mu, example.nu))[0]
primal, dual = solve_lp(lp), solve_lp(lp.dual())
print(f"least cost of a plan:         {primal.objective:.12f}")
print(f"largest value of potentials:  {dual.objective:.12f}")

# %% [markdown]
# ## 2. The dual function, and what minus infinity means
#
# **Definition.** Put a price $y$ on breaking $Ax = b$. The *Lagrangian* is $L(x, y) = c^\top x + y^\top(b - Ax)$, and
# the *dual function* is its least value,
#
# $$q(y) = \min_{x \ge 0}\; L(x, y)
#        = \min_{x \ge 0}\; (c - A^\top y)^\top x + b^\top y .$$
#
# If **one** component of $c - A^\top y$ is negative, its $x$ may grow without end: $q(y) = -\infty$. If none is, the
# minimum is $b^\top y$, and $x = 0$ is *a* minimiser of this inner problem; it is not the plan. So to maximise $q$ is
# to maximise $b^\top y$ under $A^\top y \le c$: **the dual program of section 1, and $F$ is its $y$.** `otdiv` names
# the coordinate that runs away:
#
# <details><summary>About the slide</summary>
#
# "If $c - A^\top y < 0$, then $q = -\infty$; if $\ge 0$, then $x^* = 0$", with $-F$ for $y$. It
# reads as if all components had to be negative, and as if $x^* = 0$ were the plan.
# </details>

# %%
bad = dual_function(lp, [5, 0, 0, 0, 0, 0])
good = dual_function(lp, dual.y)
print(bad.why())
print(good.why())
print("\n      t    Lagrangian along the bad coordinate")
for t in (1, 10, 1000):
    print(f"{t:7d} {bad.along(t):12.0f}")

# %%
t = np.linspace(0, 1, 11)
along = {
    "y = (5,0,0; 0,0,0): falls without end": np.array([bad.along(step) for step in t]),
    "y = F*: flat along an arc of the plan": np.array([lagrangian(lp, step * np.eye(9)[4], dual.y) for step in t]),
    "y = 0: rises along the arc 0 to 1": np.array([lagrangian(lp, step * np.eye(9)[1], np.zeros(6)) for step in t]),
}
plot_lagrangian(t, along, title="One bad coordinate is enough for $q = -\\infty$")

# %% [markdown]
# For **feasible** $x$ the Lagrangian is the cost itself, since $b - Ax = 0$; therefore $q(y) \le c^\top x$ for every
# feasible $x$, whatever $y$ is. For other $x$ it may lie above it: at $x = 0$
# with $y = (1,0,0;\,0,0,0)$ it is .2 while the cost is 0:
#
# <details><summary>About the slide</summary>
#
# "$L(x, F) \le f(x)$ for all $x$", where its $F$ is $-y$: this fails at the infeasible $x = 0$.
# </details>

# %%
above = lagrangian(lp, np.zeros(9), [1, 0, 0, 0, 0, 0])
print(f"L(0, y) = {above},  cost of x = 0: {lp.c @ np.zeros(9)}")

# %% [markdown]
# ## 3. Weak duality needs both to be feasible
#
# **Theorem** (weak duality). If $Ax = b$, $x \ge 0$ and $A^\top F \le c$, then $b^\top F \le c^\top x$.
#
# *Proof.* $b^\top F = x^\top A^\top F \le x^\top c$: the equation uses $Ax = b$, the inequality $A^\top F \le c$ and
# $x \ge 0$. $\blacksquare$
#
# An $F$ that is not feasible may well exceed the optimum:
#
# <details><summary>About the slide</summary>
#
# It writes "for all $F$" inside the maximum.
# </details>

# %%
independent = np.outer(example.mu.weights, example.nu.weights).ravel()
rng = np.random.default_rng(0)
values = []
for f in rng.uniform(-1, 1, size=(300, 3)):
    g = (lp.c.reshape(3, 3) - f[:, None]).min(axis=0)
    values.append(weak_duality(lp, independent, np.concatenate([f, g])).dual_value)
print(f"300 feasible F: the largest value is {max(values):.6f}, the optimum {primal.objective:.6f}")

wrong = [1, 1, 1, 0, 0, 3]
print(f"an infeasible F reaches {kkt(lp, independent, wrong).dual_value:.6f}, and is refused:")
try:
    weak_duality(lp, independent, wrong)
except CertificateRefused as refusal:
    reason = str(refusal)
    print("  ", reason)

# %% [markdown]
# ## 4. The gap is a sum of slack products
#
# **Theorem** (complementary slackness). A feasible $x$ and a feasible $F$ have the same value exactly when
# $x_k\,(c - A^\top F)_k = 0$ for every $k$; then both are optimal.
#
# *Proof.* For *any* plan $\gamma$ and *any* potentials $F = (f_g, f_r)$,
#
# $$c^\top x - b^\top F = \sum_{ij} \gamma_{ij}\,\bigl(d_{ij} - f_g(i) - f_r(j)\bigr),$$
#
# since $Ax = b$. Every term is non-negative for a feasible pair, so the gap closes exactly when every term is 0:
# mass moves only where the constraint is tight. By weak duality no feasible pair does better. $\blacksquare$
#
# (These conditions, feasible both and slack products 0, are what Karush, Kuhn and Tucker's conditions, KKT, become for
# a linear program.)
#
# Below, on the left, every cell with both colours pays (mass times slack); on the right no cell has both:

# %%
loose, tight = kkt(lp, independent, np.zeros(6)), kkt(lp, primal.x, primal.y)
print("                          gap    sum of slack products   largest product")
for name, report in (("independent plan, F = 0", loose), ("both optimal", tight)):
    print(f"{name:24} {report.gap:5.2f} {report.slack_sum:17.2f} {np.abs(report.slack_products).max():22.2g}")

drawing, (left, right) = figure(10.4, 3.9, columns=2)
slack_of_zero, slack_of_best = (dual_function(lp, y).reduced_cost.reshape(3, 3) for y in (np.zeros(6), primal.y))
plot_plan_and_slack(independent.reshape(3, 3), slack_of_zero, title=f"feasible: gap {loose.gap:.2f}", ax=left)
plot_plan_and_slack(primal.x.reshape(3, 3), slack_of_best, title=f"optimal: gap {abs(tight.gap):.2f}", ax=right)
drawing

# %% [markdown]
# ## 5. When there is no equality
#
# That some pair always closes the gap is *strong duality*: max = min for every program that is feasible and bounded
# (proved in the next notebook). The transport program is both: a plan exists ($p_g p_r^\top$), and costs are not
# negative. For programs in general neither goes without saying.
#
# * $x_1 + x_2 = -1$ with $x \ge 0$ has no solution. Its dual then has no maximum: the proof is a *ray*, an $F$ with
#   $A^\top F \le 0$ and $b^\top F > 0$, along which the dual's value grows without end.
# * $x_2 = -1$ with cost $-x_1$: neither program has a solution, and the gap is infinite.

# %%
nothing = LinearProgram([1, 1], [[1, 1]], [-1])
both = LinearProgram([-1, 0], [[0, 1]], [-1])
for name, program in (("x1 + x2 = -1", nothing), ("x2 = -1, cost -x1", both)):
    p, d = solve_lp(program), solve_lp(program.dual())
    print(
        f"{name:18} primal {p.status.label:10} {p.objective:5}   dual {d.status.label:10} {d.objective:5}   ray {p.ray}"
    )

# %% [markdown]
# ## 6. At least instead of equal
#
# With $Ax \ge b$ the dual gains $F \ge 0$: write $Ax - s = b$ with a surplus $s \ge 0$ of cost 0; the columns of $-s$
# ask for $-F \le 0$. For transport the change would be fatal: with $\ge$ marginals a "plan" that leaves enough earth at
# every place, all on the diagonal, costs nothing.

# %%
cover = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
print("min 2 x1 + 3 x2, A x >= b:", solve_lp(cover).objective, "  dual with F >= 0:", solve_lp(cover.dual()).objective)
at_least = solve_lp(LinearProgram(lp.c, lp.A, lp.b, "inequality"))
print("transport with >= marginals:", round(at_least.objective, 12), "  with =:", round(primal.objective, 12))

# %% [markdown]
# ## 7. The whole thing in one call
#
# `emd` does all of this and hands over a plan and potentials with an interval that is proved whatever the solver
# did: the plan is repaired until it is feasible, the potentials until they satisfy every constraint.

# %%
result = emd(*example)
print(result)
print(f"slack where mass moves: {result.slackness:.1e}")

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** min 2 x1 + 3 x2 with x1 + x2 >= 4, x1 + 3 x2 >= 6, x >= 0 is 9. Give y = (y1, y2) that proves that it cannot
# be less.
#
# <details><summary>Solution</summary>
#
# Both constraints hold with equality at x = (3, 1), so y solves A'y = c; b'y = 4 * 1.5 + 6 * 0.5 = 9.
#
# ```python
# print(grade("03.1", (1.5, 0.5)))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("03.1", yours))

# %% [markdown]
# **2.** For the prices f = (0, -1, -2), g = (0, 1, 2) on the places 0, 1, 2 with d = |i - j|: on which arcs (i, j)
# may an optimal plan move mass, if these prices are optimal?
#
# <details><summary>Solution</summary>
#
# Complementary slackness: mass moves only where f + g = d, that is from i to every j >= i.
#
# ```python
# print(grade("03.2", [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("03.2", yours))

# %% [markdown]
# **3.** min x^2 with x >= 3: with which multiplier y >= 0 is the minimum of x^2 + y (3 - x) over all x equal to 9?
#
# <details><summary>Solution</summary>
#
# The minimum of x^2 + y (3 - x) lies at x = y / 2 and is 3 y - y^2 / 4, which is largest, 9, at y = 6: the slope of
# x^2 at 3.
#
# ```python
# print(grade("03.3", 6.0))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("03.3", yours))

# %% [markdown]
# ## What was claimed

# %% jupyter={"source_hidden": true}
assert abs(primal.objective - 0.7) < 1e-9 and abs(dual.objective - 0.7) < 1e-9
assert bad.value == -np.inf and bad.index == 0 and [bad.along(s) for s in (1, 10, 1000)] == [-4, -49, -4999]
assert abs(good.value - 0.7) < 1e-9
assert abs(lagrangian(lp, primal.x, dual.y) - lagrangian(lp, np.zeros(9), dual.y)) < 1e-9
assert abs(above - 0.2) < 1e-12
assert max(values) <= 0.7 + 1e-12 and "A'y <= c" in reason
assert abs(loose.gap - 1.06) < 1e-12 and abs(loose.slack_sum - loose.gap) < 1e-12
assert abs(tight.gap) < 1e-9 and tight.optimal()
assert solve_lp(nothing).objective == solve_lp(nothing.dual()).objective == np.inf
assert solve_lp(both).objective == np.inf and solve_lp(both.dual()).objective == -np.inf
assert abs(solve_lp(cover).objective - 9) < 1e-9 and abs(solve_lp(cover.dual()).objective - 9) < 1e-9
assert abs(at_least.objective) < 1e-9
assert result.lower <= 0.7 <= result.upper + 1e-15 and result.gap < 1e-12
assert not grade("03.1", None).full
assert all(grade(name, exercise(name).solution).full for name in ("03.1", "03.2", "03.3"))
