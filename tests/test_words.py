"""The field's words are used, and the private ones they replaced are gone; lecture numbers stay with the lecture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "otdiv"
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

GONE = {
    r"laws?": "distribution, samples",
    r"(?<!p)referees?": "reference",
    r"looks|looked|look(?:ing)? at": "pairs evaluated, scanned",
    r"ways": "paths, routes",
    r"told|tells?(?! about)": "reported to, callback",
    r"tree_of_flow|tree_flow|first_tree|flow_auction|(?<!global_)price_update|graph_flow": "the names in network_flow",
    r"lattice": "grid",
    r"anytime": "solver state, budget",
    r"def exchange|rehang": "pivot, reroot_subtree",
    r"refresh_potentials": "update_potentials",
    r"quanta|quantum|TOTAL(?!_VARIATION)": "integer mass units",
    r"Loads|loads_of": "pseudoflow with excess and deficit",
    r"topdown": "preorder",
    r"(?<!theta_)sweeps?|swept": "pricing",
    r"sieves?": "filter, matrix products",
    r"paired_costs|def paired": "elementwise",
    r"by_entries_cost|listed": "matrix, sparse or callable cost",
    r"staircase": "northwest corner",
    r"Setting": "NetworkSpec",
    r"Frame": "Standardizer",
    r"Task|fit_laws": "TrainingProblem, fit",
    r"OfPoints|OfLaws": "EmpiricalEstimand, PopulationEstimand",
    r"bookkeeping|books": "debiasing terms",
    r"bend": "activation",
    r"(?<!html\.)escap(?:e|es|ing)\w*": "mass outside the support",
    r"one_of": "check_choice",
    r"secured|conceded": "guaranteed payoff, worst-case loss",
    r"strategy_|STRATEGIES": "constraint",
    r"hopeful|bidding|stuck|dust|weighty": "says what it counts",
    r"who|whom|whoever|nobody|somebody|everybody": "no persons for arrays or programs",
    r"dear|dearer|dearest|by heart|malice|forgers?": "plain English",
}
"""Old form -> the word that has replaced it, as it stands in docs/glossary.md or in the names of the code."""

USED = (
    "SampledDistribution|Distribution", "reference", "scanned", "alternating_forest", "augment", "initial_basis",
    "least_cost", "basis_from_flow", "transportation_auction", "assignment_auction", "global_price_update",
    "undirected_simplex", "detect_grid", "network_simplex", "SolverState", "Budget", "candidate_arcs", "pivot",
    "reroot_subtree", "update_potentials", "find_cycle", "restore_slackness", "MASS_UNITS", "excess", "deficit",
    "preorder", "pricing", "ProductFilter", "elementwise", "northwest_corner", "NetworkSpec", "Standardizer",
    "TrainingProblem", "EmpiricalEstimand", "PopulationEstimand", "diagnostics", "adapters", "activation",
    "renyi_alpha", "total_variation", "ConvexGenerator", "guaranteed_payoff", "worst_case_loss", "check_choice",
    "readonly", "message", "critic_value",
)  # fmt: skip


def uses(pattern: str) -> list[str]:
    """The places of a word in the package: as a word of its own, or as a part of a name."""
    found = []
    word = re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])")
    for name, text in SOURCES.items():
        for number, line in enumerate(text.splitlines(), 1):
            if word.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    return found


@pytest.mark.parametrize("pattern", GONE)
def test_an_old_form_is_gone(pattern):
    assert uses(pattern) == [], f"say {GONE[pattern]}"


@pytest.mark.parametrize("pattern", USED)
def test_a_standard_word_is_used(pattern):
    assert any(re.search(pattern, text) for text in SOURCES.values())


def test_lecture_numbers_stay_with_the_lecture():
    numbered = re.compile(r"\b(?:lecture items?|erratum|errata)\b|\b[SE]\d{1,3}\b", re.IGNORECASE)
    allowed = ("otdiv/lecture/", "otdiv/cli/lecture.py")
    found = [
        f"{name}: {hit[0]}"
        for name, text in SOURCES.items()
        if not name.startswith(allowed)
        for hit in numbered.finditer(text)
    ]
    assert found == []


def test_no_list_of_imports_is_kept_by_hand():
    assert [name for name, text in SOURCES.items() if re.search(r"\bImports [a-z_, ]+(?:only|and below)\.", text)] == []


def test_the_checks_can_fail(monkeypatch):
    monkeypatch.setitem(
        SOURCES, "otdiv/x.py", 'law_of = 1  # whoever looks at it, see S12\n"""Imports errors only."""\n'
    )
    for pattern in (r"laws?", r"looks|looked|look(?:ing)? at", r"who|whom|whoever|nobody|somebody|everybody"):
        assert uses(pattern)[-1].startswith("otdiv/x.py:1")
    with pytest.raises(AssertionError):
        test_lecture_numbers_stay_with_the_lecture()
    with pytest.raises(AssertionError):
        test_no_list_of_imports_is_kept_by_hand()
