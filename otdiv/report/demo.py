"""The demonstration from end to end: two tables, the lecture's numbers, point clouds, a critic, pictures, one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from otdiv import lecture
from otdiv.comparison import Comparison, compare_all
from otdiv.core.text_tables import Table, number
from otdiv.critics import CriticEstimate, estimate
from otdiv.datasets.bundled import digits, wine_tables, wines
from otdiv.drift import TableComparison, compare_tables
from otdiv.lecture.examples import ten_states, two_bars
from otdiv.plots import plot_changes, plot_plan, plot_potentials, plot_theta_sweep
from otdiv.plots.style import save_figure
from otdiv.report.html import Section, page, write_page
from otdiv.transport.solve import emd

THETAS = tuple(k / 20 for k in range(-20, 21))


@dataclass(frozen=True)
class DemoResult:
    """What the demo found.

    Attributes
    ----------
    mismatches : int
        Lecture rows whose computed value is not the expected one.
    certified : bool
        Whether every real comparison ended with a closed interval, and the critic, where torch is there,
        agreed with it.
    page : Path
        The HTML page; the pictures lie beside it.
    """

    mismatches: int
    certified: bool
    page: Path


def cross_check() -> CriticEstimate | None:
    """A neural critic's estimate beside the exact distance; None without torch."""
    if find_spec("torch") is None:
        return None
    return estimate(*digits(), steps=1500, time_limit=20.0)


def theta_sweep(thetas: tuple[float, ...] = THETAS, n: int = 16) -> list[dict[str, float]]:
    """KL, JS and W1 of the two bars for each theta."""
    rows = []
    for theta in thetas:
        table = compare_all(*two_bars(theta, n))
        rows.append({"theta": theta, "kl": table["kl"].value, "js": table["js"].value, "w1": table["w1_primal"].value})
    return rows


def lecture_table(rows: list[lecture.LectureRow]) -> Table:
    """The lecture's examples, computed beside known."""
    cells = [
        (row.item, row.name, number(row.computed, 12), number(row.expected, 12), "ok" if row.ok else "NO")
        for row in rows
    ]
    wrong = sum(not row.ok for row in rows)
    note = f"{len(rows)} rows, all ok." if wrong == 0 else f"{wrong} of {len(rows)} rows do not match."
    return Table("The lecture's examples", ("item", "what", "computed", "expected", "ok"), cells, (note,), (2, 3))


def lecture_summary(rows: list[lecture.LectureRow]) -> Table:
    """The rows that do not match, none as a rule, and where all of them are."""
    whole = lecture_table(rows)
    wrong = [cells for cells, row in zip(whole.rows, rows, strict=True) if not row.ok]
    return Table(whole.title, whole.headers, wrong, (f"{whole.notes[0]} otdiv lecture prints them.",), whole.numeric)


def run_demo(folder: Path, show: Callable[[Table], None]) -> DemoResult:
    """Run it all: tables through ``show``, pictures and the page into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = compare_tables(*wine_tables(folder))
    show(tables.table("$ otdiv compare cultivar_1.csv cultivar_2.csv"))
    rows = list(lecture.rows())
    table = lecture_table(rows)
    show(lecture_summary(rows))
    comparisons = []
    x, y = digits()
    comparisons.append(("Handwritten digits, 3 against 8 (64-D)", compare_all(x, y)))
    x, y, names = wines()
    comparisons.append(("Two wine cultivars (13-D, standardised)", compare_all(x, y)))
    for title, comparison in comparisons:
        show(comparison.table(title))
    answer = cross_check()
    if answer is not None:
        show(answer.table("A neural critic against exact transport: digits, 3 against 8"))
    columns = (names.index("alcohol"), names.index("color_intensity"))
    plane = emd(x[:, columns], y[:, columns])
    states = emd(*ten_states())
    figures = {
        "changes": ("Distances of the columns of two wine cultivars, with intervals", plot_changes(tables)),
        "theta_sweep": ("KL, JS and W1 of the two bars against theta", plot_theta_sweep(theta_sweep())),
        "plan": (
            "Optimal plan between two wine cultivars",
            plot_plan(
                plane,
                labels=("cultivar 1", "cultivar 2"),
                axes_names=("alcohol (standardised)", "colour intensity (standardised)"),
            ),
        ),
        "potentials": ("Potentials and slack of the ten-state example", plot_potentials(states)),
    }
    for name, (_, drawn) in figures.items():
        save_figure(drawn, folder / f"{name}.png", dpi=130)
    target = folder / "index.html"
    write_page(target, page("otdiv: distances with proofs", _sections(tables, table, comparisons, answer, figures)))
    certified = all(c.transport.status.name == "OPTIMAL" for _, c in comparisons)
    certified &= answer is None or answer.believed
    return DemoResult(sum(not row.ok for row in rows), certified, target)


def _sections(
    tables: TableComparison,
    table: Table,
    comparisons: list[tuple[str, Comparison]],
    answer: CriticEstimate | None,
    figures: dict,
) -> list[Section]:
    check = [] if answer is None else [answer.table(" ")]
    return [
        Section(f"Two tables: {tables.verdict}", tables.extent, [tables.table("")], [figures["changes"]]),
        Section(
            "Two vertical bars",
            "Moving one bar by theta changes W1 smoothly; "
            "KL and JS jump at theta = 0 and are constant elsewhere, whatever the distance.",
            figures=[figures["theta_sweep"]],
        ),
        *[Section(title, "Every distance on one pair.", tables=[c.table(" ")]) for title, c in comparisons],
        *[Section("A neural critic against exact transport", "Digits, 3 against 8.", tables=[t]) for t in check],
        Section(
            "A transport plan",
            "Which wine goes to which: the plan is feasible, so its cost bounds W1 from above.",
            figures=[figures["plan"]],
        ),
        Section(
            "Potentials, the other half of the proof",
            "The potentials satisfy f + g <= d for every pair, so their value bounds W1 from below; both bounds meet.",
            figures=[figures["potentials"]],
        ),
        Section("The lecture's examples", "Computed beside known.", tables=[table]),
    ]
