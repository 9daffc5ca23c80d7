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
# # Exact transport at scale: the interval closes
#
# The transport distance of $n$ points and $m$ points is the least cost of a plan, a linear program with a variable for
# each *arc*, each pair of a source and a target. With $n\,m$ of them it seems hopeless for 100 000 points: ten thousand
# million variables. Two theorems of linear programming make it possible.
#
# * *An optimal plan needs few arcs.* The plan has $n + m$ sums to respect, of which one follows from the others. If
# more   than $n + m - 1$ arcs carry mass, then some change along them leaves all sums as they are; go along it in the
# direction that does not cost more until an arc is empty. So some optimal plan uses at most $n + m - 1$ arcs. * *Prices
# prove it for all arcs at once.* If $f(x) + g(y) \le d(x, y)$ for **all** pairs, with equality wherever mass   moves,
# then no plan is cheaper, whatever arcs it uses (complementary slackness).
#
# The multiscale method searches for the arcs that matter, solves on those alone, and then *prices* all the others: an
# arc that violates $f + g \le d$ joins, and when none does, the answer is proved optimal.
#
# This notebook shows how the proved interval closes, how the number of arcs grows, and what an answer
# is worth when one stops early.

# %%
import time

import numpy as np

from otdiv import emd, emd_images
from otdiv.plots import figure, plot_bars, plot_image_transport, plot_lines, plot_rounds

rng = np.random.default_rng(0)


def clouds(n):
    """Two Gaussian clouds in the plane, the second shifted."""
    return rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) + 0.5


for method in ("multiscale", "pot"):  # kernels compile once on a machine, packages load once
    emd(*clouds(500), method=method)
x, y = clouds(4000)

# %% [markdown]
# ## 1. The interval closes
#
# After every round the method can say what it has proved: the plan so far bounds the distance from
# above, the potentials so far from below. Coarse scales come first, where clusters stand for their
# points; they only prepare the ground. The rounds below are those at the scale of the points themselves.

# %%
rounds = []
result = emd(x, y, method="multiscale", progress=rounds.append)
print(result)
print(f"{len(rounds)} rounds, {rounds[-1].counts['arcs']} arcs at the end instead of {len(x) * len(y)}")

# %%
plot_rounds(rounds, result.value)

# %% [markdown]
# ## 2. Where the time goes
#
# Equal masses are matched: sources bid for targets with a tolerance that falls from round to round (an
# auction), and what is left over finds its target along augmenting paths. Everything else is the search
# for arcs: candidates under the potentials of the coarser scale, and pricing, the scan of all pairs that
# ends in the proof. With unequal masses the flow lives on a spanning tree instead.

# %%
spent = result.stats["parts"]
plot_bars({"All scales together": {part: 1e3 * seconds for part, seconds in spent.items()}}, unit="milliseconds")

# %% [markdown]
# ## 3. Stopping early
#
# A time limit (or Ctrl-C) hands over the interval that is proved by then. It may be wide; it is never
# wrong.

# %%
limits = [0.0, 0.02, 0.05, 0.1, 1.0]
stopped = [emd(x, y, method="multiscale", time_limit=limit) for limit in limits]
for limit, answer in zip(limits, stopped, strict=True):
    print(f"{limit:5.2f} s: [{answer.lower:.6f}, {answer.upper:.6f}]  {answer.status.label}")

# %% [markdown]
# ## 4. How the work grows
#
# The full cost matrix grows with $n^2$; the arcs that are ever looked at closely grow little faster than
# $n$. POT's dense network simplex stands beside it for the smaller sizes (the times are this machine's;
# `benchmarks/` has the careful ones).

# %%
sizes = [500, 1000, 2000, 4000, 8000]
arcs, ours, dense, apart = [], [], [], []
for n in sizes:
    x_n, y_n = clouds(n)
    start = time.perf_counter()
    answer = emd(x_n, y_n, method="multiscale")
    ours.append(time.perf_counter() - start)
    arcs.append(answer.stats["arcs"])
    if n <= 2000:
        start = time.perf_counter()
        other = emd(x_n, y_n, method="pot")
        dense.append(time.perf_counter() - start)
        apart.append(abs(other.value - answer.value) / answer.value)
print("largest relative difference of the two values:", max(apart))

# %%
drawing, (left, right) = figure(9.6, 3.8, columns=2)
points, both = "points on each side", ("log", "log")
numbers = {"arcs of the solver": arcs, "all pairs, n²": np.square(sizes)}
plot_lines(sizes, numbers, title="How many arcs it takes", names=(points, "arcs"), scales=both, ax=left)
times = {"multiscale": ours, "dense network simplex (POT)": (sizes[: len(dense)], dense)}
plot_lines(sizes, times, title="How long it takes", names=(points, "seconds"), scales=both, ax=right)
drawing

