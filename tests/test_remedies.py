"""What an error says to do works when it is done, literally, in Python and on the command line."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import otdiv
from otdiv import DiscreteMeasure, compare, emd, js, kl, lipschitz, wasserstein
from otdiv.cli.main import main
from otdiv.costs import CallableCost, MatrixCost
from otdiv.divergences import energy_distance, kolmogorov_smirnov, renyi
from otdiv.duality import solve_game
from otdiv.errors import InvalidInput
from otdiv.linear_programming import LinearProgram, RationalProgram, solve_lp

X, Y = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [3.0, 0.0]])
A, B = np.array([0.5, 0.5]), np.array([1.0, 3.0])
BIG = 2**53 + 2
FRAME = pd.DataFrame({"age": [1.0, 2.0], "income": [3.0, 4.0]})
COLOURS = np.array([[[0, 10, 20], [30, 40, 50]]], dtype=float)


def one_pair(u, v):
    return float(np.abs(u - v).sum())


REMEDIES = {
    "weights of different totals": (
        lambda: emd(X, Y, A, B),
        "Pass normalize=True",
        lambda: emd(X, Y, A, B, normalize=True),
    ),
    "the same, corrected": (lambda: emd(X, Y, A, B), "correct the weights", lambda: emd(X, Y, A, B / B.sum())),
    "probabilities for W": (
        lambda: wasserstein(X, Y, B, B),
        "Pass normalize=True",
        lambda: wasserstein(X, Y, B, B, normalize=True),
    ),
    "other masses for W": (lambda: wasserstein(X, Y, B, B), "for other masses use emd", lambda: emd(X, Y, B, B)),
    "no metric": (
        lambda: wasserstein(X, Y, metric="sqeuclidean"),
        "For another cost use emd",
        lambda: emd(X, Y, cost="sqeuclidean"),
    ),
    "a metric for compare": (
        lambda: compare(X, Y, metric="sqeuclidean"),
        "For other costs use emd",
        lambda: emd(X, Y, cost="sqeuclidean"),
    ),
    "energy, totals": (
        lambda: energy_distance(X, Y, A, B),
        "Pass normalize=True",
        lambda: energy_distance(X, Y, A, B, normalize=True),
    ),
    "one coordinate at a time": (
        lambda: kolmogorov_smirnov(X, Y),
        "Compare one coordinate at a time",
        lambda: kolmogorov_smirnov(X[:, 0], Y[:, 0]),
    ),
    "a pmf that does not sum to 1": (
        lambda: kl(B, B),
        "Pass normalize=True",
        lambda: kl(B, B, normalize=True),
    ),
    "pmfs of two lengths": (
        lambda: js([0.5, 0.5], [0.2, 0.3, 0.5]),
        "with 0 where one has no mass",
        lambda: js([0.5, 0.5, 0.0], [0.2, 0.3, 0.5]),
    ),
    "a pmf and a measure": (
        lambda: js([0.5, 0.5], DiscreteMeasure(X)),
        "two DiscreteMeasure",
        lambda: js(DiscreteMeasure(X, [0.5, 0.5]), DiscreteMeasure(X)),
    ),
    "a table as a pmf": (
        lambda: js(np.full((2, 2), 0.25), np.full((2, 2), 0.25)),
        "ravel a table",
        lambda: js(np.full((2, 2), 0.25).ravel(), np.full((2, 2), 0.25).ravel()),
    ),
    "a base": (lambda: kl(A, A, base=1), "Use 2 for bits", lambda: kl(A, A, base=2)),
    "a negative order": (
        lambda: renyi(A, [0.25, 0.75], -1.0),
        "exchange p and q",
        lambda: renyi([0.25, 0.75], A, 2.0),
    ),
    "masked": (
        lambda: emd(np.ma.masked_greater(X, 0.5), Y),
        "Drop or fill the masked rows",
        lambda: emd(np.ma.masked_greater(X, 0.5).filled(0.0), Y),
    ),
    "complex": (lambda: emd(X + 0j, Y), "Convert it to float64", lambda: emd((X + 0j).real.astype(np.float64), Y)),
    "large integers": (
        lambda: emd([[BIG], [BIG + 1]], [[BIG + 2], [BIG + 3]]),
        "Subtract an offset",
        lambda: emd(np.array([[BIG], [BIG + 1]]) - BIG, np.array([[BIG + 2], [BIG + 3]]) - BIG),
    ),
    "NaN": (
        lambda: emd([[0.0], [math.nan]], [[1.0]]),
        "Remove or repair that entry",
        lambda: emd([[0.0]], [[1.0]]),
    ),
    "ragged": (
        lambda: emd([[0.0], [1.0, 2.0]], X),
        "Give every row the same length",
        lambda: emd([[0.0, 0], [1, 2]], X),
    ),
    "three dimensions": (
        lambda: emd(np.zeros((2, 2, 2)), np.zeros((2, 4))),
        "Reshape it so that each row is a point",
        lambda: emd(np.zeros((2, 2, 2)).reshape(2, -1), np.zeros((2, 4))),
    ),
    "too few weights": (lambda: emd(X, Y, [1.0]), "or None for uniform weights", lambda: emd(X, Y, None)),
    "signed": (
        lambda: emd(X, Y, [1.5, -0.5]),
        "split signed data into two measures",
        lambda: emd(X, Y, np.maximum([1.5, -0.5], 0), normalize=True),
    ),
    "other columns": (
        lambda: emd(FRAME, FRAME.rename(columns={"age": "height"})),
        "Rename or select them",
        lambda: emd(FRAME, FRAME.rename(columns={"age": "height"}).rename(columns={"height": "age"})),
    ),
    "columns without names": (
        lambda: emd(FRAME, FRAME.rename(columns={"age": "height"})),
        "arrays without names are compared by position",
        lambda: emd(FRAME.to_numpy(), FRAME.rename(columns={"age": "height"}).to_numpy()),
    ),
    "other dimensions": (
        lambda: emd(X, [[0.0], [1.0]]),
        "Select the same columns of both",
        lambda: emd(X[:, :1], [[0.0], [1.0]]),
    ),
    "text columns": (
        lambda: emd(FRAME.assign(name=["a", "b"]), FRAME),
        "Select the numeric columns",
        lambda: emd(FRAME.assign(name=["a", "b"]).select_dtypes("number"), FRAME),
    ),
    "weights of a measure": (
        lambda: emd(DiscreteMeasure(X), Y, A),
        "It brings its own",
        lambda: emd(DiscreteMeasure(X, A), Y),
    ),
    "no points": (lambda: emd(a=A, b=A), "Pass the two point sets", lambda: emd(X, Y, A, A)),
    "minkowski": (
        lambda: emd(X, Y, cost="minkowski:0.5"),
        "For example 'minkowski:3'",
        lambda: emd(X, Y, cost="minkowski:3"),
    ),
    "a number for p": (
        lambda: emd(X, Y, cost="minkowski:a"),
        "'minkowski:3'",
        lambda: emd(X, Y, cost="minkowski:3"),
    ),
    "a cost of two points": (
        lambda: emd(X, Y, cost=one_pair),
        "otdiv.costs.CallableCost.from_pairs(function)",
        lambda: emd(X, Y, cost=CallableCost.from_pairs(one_pair)),
    ),
    "points of other numbers": (
        lambda: emd(X, Y, cost=np.zeros((3, 2))),
        "one row for each x and one column for each y",
        lambda: emd(X, Y, cost=np.zeros((2, 2))),
    ),
    "zeros of a DIA matrix": (
        lambda: emd(a=A, b=A, cost=sparse.dia_array(([[0.0, 1.0]], [0]), shape=(2, 2))),
        "Build it as a COO or CSR array",
        lambda: emd(a=A, b=A, cost=sparse.coo_array(([0.0, 1.0], ([0, 1], [0, 1])), shape=(2, 2))),
    ),
    "a method that does not fit": (
        lambda: emd(X, Y, method="line"),
        "use method='auto'",
        lambda: emd(X, Y, method="auto"),
    ),
    "a limit": (lambda: emd(X, Y, time_limit=-1), "Leave it out for no limit", lambda: emd(X, Y)),
    "threads": (lambda: emd(X, Y, threads=0), "Leave it out to use all processors", lambda: emd(X, Y)),
    "a tolerance": (lambda: emd(X, Y, rtol=-1), "For example 1e-9", lambda: emd(X, Y, rtol=1e-9)),
    "edges": (
        lambda: DiscreteMeasure.from_histogram([1, 2], [0.5, 1.5]),
        "Pass bin edges, not centres",
        lambda: DiscreteMeasure.from_histogram([1, 2], [0.0, 1.0, 2.0]),
    ),
    "a colour image": (
        lambda: DiscreteMeasure.from_image(COLOURS),
        "Convert a colour image to grey first",
        lambda: DiscreteMeasure.from_image(COLOURS.mean(axis=-1)),
    ),
    "a pmf on points": (
        lambda: DiscreteMeasure.from_pmf(X, [1.0, 3.0]),
        "Divide it by its sum, or use from_counts",
        lambda: (DiscreteMeasure.from_pmf(X, B / B.sum()), DiscreteMeasure.from_counts(X, [1.0, 3.0])),
    ),
    "no program": (
        lambda: solve_lp([1.0]),
        "Build one with LinearProgram(c, A, b, form)",
        lambda: solve_lp(LinearProgram([1.0], [[1.0]], [1.0], "equality")),
    ),
    "a number that is none": (
        lambda: RationalProgram(["x"], [[1]], [1]),
        'Write integers, Fractions, floats, or "p/q"',
        lambda: RationalProgram(["1/3"], [[1]], [1]),
    ),
    "payoffs": (
        lambda: solve_game([[1e308, -1e308]]),
        "Rescale the payoffs",
        lambda: solve_game([[1.0, -1.0]]),
    ),
    "steps": (
        lambda: lipschitz.power_iteration(np.eye(2), steps=0),
        "100 is plenty",
        lambda: lipschitz.power_iteration(np.eye(2), steps=100),
    ),
    "a matrix that is no metric": (
        lambda: wasserstein(X, Y, metric=MatrixCost([[0.0, 9.0], [1.0, 1.0]])),
        "For another cost use emd",
        lambda: emd(X, Y, cost=MatrixCost([[0.0, 9.0], [1.0, 1.0]])),
    ),
}


@pytest.mark.parametrize("case", REMEDIES)
def test_a_remedy_in_python(case):
    wrong, remedy, right = REMEDIES[case]
    with pytest.raises((InvalidInput, otdiv.errors.Infeasible)) as caught:
        wrong()
    assert remedy in str(caught.value)
    right()


TABLES = {
    "plain.csv": "age,income\n1,2\n3,4\n",
    "other.csv": "income,height\n1,2\n3,4\n",
    "numbers.csv": "0,1\n5,2\n3,4\n",
    "r.csv": '"","age","income"\n"1",1,2\n"2",3,4\n',
    "german.csv": "age;income\n1,5;2\n3;4\n",
    "weighted.csv": "age,income,w\n1,2,1\n3,4,3\n",
    "heavy.csv": "age,income,w\n1,2,5\n3,4,3\n",
    "missing.csv": "age,income\n1,\n3,4\n",
}
COMMANDS = {
    "masses": (
        ["emd", "weighted.csv", "heavy.csv", "--weights", "w"],
        "--normalize",
        ["emd", "weighted.csv", "heavy.csv", "--weights", "w", "--normalize"],
    ),
    "row names": (["emd", "r.csv", "r.csv"], "add --index 0", ["emd", "r.csv", "r.csv", "--index", "0"]),
    "semicolons": (
        ["emd", "german.csv", "german.csv"],
        "--delimiter ';', and --decimal ,",
        ["emd", "german.csv", "german.csv", "--delimiter", ";", "--decimal", ","],
    ),
    "other names": (
        ["emd", "plain.csv", "other.csv"],
        "Rename or select them",
        ["emd", "plain.csv", "other.csv", "--columns", "income"],
    ),
    "a missing cell": (
        ["emd", "missing.csv", "plain.csv"],
        "Remove or fill that cell",
        ["emd", "plain.csv", "plain.csv"],
    ),
    "a method": (
        ["emd", "plain.csv", "plain.csv", "--method", "line"],
        "use --method auto",
        ["emd", "plain.csv", "plain.csv", "--method", "auto"],
    ),
    "p": (
        ["emd", "plain.csv", "plain.csv", "--cost", "minkowski:0.5"],
        "For example 'minkowski:3'",
        ["emd", "plain.csv", "plain.csv", "--cost", "minkowski:3"],
    ),
    "no metric": (
        ["compare", "plain.csv", "plain.csv", "--cost", "sqeuclidean"],
        "cost must be a metric",
        ["emd", "plain.csv", "plain.csv", "--cost", "sqeuclidean"],
    ),
    "memory": (
        ["emd", "plain.csv", "plain.csv", "--memory-limit", "0"],
        "For example 4",
        ["emd", "plain.csv", "plain.csv", "--memory-limit", "4"],
    ),
    "a target": (
        ["emd", "plain.csv", "plain.csv", "--save", "proof.txt"],
        "For example proof.npz",
        ["emd", "plain.csv", "plain.csv", "--save", "proof.npz"],
    ),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_remedy_on_the_command_line(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    wrong, remedy, right = COMMANDS[case]
    with pytest.raises(SystemExit) as left:
        main(wrong)
    said = capsys.readouterr().err
    assert left.value.code == 2 and remedy in said
    assert not [word for word in ("=True", "method=", "cost=", "DiscreteMeasure", "numpy") if word in said]
    with pytest.raises(SystemExit) as left:
        main([*right, "--json"])
    assert left.value.code == 0 and math.isfinite(json.loads(capsys.readouterr().out)["value"])
