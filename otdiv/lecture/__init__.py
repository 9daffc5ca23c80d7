"""The lecture's numbers, computed anew beside what is known.

Each chapter maps its items to functions that yield :class:`LectureRow`; a new
chapter is one more entry of ``CHAPTERS``.
"""

from __future__ import annotations

from collections.abc import Iterable

from otdiv.core.validation import invalid
from otdiv.lecture import cited, critic, duality, kullback, lipschitz, transport
from otdiv.lecture.examples import Example, blocks, line, plane, ten_states, three_points, two_bars
from otdiv.lecture.farkas import random_systems, two_points
from otdiv.lecture.generative import bayesian, energy, gan, infogan
from otdiv.lecture.lipschitz import penalised
from otdiv.lecture.record import Items, LectureRow

CHAPTERS: tuple[Items, ...] = (
    gan.ITEMS,
    kullback.ITEMS,
    transport.ITEMS,
    duality.ITEMS,
    lipschitz.ITEMS,
    energy.ITEMS,
    infogan.ITEMS,
    bayesian.ITEMS,
    critic.ITEMS,
    cited.ITEMS,
)
"""The items of the lecture by number, a mapping for each chapter; each item computes its numbers beside known."""

__all__ = [
    "CHAPTERS",
    "Example",
    "LectureRow",
    "blocks",
    "item_names",
    "line",
    "penalised",
    "plane",
    "random_systems",
    "rows",
    "ten_states",
    "three_points",
    "two_bars",
    "two_points",
]


def item_names() -> list[str]:
    """Every item with checkable numbers: the lecture's S1, S2, ..., critics' X1, X2, then the cited pages' R1, ...

    Returns
    -------
    list of str
    """
    names = (name for chapter in CHAPTERS for name in chapter)
    return sorted(names, key=lambda name: ("SXR".index(name[0]), int(name[1:])))


def rows(items: Iterable[str] | None = None) -> list[LectureRow]:
    """Compute the rows of some items, in the order of the lecture.

    Parameters
    ----------
    items : iterable of str, optional
        Names such as "S10" or "R1"; None is every item.

    Returns
    -------
    list of LectureRow
        Several for each item; ``row.ok`` says whether computed and expected agree.

    Raises
    ------
    InvalidInput
        For a name that is not an item.

    Examples
    --------
    >>> [row.ok for row in rows(["S12"])]
    [True, True, True]
    """
    builders = {name: build for chapter in CHAPTERS for name, build in chapter.items()}
    known = item_names()
    wanted = known if items is None else [items] if isinstance(items, str) else list(items)
    for name in wanted:
        if name not in builders:
            raise invalid("items", "name lecture items", repr(name), f"Known: {_spans(known)}.")
    return [row for name in known if name in wanted for row in builders[name]()]


def _spans(names: list[str]) -> str:
    """Names in the order of the lecture, runs shortened: S1 to S3, X1."""
    spans: list[list[str]] = []
    for name in names:
        if spans and spans[-1][-1] == f"{name[0]}{int(name[1:]) - 1}":
            spans[-1].append(name)
        else:
            spans.append([name])
    return ", ".join(" to ".join(dict.fromkeys((span[0], span[-1]))) for span in spans)