# %% [markdown]
# ## 5. A reference value without any solver
#
# **Theorem.** If $y_i = x_i + v$, the distance is exactly $|v|$, for any number of points and after any shuffling.
#
# *Proof.* Moving every point by $v$ costs $|v|$ on average. No plan costs less: with $h(z) = -z \cdot v / |v|$ the
# prices $f = h$, $g = -h$ satisfy $f(x) + g(y) = (y - x) \cdot v/|v| \le |y - x|$ for every pair, and they earn the
# mean of $(y_i - x_i) \cdot v / |v| = |v|$. $\blacksquare$

# %%
v = np.array([0.3, -0.4])
points = rng.normal(size=(5000, 2))
shifted = emd(points, (points + v)[rng.permutation(5000)], method="multiscale")
print(shifted)

# %% [markdown]
# ## 6. Images: the grid is the graph
#
# With the 1-norm the distance of two pixels is the length of a path along the edges of the grid. So the
# transport of one image into another is a flow from pixel to pixel: 4 arcs for each pixel instead of one
# for each pair. The paths of the flow are the plan, and its potential, 1-Lipschitz along every edge, is
# the proof.

# %%
rows, columns = np.indices((48, 48)) / 48


def blobs(places):
    """A smooth image with a spot at each place."""
    return sum(np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / 0.01) for r, c in places)


first, second = blobs([(0.5, 0.45), (0.2, 0.8)]), blobs([(0.2, 0.2), (0.8, 0.6), (0.45, 0.9)])
moved = emd_images(first, second, cost="cityblock", normalize=True)
same = emd_images(first, second, cost="cityblock", normalize=True, method="multiscale")
print(moved)
print(moved.stats["reason"], "-", moved.stats["arcs"], "arcs instead of", first.size * second.size)

# %%
plot_image_transport(first, second, moved)

# %% [markdown]
# ## Exercises
#
# `grade(name, answer)` hands an answer to the checker that proves it: full marks where the interval that it proves
# is closed; else it says what is violated, and where. Put your own in the place of `None`
# before you open a solution.

# %% [markdown]
# **1.** Sources 0.3, 2.1, 1.2, 3.5 and targets 4.0, 0.9, 2.6, 1.7 on the line, equal masses: give the target of each
# source in a cheapest assignment.
#
# <details><summary>Solution</summary>
#
# Sorted sources go to sorted targets.
#
# ```python
# print(grade("06.1", [1, 2, 3, 0]))
# ```
# </details>

# %%
from otdiv.exercises import exercise, grade

yours = None  # your answer
print(grade("06.1", yours))

# %% [markdown]
# **2.** A cloud in the plane is moved by (3, 4). Give a function of points [n, 2] that proves, at a million points as
# at five, that the distance is 5.
#
# <details><summary>Solution</summary>
#
# The projection on the direction of the shift, with the sign that makes the first cloud the higher one.
#
# ```python
# print(grade("06.2", lambda x: -x @ np.array([3.0, 4.0]) / 5))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("06.2", yours))

# %% [markdown]
# **3.** How many gigabytes (10^9 bytes) does the matrix of costs between 100 000 and 100 000 points take in float64?
#
# <details><summary>Solution</summary>
#
# 10^5 * 10^5 * 8 bytes = 8 * 10^10.
#
# ```python
# print(grade("06.3", 80.0))
# ```
# </details>

# %%
yours = None  # your answer
print(grade("06.3", yours))

# %% [markdown]
# ## What this notebook claimed

# %% jupyter={"source_hidden": true}
assert result.gap <= 1e-9 * result.value and result.status.label == "optimal"
assert set(spent) == {"candidates", "auction", "augmenting paths", "pricing", "arc lists"}
assert max(apart) < 1e-9
assert rounds[-1].counts["arcs"] < 0.02 * len(x) * len(y)
assert all(r.lower <= result.upper and r.upper >= result.lower for r in rounds)
assert all(s.lower <= result.upper and s.upper >= result.lower for s in stopped)
assert arcs[-1] / arcs[0] < 4 * sizes[-1] / sizes[0]
assert abs(shifted.value - 0.5) < 1e-9 and shifted.lower <= 0.5 + 1e-12 and shifted.upper >= 0.5 - 1e-12
assert moved.method == "grid" and abs(moved.value - same.value) <= 1e-9 * same.value
assert moved.stats["arcs"] < 0.01 * first.size * second.size
assert not grade("06.1", None).full
assert all(grade(name, exercise(name).solution).full for name in ("06.1", "06.2", "06.3"))
