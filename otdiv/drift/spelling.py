"""Numbers and dates that a person writes and a program takes for text: found, so that they are asked about."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from otdiv.core.validation import Array
from otdiv.measures.tables import is_number

_LOCAL_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_WITH_UNIT = re.compile(r"(?P<before>[$€£¥]?)\s*(?P<number>[+-]?\d[\d.,]*)\s*(?P<after>[^\d\s.,][^\d]*|)")


class Spelling(NamedTuple):
    """How all cells of a column are written.

    Attributes
    ----------
    requirement : str
        What a column must be, after its name.
    example : str
        A cell that is not.
    remedy : str
    """

    requirement: str
    example: str
    remedy: str


def unusual_spelling(values: Array) -> Spelling | None:
    """Dates in a local form, or numbers with a unit, a decimal comma or separators of thousands, in all cells.

    Parameters
    ----------
    values : ndarray of objects [n]
        Cells, None where missing.

    Returns
    -------
    Spelling or None
        None where some cell is written in none of these forms, or all are plain numbers.
    """
    if not all(v is None or isinstance(v, str) for v in values):
        return None
    present: list[Any] = [v for v in dict.fromkeys(values) if v is not None]
    if not present:
        return None
    if all(_LOCAL_DATE.fullmatch(v) for v in present):
        return Spelling("hold dates in the ISO form", present[0], "Write dates as 2026-01-31")
    first = next((v for v in present if not is_number(v)), None)
    if first is None or not any(form.fullmatch(first) for form in (_THOUSANDS, _DECIMAL_COMMA, _WITH_UNIT)):
        return None
    odd = [v for v in present if not is_number(v)]
    if all(_THOUSANDS.fullmatch(v) for v in odd):
        plain = f"Write {odd[0].replace(',', '')}, without separators"
        either = all(_DECIMAL_COMMA.fullmatch(v) for v in odd)  # 1,234 may be either
        return Spelling("hold plain numbers", odd[0], f"{plain}, or pass decimal=','" if either else plain)
    if all(_DECIMAL_COMMA.fullmatch(v) for v in odd):
        return Spelling("hold numbers with a decimal point", odd[0], "Pass decimal=','")
    return _one_unit(odd) if len(odd) == len(present) else None


def _one_unit(cells: list[str]) -> Spelling | None:
    read = [_WITH_UNIT.fullmatch(cell) for cell in cells]
    units = {(found["before"], found["after"].strip()) for found in read if found}
    if not all(read) or len(units) > 1:
        return None
    before, after = units.pop()
    unit = before + after
    number = read[0]["number"] if read[0] else ""
    return Spelling("hold plain numbers", cells[0], f"Write {number}, and the unit {unit!r} into the column's name")
