"""What the large benchmark has measured, as a markdown table, a list of failures and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from large_cases import NAMES, OTHERS, PER_CENT, SOLVERS, UP_TO, Case, applies, full_plan, known_value

CERTIFIED = 1e-9
"""otdiv's relative gap beyond this counts as a failure."""
Results = Mapping[tuple[str, Case], Mapping[str, Any]]
_BEGIN, _END = "<!-- large clouds: begin -->", "<!-- large clouds: end -->"


def fault(solver: str, case: Case, results: Results) -> str | None:
    """What is wrong with a measurement: an error, no time left, a wrong value, a gap; None if nothing."""
    record = results[solver, case]
    if record["outcome"] != "ok":
        return str(record["outcome"])
    if solver == "otdiv":
        known = known_value(case)
        if known is not None and not abs(record["value"] - known) <= 1e-9 * known:
            return "wrong"
        return None if record["upper"] - record["lower"] <= CERTIFIED * record["upper"] else "gap"
    ours = results.get(("otdiv", case))
    if solver == "per-cent" and record["upper"] - record["lower"] > PER_CENT * record["upper"]:
        return "gap"
    if ours is None or ours["outcome"] != "ok":
        return None
    if solver == "per-cent":
        return None if record["lower"] <= ours["upper"] and ours["lower"] <= record["upper"] else "wrong"
    slack = 1e-7 * ours["upper"]  # the others stop at tolerances of their own
    return None if ours["lower"] - slack <= record["value"] <= ours["upper"] + slack else "wrong"


def table(results: Results) -> str:
    """One row for each problem, one column for each solver."""
    asked = [solver for solver in SOLVERS if any(key[0] == solver for key in results)]
    heads = ["clouds", "n", "d", "cost", "otdiv", "memory", "proved gap", *(NAMES[s] for s in asked if s != "otdiv")]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    cases = dict.fromkeys(full_plan()) | {key[1]: None for key in results}
    for case in cases:
        if any((solver, case) in results for solver in asked):
            cells = [case.kind, str(case.n), str(case.d), case.cost, *_own(case, results)]
            cells += [_other(solver, case, results) for solver in asked if solver != "otdiv"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _own(case: Case, results: Results) -> list[str]:
    record = results.get(("otdiv", case))
    if record is None:
        return ["", "", ""]
    if record["outcome"] != "ok":
        return [_missed(record), "", ""]
    wrong = " **wrong**" if fault("otdiv", case, results) == "wrong" else ""
    gap = (record["upper"] - record["lower"]) / record["upper"] if record["upper"] > 0 else 0.0
    return [_seconds(record["seconds"]) + wrong, f"{record['mib']:.0f} MiB", f"{gap:.0e}"]


def _other(solver: str, case: Case, results: Results) -> str:
    record = results.get((solver, case))
    if record is None:
        return "" if applies(solver, case) else "–"
    if record["outcome"] != "ok":
        return _missed(record)
    ours = results.get(("otdiv", case), {})
    ratio = f", {record['seconds'] / ours['seconds']:.1f}x" if "seconds" in ours and solver in OTHERS else ""
    wrong = " **wrong**" if fault(solver, case, results) == "wrong" else ""
    return f"{_seconds(record['seconds'])}{ratio}, {record['mib']:.0f} MiB{wrong}"


def _missed(record: Mapping[str, Any]) -> str:
    return f"> {record['limit']:.0f} s" if record["outcome"] == "timeout" else "**error**"


def _seconds(value: float) -> str:
    return f"{value * 1e3:.0f} ms" if value < 0.1 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def failures(results: Results) -> str:
    """How often each solver failed, and at what."""
    parts = []
    for solver in SOLVERS:
        mine = [case for name, case in results if name == solver]
        faults = [fault(solver, case, results) for case in mine]
        found = {kind: faults.count(kind) for kind in ("error", "timeout", "wrong", "gap") if kind in faults}
        how = ", ".join(f"{count} {kind}" for kind, count in found.items()) or "none"
        if mine:
            parts.append(f"{NAMES[solver]}: {how} in {len(mine)}")
    return "Failures: " + "; ".join(parts) + "."


def draw(results: Results, path: Path) -> None:
    """Time and peak memory against n, both logarithmic, for the Gaussian clouds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 8), sharex=True, sharey="row")
    shades = dict(zip((2, 3, 10, 64), ("#08306b", "#2171b5", "#6baed6", "#9ecae1"), strict=True))
    others = dict(zip(OTHERS, ("#cb181d", "#fd8d3c", "#41ab5d", "#807dba"), strict=True))
    for column, cost in enumerate(("euclidean", "sqeuclidean")):
        curves = [("otdiv", d, shades[d], "-o") for d in shades] + [(s, 2, others[s], "--s") for s in others]
        for solver, d, colour, style in curves:
            found = sorted(
                (case.n, record["seconds"], record["mib"])
                for (name, case), record in results.items()
                if name == solver and case[2:] == (d, cost) and case.kind == "gauss" and record["outcome"] == "ok"
            )
            if found:
                sizes, seconds, memory = zip(*found, strict=True)
                axes[0, column].loglog(sizes, seconds, style, color=colour, ms=4, label=f"{NAMES[solver]}, d = {d}")
                axes[1, column].loglog(sizes, memory, style, color=colour, ms=4)
        axes[0, column].set_title(cost)
        axes[1, column].set_xlabel("points on each side")
    axes[0, 0].set_ylabel("seconds, proof included")
    axes[1, 0].set_ylabel("peak memory of the process, MiB")
    if axes[0, 0].lines:
        axes[0, 0].legend(fontsize=8)
    for axis in axes.ravel():
        axis.grid(True, which="major", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def write(results: Results, about: str, readme: Path) -> None:
    """Put table, failures and figure between the two marks in the README."""
    figure = readme.with_name("large.png")
    draw(results, figure)
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    limits = ", ".join(f"{NAMES[s]} up to n = {UP_TO[s]}" for s in OTHERS)
    note = f"Asked: {limits}. A dash was not asked, an empty cell not measured."
    body = (
        f"\n{about}\n\n{table(results)}\n\n{failures(results)} {note}\n\n![Time and memory against n]({figure.name})\n"
    )
    readme.write_text(before + _BEGIN + body + _END + after, encoding="utf-8")
