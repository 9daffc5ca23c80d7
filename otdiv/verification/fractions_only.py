"""A second checker of certificate files: Python's standard library alone, fractions alone, one file to read.

Run as ``python -m otdiv.verification.fractions_only cert.npz``; it imports
nothing of otdiv and nothing of numpy, so that it can be copied and read
alone.  docs/certificates.md is its grammar.  Slow: O(n m) fractions.
"""

from __future__ import annotations

import ast
import hashlib
import json
import struct
import sys
import zipfile
from fractions import Fraction
from itertools import pairwise
from math import inf, isfinite, isqrt, prod
from typing import Any

ARRAYS = ("x", "y", "costs", "a", "b", "rows", "columns", "mass", "f", "g")
POINT_COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete")
GIVEN, NEARBY = "the weights", "weights within marginal_error"
ROOT_BITS = 1400
"""Bits after the point to which square roots are bracketed: beyond the last bit of any difference of floats."""


def proved(path: str) -> tuple[Fraction, Fraction | None]:
    """The interval that a certificate file proves, once its claims are seen to follow from it.

    Raises
    ------
    ValueError
        The file is no certificate, or claims more than it proves.
    """
    header, tables = _read(path)
    cost, nearby = header["cost"], header["about"] == NEARBY
    try:
        lower, upper = float.fromhex(header["lower"]), float.fromhex(header["upper"])
    except OverflowError:
        raise ValueError("the claimed interval is none") from None
    _require(isfinite(lower) and lower <= upper, "the claimed interval is none")
    a, b, f, g = (_numbers(tables[name]) for name in "abfg")
    rows, columns, mass = tables["rows"][1], tables["columns"][1], _numbers(tables["mass"])
    n, m = len(a), len(b)
    _require(n == len(f) and m == len(g) and len(rows) == len(columns) == len(mass), "shapes do not fit")
    _require(all(0 <= i < n for i in rows) and all(0 <= j < m for j in columns), "an index out of range")
    _require(min([*a, *b, *mass, Fraction(0)]) >= 0 and any(a) and any(b), "masses must not be negative, nor all 0")
    ceiling, floor, largest, signed = _costs(cost, tables, n, m)
    forbidden = sum(c is None for row in ceiling for c in row)
    levels = sorted({float(c) for row in ceiling for c in row if c}) if cost not in POINT_COSTS else []
    sentinels = any(high / low > 1e6 for low, high in pairwise(v for v in levels if v > 0))
    _require(nearby == bool(forbidden or sentinels), "it is about other weights than these costs allow")

    row_sums, column_sums, price = [Fraction(0)] * n, [Fraction(0)] * m, Fraction(0)
    crosses = False
    for i, j, weight in zip(rows, columns, mass, strict=True):
        row_sums[i] += weight
        column_sums[j] += weight
        if weight:
            crosses = crosses or ceiling[i][j] is None
            price += weight * (ceiling[i][j] or 0)
    ratio = Fraction(sum(a)) / Fraction(sum(b))
    misses = [s - w for s, w in zip(row_sums, a, strict=True)] + [
        s - w * ratio for s, w in zip(column_sums, b, strict=True)
    ]
    off = sum(map(abs, misses), Fraction(0))
    top: Fraction | None = None if crosses or (nearby and off * 10**9 > sum(a)) else price
    if top is not None and nearby:
        a, b, ratio = row_sums, column_sums, Fraction(1)
    elif top is not None:
        top += off * largest * (2 if signed else 1)

    value = sum(w * v for w, v in zip(a, f, strict=True)) + ratio * sum(w * v for w, v in zip(b, g, strict=True))
    violations = [
        (f[i] + g[j], least)
        for i in range(n)
        for j, least in enumerate(floor[i])
        if least is not None and f[i] + g[j] > least
    ]
    low = Fraction(value)
    if violations:
        low = value - max(total - least for total, least in violations) * sum(a)
        if not signed:
            low = max(low, value * min(least / total for total, least in violations))
    low = low if signed else max(low, Fraction(0))
    _require(Fraction(lower) <= low, "the lower bound is not proved")
    _require(upper == inf or (top is not None and top <= Fraction(upper)), "the upper bound is not proved")
    return low, top


