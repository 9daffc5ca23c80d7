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
# # How far apart are two samples?
#
# A distance of two *distributions* is a number. What people have are two *samples*, and the distance of samples is
# something else: it is too large on average, it has noise, and for KL it is usually infinite. This notebook shows
# what can be said all the same: the bias and its floor, intervals, tests, and how both fade as the dimension grows.
# The data are measurements of 569 tumours, benign and malignant, that scikit-learn ships. The last cell checks every
# claim.

# %%
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from otdiv import DiscreteMeasure, compare, emd, kl, wasserstein
from otdiv.estimators import companion_distances, estimate_divergence, estimate_wasserstein
from otdiv.plots import plot_intervals, plot_lines
from otdiv.two_sample import column_tests, two_sample_test

rng = np.random.default_rng(12)
data = load_breast_cancer()
names = [str(name).replace("mean ", "") for name in data.feature_names[:10]]
malignant, benign = data.data[data.target == 0, :10], data.data[data.target == 1, :10]
print(f"{len(benign)} benign and {len(malignant)} malignant tumours, {len(names)} measurements each")

# %% [markdown]
# ## 1. The distance of two samples is never zero
#
# Divide the benign tumours into two halves at random. Both come from one distribution, so their distance *is* zero.
# The exact transport distance of the halves is not: moving 179 points onto 178 others costs something. That cost is
# the **floor**, and it depends on the number of points and on the dimension.

# %%
z = benign - benign.mean(axis=0)
z = z / z.std(axis=0)


def halves(points, n):
    """Two random samples of n rows without a row in common."""
    order = rng.permutation(len(points))
    return points[order[:n]], points[order[n : 2 * n]]


sizes = (20, 40, 80, 170)
floors = {
    d: [np.mean([emd(*(h[:, :d] for h in halves(z, n))).value for _ in range(20)]) for n in sizes] for d in (1, 3, 10)
}
rates = {d: float(np.polyfit(np.log(sizes), np.log(floor), 1)[0]) for d, floor in floors.items()}
print("slope in the double logarithm:", {d: round(rate, 2) for d, rate in rates.items()})
plot_lines(
    sizes,
    {f"d = {d}": floor for d, floor in floors.items()},
    title="W1 between halves of one sample",
    names=("points in each half", "W1 of two halves"),
    scales=("log", "log"),
)

# %% [markdown]
# On the line the floor falls like $n^{-1/2}$, in $d > 2$ dimensions like $n^{-1/d}$. Here the slope in ten dimensions
# is about $-1/5$ rather than $-1/10$, since the measurements hang together and leave some five free directions;
# still, to halve the floor takes thirty times the data. This is the curse of dimension, and no exact solver lifts it:
# the value that it computes *is* the distance of the samples.
#
# ## 2. An estimate with an interval
#
# So beside the exact value belong its floor and an interval about the distance of the *distributions*. `otdiv` says
# in each case what the interval rests on.

# %%
radius = benign[:, 0], malignant[:, 0]
line = estimate_wasserstein(*radius, rng=0)
print(line)
print()
print("exact, of the samples:", wasserstein(*radius))

# %% [markdown]
# Does such an interval hold? Take tumours for which the truth is known: draw from the 357 benign radii, with
# replacement, as if they were the whole world, and from the malignant ones. The distance of those two worlds is the
# exact value above; an interval of nominal 95 % should cover it in about 95 of 100 draws.

# %%
truth = wasserstein(*radius).value
draws = [estimate_wasserstein(rng.choice(radius[0], 60), rng.choice(radius[1], 60), rng=0) for _ in range(60)]
covered = np.array([draw.lower <= truth <= draw.upper for draw in draws])
plot_intervals(
    {f"draw {k}": (draw.lower, draw.upper) for k, draw in enumerate(draws)},
    truth=truth,
    title=f"{covered.sum()} of {len(covered)} intervals of 60 + 60 radii hold the truth (dotted)",
    name="distance",
)

# %% [markdown]
# ## 3. KL and JS from samples
#
# On the raw points KL is infinite, since no two tumours have the same measurements, and JS is $\log 2$. Both say
# nothing. A classifier that tells the samples apart estimates $\log p/q$, and with it every f-divergence of the
# distributions: it is the discriminator of a GAN, cross-fitted so that it is judged on points that it has not seen.

# %%
pair = benign[:, :3], malignant[:, :3]
raw = kl(DiscreteMeasure(pair[0]), DiscreteMeasure(pair[1]))
print("KL of the raw points:", raw, "-", raw.reason)
js_found = estimate_divergence(*pair, "js", rng=0)
print(js_found)

# %% [markdown]
# The two-sided interval rests on an assumption, and has to: no upper bound on a divergence can hold for all
# distributions. The lower bound beside it rests on nothing but independent draws.
#
# ## 4. Is there a difference at all? Tests
#
# A permutation test asks how often a random division of the pooled rows would give a statistic as large. Its p-value
# is $(1 + \#)/(1 + B)$, valid for every sample size. With halves of one sample p is uniform; with two kinds of tumour
# it is as small as it can be.

# %%
same = [two_sample_test(*halves(z[:, :3], 60), "energy", permutations=99, rng=k).p_value for k in range(60)]
different = two_sample_test(*pair, "energy", permutations=999, rng=0)
print(different)
print(f"p <= 0.05 in {np.mean(np.array(same) <= 0.05):.0%} of 60 divisions of one sample")
ranked = column_tests(benign, malignant, permutations=999, rng=0)
print(ranked)

# %% [markdown]
# ## 5. Other distances have other floors
#
# Sliced, energy and MMD distances are cheaper, and their floors fall like $n^{-1/2}$ in every dimension. They see
# less: beside each stands what it shows without a difference.

# %%
companions = companion_distances(z[:170], (malignant - benign.mean(axis=0)) / benign.std(axis=0), rng=0)
print(companions)

# %% [markdown]
# ## 6. One answer
#
# For tables all of this comes together: whether (p, adjusted for all columns), how much (with interval), where.

# %%
answer = compare(pd.DataFrame(benign, columns=names), pd.DataFrame(malignant, columns=names))
print(answer)

# %% [markdown]
# ## 7. Every claim above, checked

# %% jupyter={"source_hidden": true}
assert all(floor[-1] > 0 for floor in floors.values())
assert rates[1] < -0.35 and rates[10] > -0.25 and rates[1] < rates[3] < rates[10]
assert line.lower < truth < line.upper and truth > 4
assert covered.mean() >= 0.85
assert raw == np.inf and "mass 1 " in raw.reason
assert 0 < js_found.lower <= js_found.value <= js_found.upper <= np.log(2)
assert js_found.lower_bound.value > 0.1
assert different.p_value == 1 / 1000 and np.mean(np.array(same) <= 0.05) <= 0.15
assert ranked.rows[0].adjusted_p <= 0.01
assert answer.p_value < 1e-20 and len(answer.changed()) >= 8
print("every claim holds")
