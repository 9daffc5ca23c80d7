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
# # Farkas' lemma, and why the two programs meet
#
# A linear program and its dual,
#
# $$z^* = \min_{x \ge 0}\; c^\top x \;\text{ with }\; Ax = b
# \qquad\text{and}\qquad \max_F \; b^\top F \;\text{ with }\; A^\top F \le c ,$$
#
# are two different problems. Weak duality says that the dual never exceeds the primal: $b^\top F = x^\top A^\top F \le
# x^\top c$. That they are *equal* is proved here with one lemma about cones, used twice. The lemma is proved first,
# each step with its numbers and its picture; then the proof of strong duality runs, in exact arithmetic where rounding
# could hide something.

# %%
from fractions import Fraction

import numpy as np

from otdiv.duality import (
    alpha_conditions,
    box_certificate,
    cone_shape,
    extended_system,
    farkas,
    in_cone,
    in_convex_hull,
    independent_combinations,
    nearest_in_cone,
    separation,
    strong_duality,
    verify_farkas,
)
from otdiv.errors import CertificateRefused
from otdiv.lecture import random_systems, two_points
from otdiv.linear_programming import RationalProgram, solve_lp
from otdiv.plots import figure, plot_alternative, plot_nearest_point, plot_squeeze, plot_strong_duality

# %% [markdown]
# ## 1. Two combinations of vectors
#
# **Definition.** *Convex* combinations $\sum w_i a_i$ of vectors, with $w \ge 0$ and $\sum w_i = 1$, fill their convex
# hull; *conic* ones, with $w \ge 0$ alone, their cone, which reaches from the origin through the hull. `otdiv` answers
# membership with a witness: weights if the point is inside, a functional that separates it if not.
#
# <details><summary>About the slide</summary>
#
# "Convex combinations fill a triangle, conic combinations a cone." Three columns give a triangle only if they are
# affinely independent, and the cone may also be a half-plane or the whole plane.
# </details>

# %%
columns = np.array([[1, 3, 2], [1, 1, 3]])
for point in ([2, 1.5], [4, 4], [1, 3]):
    hull, cone = in_convex_hull(columns, point), in_cone(columns, point)
    print(f"{point}: convex hull {hull.inside!s:5}  cone {cone.inside!s:5}", end="   ")
    print(
        f"weights {hull.weights.round(3)}" if hull.inside else f"separated from the hull by {hull.functional.round(3)}"
    )

# %%
shapes = {
    "a wedge": [[2, 1], [1, 3]],
    "a line": [[1, -1], [0, 0]],
    "a half-plane": [[1, -1, 0], [0, 0, 1]],
    "the plane": [[1, -1, 0], [0, 1, -1]],
}
for words, generators in shapes.items():
    print(f"{words:13} is called {cone_shape(generators).name}")

# %% [markdown]
# ## 2. Farkas' lemma: exactly one of two
#
# **Lemma** (Farkas 1902). For a matrix $A$ with columns $a_1, \dots, a_n$ and a vector $b$ exactly one holds:
#
# 1. $b$ is in the cone of the columns: some $x \ge 0$ has $Ax = b$;
# 2. some $F$ has $A^\top F \le 0$ and $b^\top F > 0$.
#
# Both cannot hold, for then $0 < b^\top F = x^\top A^\top F \le 0$. That one of them *must* hold is the lemma.

# %%
walls = np.array([[2, 1], [1, 3]])
drawing, axes = figure(10.4, 3.8, columns=3)
for axis, b in zip(axes, ([3, 4], [1, -1], [-1, 1]), strict=True):
    plot_alternative(walls, b, farkas(walls, b), reach=4.5, ax=axis)
drawing

# %% [markdown]
# On 400 random systems of three equations in four unknowns, decided in exact arithmetic, one alternative
# holds every time:

# %%
cases = random_systems()
print(f"{cases.count(1)} systems with a solution x >= 0, {cases.count(2)} with a certificate F, {len(cases)} in all")

# %% [markdown]
# ## 3. The proof
#
# **Step 1: the cone is closed.** Every point of the cone is a combination of *linearly independent* columns: take any
# combination; while its columns are dependent, some $v \ne 0$ has $\sum v_i a_i = 0$, and moving the weights along $v$
# until one of them is 0 leaves the point where it is and removes a column (Carathéodory). So the cone is the union of
# the cones of its finitely many sets of independent columns. Each of these is the image of the closed orthant under an
# injective linear map, hence closed; a finite union of closed sets is closed.
#
# Three columns in the plane, dependent as they must be, and a point that they reach in many ways:

