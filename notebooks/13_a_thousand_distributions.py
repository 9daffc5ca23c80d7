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
# # A thousand distributions
#
# Two distributions have a distance; a thousand have a **matrix** of 499 500 distances, and with it everything that
# works on distances: maps, clusters, neighbours. This notebook takes a thousand small pieces of two photographs, which
# scikit-learn ships, as distributions of colour, computes all their Wasserstein distances exactly, each with its
# certificate, and uses the matrix. The last cell checks every claim.

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from scipy.cluster.hierarchy import dendrogram, fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from otdiv import emd, pairwise
from otdiv.embedding import HistogramLandmarks, HistogramMetric

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
rng = np.random.default_rng(13)
photos = {name: load_sample_image(f"{name}.jpg") / 255.0 for name in ("china", "flower")}

# %% [markdown]
# ## 1. A piece of a photograph as a distribution
#
# A piece of 20 x 20 pixels is cut into 16 squares; the mean colours of these are 16 points in the cube of red, green
# and blue, of mass 1/16 each. Where in the piece a colour stands is forgotten: two pieces are near when little colour
# has to be changed to turn one into the other. The unit of distance is the edge of the cube, from no light to all.

# %%
SIDE, SQUARE = 20, 5


def pieces_of(photo, count):
    """Random ones of the tiles [count, 20, 20, 3]."""
    rows, columns = photo.shape[0] // SIDE, photo.shape[1] // SIDE
    tiles = photo[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2)
    tiles = tiles.reshape(-1, SIDE, SIDE, 3)
    return tiles[np.sort(rng.choice(len(tiles), count, replace=False))]


pieces = np.concatenate([pieces_of(photo, 500) for photo in photos.values()])
origin = np.repeat([0, 1], 500)
squares = pieces.reshape(1000, SIDE // SQUARE, SQUARE, SIDE // SQUARE, SQUARE, 3).mean(axis=(2, 4))
colours = squares.reshape(1000, 16, 3)

fig, axes = plt.subplots(1, 3, figsize=(9, 2.9), width_ratios=(3, 3, 3))
for ax, (name, photo) in zip(axes, photos.items(), strict=False):
    ax.imshow(photo)
    ax.set(title=name, xticks=[], yticks=[])
one = int(np.argmax(colours.std(axis=1).sum(axis=1)))
axes[2].imshow(pieces[one], extent=(0, 4, 0, 4))
axes[2].imshow(squares[one], extent=(4.4, 8.4, 0, 4))
axes[2].set(xlim=(0, 8.4), ylim=(0, 4), xticks=[], yticks=[], title="one piece and its 16 colours")
axes[2].spines[:].set_visible(False)
plt.show()

# %% [markdown]
# ## 2. All 499 500 distances, each proved
#
# One call. Small problems are solved in compiled batches, each pair once; with a folder as `store` the blocks are kept
# as they come, and the same call goes on where an interruption has left it. `scheduler="tcp://..."` would send the
# same blocks to the workers of a dask cluster, with the same bits.

# %%
with tempfile.TemporaryDirectory() as folder:
    distances = pairwise(colours, store=folder)
    again = pairwise(colours, store=folder)  # nothing is computed: every block is read
print(distances)
widest = np.max(distances.upper - distances.lower)
print(f"widest interval {widest:.1e}, median distance {np.median(distances.values):.3f}")
print(f"{distances.seconds:.1f} s, from the folder {again.seconds:.1f} s")
W = distances.values

# %% [markdown]
# The mean colours give a lower bound: whatever the plan, moving one cloud onto the other moves its mean, so
# $|\bar x - \bar y| \le W_1$. How much do the distributions say beyond their means?

# %%
means = colours.mean(axis=1)
between_means = np.linalg.norm(means[:, None] - means, axis=2)
i, j = np.triu_indices(1000, 1)
fig, ax = plt.subplots(figsize=(5.0, 4.0))
picked = rng.choice(len(i), 6000, replace=False)
ax.plot(between_means[i, j][picked], W[i, j][picked], ".", ms=2, color=BLUE, alpha=0.4)
ax.plot([0, 1.6], [0, 1.6], color=ORANGE, lw=1, label="equal")
ax.set(xlabel="distance of the mean colours", ylabel="W1 of the colours", title="6000 pairs of pieces")
ax.legend()
plt.show()
near_means = between_means[i, j] < 0.05
print(f"of {near_means.sum()} pairs with nearly one mean colour W1 goes up to {W[i, j][near_means].max():.2f}")

# %% [markdown]
# ## 3. A map
#
# Classical scaling looks for points in the plane with these distances: the two leading eigenvectors of the doubly
# centred squares. Each piece is drawn where its distribution lies.

# %%
squared = W**2
centred = -0.5 * (squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean())
eigenvalues, vectors = np.linalg.eigh(centred)
place = vectors[:, [-1, -2]] * np.sqrt(eigenvalues[[-1, -2]])
explained = eigenvalues[[-1, -2]].sum() / eigenvalues[eigenvalues > 0].sum()
fitted = np.linalg.norm(place[:, None] - place, axis=2)
correlation = float(np.corrcoef(fitted[i, j], W[i, j])[0, 1])
fig, ax = plt.subplots(figsize=(9, 6.5))
for k in rng.permutation(1000):
    x, y = place[k]
    ax.imshow(pieces[k], extent=(x - 0.013, x + 0.013, y - 0.013, y + 0.013), zorder=2)
low, high = place.min(axis=0) - 0.03, place.max(axis=0) + 0.03
ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xlabel="first coordinate", ylabel="second")
ax.set(title="A thousand pieces by the distance of their colours")
plt.show()
print(f"the plane holds {explained:.0%} of the spread; correlation of distances {correlation:.3f}")
print(f"most negative eigenvalue over the largest: {eigenvalues[0] / eigenvalues[-1]:.3f}")