def _costs(cost: str, tables: dict[str, Any], n: int, m: int) -> tuple[list[Any], list[Any], Fraction, bool]:
    """At least and at most each cost (None: forbidden), at least the largest one, and whether any is negative."""
    (shape, entries), ((points, d), xs), ((others, e), ys) = tables["costs"], tables["x"], tables["y"]
    _require(points == n and others == m and d == e and (d > 0) == (cost in POINT_COSTS), "shapes do not fit")
    if cost in POINT_COSTS:
        _require(shape == (0, 0), "shapes do not fit")
        xs, ys = _numbers(tables["x"]), _numbers(tables["y"])
        x, y = ([v[k * d : (k + 1) * d] for k in range(c)] for v, c in ((xs, n), (ys, m)))
        gaps = [[[abs(p - q) for p, q in zip(u, v, strict=True)] for v in y] for u in x]
        spans = [max(max(abs(u[k] - v[k]) for v in y) for u in x) for k in range(d)]
        if cost == "discrete":
            spans = [Fraction(any(spans))]
        up, down = ([[_distance(cost, gap, above) for gap in row] for row in gaps] for above in (True, False))
        return up, down, _distance("chebyshev" if cost == "discrete" else cost, spans, True), False
    if cost == "matrix":
        _require(shape == (n, m) and all(v == v and v > -inf for v in entries), "costs must be numbers or +inf")
        table = [[None if v == inf else Fraction(v) for v in entries[i * m : (i + 1) * m]] for i in range(n)]
    else:
        _require(len(shape) == 2 and shape[1] == 3, "arcs have three columns")
        table, before = [[None] * m for _ in range(n)], (-1, -1)
        for i, j, c in zip(entries[::3], entries[1::3], entries[2::3], strict=True):
            inside = all(map(isfinite, (i, j, c))) and i == int(i) and j == int(j) and 0 <= i < n and 0 <= j < m
            _require(inside and (i, j) > before, "arcs must be given once each, in order")
            before, table[int(i)][int(j)] = (i, j), Fraction(c)
    finite = [c for row in table for c in row if c is not None]
    return table, table, max([abs(c) for c in finite], default=Fraction(0)), min(finite, default=Fraction(0)) < 0


def _distance(cost: str, gap: list[Fraction], above: bool) -> Fraction:
    if cost == "cityblock":
        return sum(gap, Fraction(0))
    if cost == "chebyshev":
        return max(gap)
    if cost == "discrete":
        return Fraction(any(gap))
    square = sum((v * v for v in gap), Fraction(0))
    if cost == "sqeuclidean":
        return square
    whole = (square.numerator << (2 * ROOT_BITS)) // square.denominator
    root = isqrt(whole)
    exact = Fraction(root * root) == square * 4**ROOT_BITS
    return Fraction(root + int(above and not exact), 1 << ROOT_BITS)


def _read(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header, and (shape, values in row order) of each array; the digest is compared."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        _require(names == sorted(f"{name}.npy" for name in ("header", "digest", *ARRAYS)), "other parts")
        parts = {name: _array(archive.read(f"{name}.npy")) for name in ("header", "digest", *ARRAYS)}
    text, state = parts["header"][1], hashlib.sha256(parts["header"][1].encode())
    for name in ARRAYS:
        shape, values, kind = parts[name]
        _require(kind == ("<i8" if name in ("rows", "columns") else "<f8"), f"{name} has another kind of number")
        _require(len(shape) == (2 if name in ("x", "y", "costs") else 1), f"{name} has another number of axes")
        state.update(f"|{name}|{kind}|{shape}|".encode() + struct.pack(f"<{len(values)}{_CODE[kind]}", *values))
    _require(state.hexdigest() == parts["digest"][1], "the digest does not fit")
    header = json.loads(text, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else {})
    _require(isinstance(header, dict) and set(header) == {"version", "cost", "about", "lower", "upper"}, "its header")
    _require(type(header["version"]) is int and header["version"] == 1, "another version")
    _require(isinstance(header["lower"], str) and isinstance(header["upper"], str), "its ends are no text")
    _require(header["cost"] in (*POINT_COSTS, "matrix", "arcs") and header["about"] in (GIVEN, NEARBY), "its words")
    return header, {name: parts[name][:2] for name in ARRAYS}


_CODE = {"<f8": "d", "<i8": "q"}


def _array(content: bytes) -> tuple[Any, Any, str]:
    """(shape, values, kind) of an .npy file of version 1.0; (shape, text, kind) where it holds one text."""
    _require(content[:8] == b"\x93NUMPY\x01\x00", "a part is no .npy of version 1.0")
    end = 10 + struct.unpack("<H", content[8:10])[0]
    about, data = ast.literal_eval(content[10:end].decode("latin1").strip()), content[end:]
    shape, kind = about["shape"], about["descr"]
    if kind[:2] == "<U":
        return shape, data.decode("utf-32-le").rstrip("\0"), kind
    _require(kind in _CODE and prod(shape) * 8 == len(data), "a shape that does not fit its bytes")
    values = list(struct.unpack(f"<{prod(shape)}{_CODE[kind]}", data))
    if about["fortran_order"] and len(shape) == 2:
        values = [values[j * shape[0] + i] for i in range(shape[0]) for j in range(shape[1])]
    return shape, values, kind


def _numbers(table: tuple[Any, list[float]]) -> list[Fraction]:
    _require(all(map(isfinite, table[1])), "NaN or infinity")
    return [Fraction(v) for v in table[1]]


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise ValueError(reason)


if __name__ == "__main__":
    try:
        low, top = proved(sys.argv[1])
        print(f"proved [{float(low)!r}, {inf if top is None else float(top)!r}] up to the rounding of this line")
    except (ValueError, zipfile.BadZipFile, OSError) as problem:
        sys.exit(f"refused: {problem}")