# %%
three = [[1, 3, 2], [1, 1, 3]]
sets = independent_combinations(three, [4, 4])
for t in (0, Fraction(1, 2), 1):  # 4 a1, and a combination of a2 and a3, and all between
    weights = [4 * (1 - t), t * Fraction(4, 7), t * Fraction(8, 7)]
    reached = [sum(w * row[k] for k, w in enumerate(weights)) for row in three]
    print("weights", [str(w) for w in weights], "reach", [str(value) for value in reached])
print("by independent columns:", [" and ".join(f"a{k + 1}" for k in one) for one in sets])

# %% [markdown]
# **Step 2: a nearest point.** A closed set has a point $p$ nearest to $b$ (the points of the cone within distance $|b|$
# of $b$ are a compact set, and 0 is one of them). Put $F = b - p$.
#
# **Step 3: $F$ is the witness.** From $p$ one may walk in the direction of any column $a_i$ without leaving the
# cone. Since no step comes nearer, $\frac{d}{dt} |b - p - t a_i|^2 = -2\, a_i^\top F \ge 0$ at $t = 0$: so
# $a_i^\top F \le 0$. From $p$ one may also walk along $p$ itself, both ways: so $p^\top F = 0$. Therefore
#
# $$b^\top F = (p + F)^\top F = |F|^2,$$
#
# which is positive exactly when $b$ is not in the cone. Either $b = p$, alternative 1; or $F$ is alternative 2.
# $\blacksquare$
#
# With its numbers, in fractions:

# %%
targets = ([2, -2], [-2, 2], [3, 4])
nearest = [nearest_in_cone(walls, b) for b in targets]
for b, found in zip(targets, nearest, strict=True):
    p, F, turned = ([str(value) for value in values] for values in (found.point, found.F, found.walls))
    print(f"b = {b}: p = {p}, F = {F}, A'F = {turned}, b'F = |F|^2 = {found.distance_squared}")
drawing, axes = figure(10.4, 3.8, columns=3)
for axis, b, found in zip(axes, targets, nearest, strict=True):
    plot_nearest_point(walls, b, found, reach=4.5, ax=axis)
drawing

# %% [markdown]
# The dotted circle has no point of the cone inside: $p$ is the nearest. Where it touches an edge of the cone, $F$
# stands at a right angle to it.
#
# ## 4. The geometry
#
# $F$ stands at least $\pi/2$ away from every column and less than $\pi/2$ from $b$; the hyperplane $h$ orthogonal
# to $F$ has the cone on one side and $b$ on the other. $F = 0$ is no witness: it would satisfy $b^\top F \ge 0$ for
# every $b$.
#
# <details><summary>About the slide</summary>
#
# "$F$ is more than $\pi/2$ away from every wall, $b^\top F \ge 0$, and $h$ is orthogonal to $b$." It is at *least*
# $\pi/2$; $b^\top F > 0$; and $h$ is orthogonal to $F$.
# </details>

# %%
geometry = separation(walls, [1, -1], [1, -2])
print("angles between F and the walls:", geometry.wall_angles.round(6), "degrees")
print("angle between F and b:         ", round(geometry.b_angle, 6), "degrees")
h = geometry.h[:, 0]
print("h . F =", round(float(h @ [1, -2]), 12), "   h . b =", round(float(h @ [1, -1]), 6))

try:
    verify_farkas(walls, [3, 4], F=[0, 0])
except CertificateRefused as refusal:
    zero_refused = str(refusal)
    print("F = 0:", zero_refused)

# %% [markdown]
# Beside a line the certificate cannot be *more* than a right angle from both walls: they point in opposite
# directions. In a half-plane the same happens along its edge, and when the cone is the whole plane there is no
# outside at all.

# %%
drawing, axes = figure(10.4, 3.8, columns=3)
plot_alternative(shapes["a line"], [0.8, 1], farkas(shapes["a line"], [0.8, 1], exact=True), reach=2, ax=axes[0])
plot_alternative(
    shapes["a half-plane"], [1, -1], farkas(shapes["a half-plane"], [1, -1], exact=True), reach=2, ax=axes[1]
)
plot_alternative(
    shapes["the plane"], [-1, -1.5], farkas(shapes["the plane"], [-1, -1.5], exact=True), reach=2, ax=axes[2]
)
drawing

# %% [markdown]
# ## 5. Strong duality: one more row
#
# **Theorem** (strong duality). If the primal program has a solution and its costs are bounded below, then the least
# cost $z^*$ is attained, the dual is attained too, and $\max b^\top F = z^*$.
#
# That $z^*$ is attained is Step 1 again: the points $(Ax, c^\top x)$ with $x \ge 0$ are a cone of finitely many
# columns, hence closed; so with $(b, z)$ for $z$ as near to $z^*$ as one likes it holds $(b, z^*)$. The rest of this
# notebook proves the equality, on an example that is small enough to be read.
#
# Move $(.5, .5)$ to $(.25, .75)$ on the points 0 and 1: the optimum is $z^* = .25$. The proof adds the cost as one
# more row and asks for a total cost of $z^* - \epsilon$:
#
# $$\hat A = \begin{bmatrix} A \\ -c^\top \end{bmatrix},\qquad
#   \hat b_\epsilon = \begin{bmatrix} b \\ -z^* + \epsilon \end{bmatrix},\qquad
#   \hat F = \begin{bmatrix} F \\ \alpha \end{bmatrix}.$$
#
# At $\epsilon = 0$ the optimal plan solves it: alternative (1), so no $\hat F$ with $\hat A^\top\hat F \le 0$ gains
# anything. All signs are weak: the $\hat F$ below has zeros in both places (strict ones would not do).