# %% [markdown]
# The plane is a good map, though not an exact one: $W_1$ in three dimensions is no Euclidean distance, which the
# negative eigenvalues show.
#
# ## 4. Clusters and neighbours
#
# Hierarchical clustering needs nothing but the matrix. So do nearest neighbours: which photograph does a piece come
# from? Each one is asked of its five nearest others.

# %%
tree = linkage(squareform(W, checks=False), "average")
clusters = fcluster(tree, 6, "maxclust")
order = np.argsort(-np.bincount(clusters)[1:]) + 1
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), width_ratios=(1.1, 1))
dendrogram(tree, truncate_mode="lastp", p=24, ax=axes[0], no_labels=True, color_threshold=0, above_threshold_color=GREY)
axes[0].set(ylabel="W1", title="average linkage, last 24 merges")
for row, cluster in enumerate(order):
    members = np.flatnonzero(clusters == cluster)
    inner = members[np.argsort(W[np.ix_(members, members)].sum(axis=1))]
    for column, k in enumerate(inner[:: max(1, len(inner) // 10)][:10]):
        axes[1].imshow(pieces[k], extent=(column, column + 0.92, -row - 0.92, -row))
    axes[1].text(10.2, -row - 0.6, f"{len(members)}", color=GREY)
axes[1].set(xlim=(0, 11.5), ylim=(-6, 0), xticks=[], yticks=[], title="six clusters: from the centre outwards, size")
axes[1].spines[:].set_visible(False)
plt.show()

neighbours = KNeighborsClassifier(5, metric="precomputed")
by_colours = cross_val_score(neighbours, W, origin, cv=10).mean()
by_means = cross_val_score(neighbours, between_means, origin, cv=10).mean()
print(f"photograph found by five neighbours: {by_colours:.1%} by W1, {by_means:.1%} by the mean colours")

# %% [markdown]
# ## 5. Distances as coordinates
#
# A matrix grows with the square of the number of distributions. A few **landmarks** grow with the number: each
# distribution is described by its distances to 40 of them, and any classifier takes it from there. The data are 1797
# digits of 8 x 8 pixels; a digit is two histograms of ink, over its rows and over its columns, on the line.

# %%
images, digits = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8)
columns, rows = images.sum(axis=1), images.sum(axis=2)
classifier = LogisticRegression(max_iter=5000, C=10)
scores = {
    name: cross_val_score(make_pipeline(HistogramLandmarks(40, normalize=True), classifier), ink, digits, cv=3).mean()
    for name, ink in (("columns", columns), ("rows", rows))
}
landmarks = [HistogramLandmarks(40, normalize=True).fit(ink) for ink in (columns, rows)]
both = np.hstack([found.transform(ink) for found, ink in zip(landmarks, (columns, rows), strict=True)])
scores["both"] = cross_val_score(classifier, both, digits, cv=3).mean()
print("digits found:", {name: f"{score:.0%}" for name, score in scores.items()}, "(chance: 10%)")
print(f"every digit's columns have a landmark within {landmarks[0].radius_:.2f} columns")

# %% [markdown]
# ## 6. Every claim above, checked

# %% jupyter={"source_hidden": true}
assert distances.certified.all() and widest < 1e-9
assert (again.values == W).all() and again.seconds < distances.seconds
assert (W == W.T).all() and not np.diag(W).any()
assert (W - between_means > -1e-12).all()
for a, b in rng.integers(0, 1000, size=(20, 2)):  # one by one, by the general solver
    single = emd(colours[a], colours[b])
    assert single.bounds.lower - 1e-12 <= W[a, b] <= single.bounds.upper + 1e-12
a, b, c = rng.integers(0, 1000, size=(3, 20000))
assert (W[a, c] <= W[a, b] + W[b, c] + 1e-12).all()  # a metric
assert W[i, j][near_means].max() > 0.2
assert correlation > 0.95 and -0.2 < eigenvalues[0] / eigenvalues[-1] < -1e-3
assert by_colours > by_means > 0.8
metric = HistogramMetric(normalize=True)
assert abs(metric(columns[0], columns[1]) - metric.matrix(columns[:2])[0, 1]) < 1e-12
to_landmarks = metric.matrix(columns, landmarks[0].landmarks_)
assert abs(to_landmarks.min(axis=1).max() - landmarks[0].radius_) < 1e-12
assert scores["both"] > max(scores["columns"], scores["rows"]) > 0.3
print("every claim holds")
