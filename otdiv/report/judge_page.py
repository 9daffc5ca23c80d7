"""The judgement of generated samples as one self-contained page."""

from __future__ import annotations

from otdiv.plots.samples import plot_matching_curves, plot_modes, plot_samples
from otdiv.report.html import Section, page
from otdiv.sample_quality import JudgeResult

_MOST_MODES = 50
"""Modes that stand in a table one by one."""


def judge_page(found: JudgeResult, names: tuple[str, str] = ("real", "generated")) -> str:
    """The page: all measures, the points, what is matched at what distance, the modes.

    Parameters
    ----------
    found : JudgeResult
    names : tuple of str
        Of the samples.

    Returns
    -------
    str
        HTML without references to anything outside.
    """
    sections = [
        Section("Answer", found.verdict, [found.table("")], [("real and generated points", plot_samples(found))]),
        Section(
            "Fidelity and diversity",
            "Greatest shares by exact partial transport: of generated points that can be matched to real ones, and of "
            "real points that can be matched to generated ones, at the distance at which real points are matched to "
            "real points. The curves are those of the points themselves; the numbers are the least over all views.",
            [found.matching.table("")],
            [("share that is matched by distance", plot_matching_curves(found.matching))],
        ),
    ]
    if found.modes is not None:
        tables = [found.modes.table("")] if len(found.modes.shares) <= _MOST_MODES else []
        text = str(found.modes) if found.split is None else f"{found.modes} Distance {found.split}."
        sections.append(Section("Modes", text, tables, [("shares of the modes", plot_modes(found.modes))]))
    if found.memorisation is not None:
        sections.append(Section("Memorisation", str(found.memorisation)))
    return page(f"{names[1]} against {names[0]}", sections)