# %%
program = two_points()
plan = solve_lp(program).x
A_hat, b_zero = extended_system(program, z=0.25, eps=0)
print("A^ x* - b^(0):       ", A_hat @ plan - b_zero)
print("best gain over F^:   ", round(box_certificate(A_hat, b_zero)[1], 12))
certificate = np.array([0, -1, 0, 1, 1])
print("A^'F^ of (0,-1;0,1;1):", A_hat.T @ certificate, "   b^(0)'F^ =", b_zero @ certificate)

# %% [markdown]
# ## 6. For $\epsilon > 0$ there is a certificate, and $\alpha > 0$
#
# Nothing costs less than $z^*$, so alternative (2) holds: *there exists* an $\hat F$ with
# $\hat A^\top\hat F \le 0$ and $\hat b_\epsilon^\top\hat F > 0$. Since
#
# $$0 < \hat b_\epsilon^\top \hat F = \underbrace{\hat b_0^\top \hat F}_{\le\, 0} + \alpha\,\epsilon ,$$
#
# $\alpha$ must be positive. Scaled to gain 1 it is at least $1/\epsilon$.

# %%
print("   eps   gain of (0,-1;0,1;1)   best gain with alpha <= 0   least alpha at gain 1")
for eps in (0.1, 1.0):
    b_eps = extended_system(program, 0.25, eps)[1]
    conditions = alpha_conditions(program, eps)
    print(f"{eps:6g} {b_eps @ certificate:22.6f} {conditions.gain_without_alpha:27.6f} {conditions.least_alpha:23.6f}")

# %% [markdown]
# Every $\alpha > 0$ occurs in some certificate, because certificates can be scaled; it is not every *pair*
# $(F, \alpha)$ that works. Half of $F^*$ with $\alpha = 1$ lies in the cone, and gains $-.025$ at $\epsilon = .1$ but
# $+.075$ at $\epsilon = .2$:
#
# <details><summary>About the slide</summary>
#
# "For all $\hat F$" should be "there exists"; "not every $\alpha > 0$ works" speaks of pairs.
# </details>

# %%
half = np.array([0, -0.5, 0, 0.5, 1])
gains = {eps: float(extended_system(program, 0.25, eps)[1] @ half) for eps in (0.1, 0.2)}
print(
    "in the cone:", bool((A_hat.T @ half <= 0).all()), "  gains:", {eps: round(gain, 9) for eps, gain in gains.items()}
)

# %% [markdown]
# ## 7. Divide by $\alpha$, and squeeze
#
# Dividing by $\alpha > 0$ keeps both inequalities: $A^\top (F/\alpha) \le c$ and $b^\top (F/\alpha) > z^* - \epsilon$.
# So the supremum of the dual, which weak duality keeps at or below $z^*$, lies in $(z^* - \epsilon, z^*]$, whatever
# $\epsilon$ is. It does not move with $\epsilon$; it is squeezed: it *is* $z^*$. It is attained, by Step 1 once more:
# the points $(A^\top F + s,\; b^\top F)$ with any $F$ and $s \ge 0$ are a cone of finitely many columns ($F$ written as
# the difference of two non-negative vectors), hence closed; it holds $(c, v)$ for values $v$ as near to $z^*$ as one
# likes, hence $(c, z^*)$, and that is an $F$ with $A^\top F \le c$ and $b^\top F = z^*$. $\blacksquare$
#
# For several $\epsilon$: every $t F^*$ with $\alpha = 1$ and $z^* - \epsilon < t z^* \le z^*$ is a certificate. Its
# value may be anywhere in the interval, and the interval closes:

# %%
A_T, best_F = program.A.T, certificate[:-1]
values, admitted = {}, []
for eps in (0.2, 0.1, 0.05, 0.025):
    values[eps] = []
    for share in np.linspace(0.02, 1, 6):
        F = (1 - eps / 0.25 * (1 - share)) * best_F
        admitted.append((program.c + 1e-12 >= A_T @ F).all() and program.b @ F > 0.25 - eps)  # in the cone, a gain
        values[eps].append(float(program.b @ F))
plot_squeeze(0.25, values)

# %% [markdown]
# A solver finds these certificates down to its tolerance. Below that it takes the infeasible system for a feasible
# one, so `otdiv` builds the certificate $(F^*, 1)$ and verifies it in rational arithmetic: no tolerance at all.

# %%
proof = strong_duality(program, [1, 0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
print("    eps     gain      alpha   b'F/alpha   certificate")
for step in proof.steps:
    eps, gain, alpha, value = (float(number) for number in (step.eps, step.gain, step.alpha, step.value))
    print(f"{eps:7.0e} {gain:9.1e} {alpha:8.3g} {value:10.6f}   {step.certificate}")

plot_strong_duality(proof)

# %% [markdown]
# With exact numbers the same proof runs at any $\epsilon$. Three points, $p_g = (1/5, 1/5, 3/5)$,
# $p_r = (1/2, 3/10, 1/5)$, and $\epsilon = 10^{-40}$:

# %%
A = np.vstack(
    [np.kron(np.eye(3, dtype=int), np.ones(3, dtype=int)), np.kron(np.ones(3, dtype=int), np.eye(3, dtype=int))]
)
exact = RationalProgram([0, 1, 2, 1, 0, 1, 2, 1, 0], A, ["1/5", "1/5", "3/5", "1/2", "3/10", "1/5"])
tiny = strong_duality(exact, [Fraction(1, 10**40)])
step = tiny.steps[0]
print(
    f"z* = {step.z_star}, b'F/alpha = {step.value}, gain = eps: {step.gain == step.eps}, all claims hold: {step.holds}"
)

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** The columns of A are (2, 1) and (1, 3). Give F that proves that b = (2, -1) is not in their cone.
#
# <details><summary>Solution</summary>
#
# F must have no positive product with (2, 1) and (1, 3), and one with (2, -1): F = (1, -2) has 0, -5 and 4.
#
# ```python
# print(grade("04.1", [1.0, -2.0]))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("04.1", yours))

# %% [markdown]
# **2.** Give x >= 0 that proves that b = (4, 7) is in it.
#
# <details><summary>Solution</summary>
#
# 1 (2, 1) + 2 (1, 3) = (4, 7).
#
# ```python
# print(grade("04.2", [1.0, 2.0]))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("04.2", yours))

# %% [markdown]
# **3.** Which point k of the cone is nearest to b = (1, -1)? (F = b - k then separates.)
#
# <details><summary>Solution</summary>
#
# On the ray of (2, 1) the nearest point is t (2, 1) with t = b.(2, 1) / 5 = 1 / 5; b - k = (0.6, -1.2) is orthogonal
# to it.
#
# ```python
# print(grade("04.3", [0.4, 0.2]))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("04.3", yours))

# %% [markdown]
# ## What was claimed

# %% jupyter={"source_hidden": true}
assert in_convex_hull(columns, [2, 1.5]).inside and in_cone(columns, [4, 4]).inside
assert not in_convex_hull(columns, [4, 4]).inside and not in_cone(columns, [1, 3]).inside
assert [cone_shape(generators).name for generators in shapes.values()] == ["wedge", "line", "half-plane", "plane"]
assert farkas(walls, [3, 4]).alternative == 1 and farkas(walls, [1, -1]).alternative == 2
assert (cases.count(1), cases.count(2)) == (124, 276)
assert np.allclose(geometry.wall_angles, [90, 135]) and geometry.b_angle < 90
assert abs(h @ [1, -2]) < 1e-12 and abs(h @ [1, -1]) > 0.4
assert "must be positive" in zero_refused
assert sets == [(0,), (1, 2)] and reached == [4, 4]
assert [found.inside for found in nearest] == [False, False, True]
assert all(max(found.walls) <= 0 for found in nearest) and nearest[0].distance_squared == Fraction(36, 5)
assert (np.array(shapes["a line"]).T @ farkas(shapes["a line"], [0, 1], exact=True).F == 0).all()
assert farkas(shapes["the plane"], [-1, -1.5], exact=True).inside
assert np.abs(A_hat @ plan - b_zero).max() < 1e-12 and b_zero @ certificate == 0
assert gains[0.1] < 0 < gains[0.2] and (A_hat.T @ half <= 0).all()
assert len(admitted) == 24 and all(admitted)
assert all(0.25 - eps < min(found) and max(found) <= 0.25 + 1e-12 for eps, found in values.items())
assert proof.holds and all(step.alpha > 0 for step in proof.steps)
assert [step.certificate for step in proof.steps] == ["solver"] * 5 + ["constructed"] * 3
assert abs(float(proof.upper - proof.lower)) < 1e-9
assert tiny.holds and step.value == step.z_star == Fraction(7, 10)
assert not grade("04.1", None).full
assert all(grade(name, exercise(name).solution).full for name in ("04.1", "04.2", "04.3"))
