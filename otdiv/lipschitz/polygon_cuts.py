"""Convex polygons cut by lines, so that both parts overlap a little: what rounding moves lies in one of them."""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel

MOST_CORNERS = 40
"""Corners that a polygon may have."""


@kernel()
def cut(polygons, corners, A, zero, error, overlap, on, parent, parts, part_corners):
    """Cut each polygon by the lines on which a unit is 0, so that each part has units of one sign.

    Parameters
    ----------
    polygons : ndarray [k, MOST_CORNERS, 2]
    corners : ndarray of int64 [k]
        How many of them each has, in order.
    A : ndarray [n, k, 3]
        Unit u on polygon q is A[u, q] . (s, t, 1).
    zero : ndarray [n]
        A unit of which all three numbers are at most this counts as 0, and off.
    error : ndarray [n]
        Of the computed values of a unit at points of the polygons.
    overlap : float
        Least distance by which a part goes beyond a line that cuts it.
    on : ndarray of bool [parts, n]
        Filled with the units that are on in each part.
    parent, parts, part_corners : ndarray [parts], [parts, MOST_CORNERS, 2], [parts]
        Filled with the polygon of which each is a part, and with the parts.

    Returns
    -------
    int
        How many parts there are; -1 where they, or the corners of one of them, do not fit.
    """
    units, room = len(A), len(parts)
    values, whole = np.empty(MOST_CORNERS), np.empty((MOST_CORNERS, 2))
    end = 0
    for p in range(len(polygons)):
        first = end
        if end == room:
            return -1
        parts[end], part_corners[end], parent[end] = polygons[p], corners[p], p
        end += 1
        for u in range(units):
            a, b, c = A[u, p]
            nothing = max(abs(a), abs(b), abs(c)) <= zero[u]
            beyond = 8 * error[u] + overlap * (abs(a) + abs(b))
            for q in range(first, end):
                if nothing:
                    on[q, u] = False
                    continue
                count = part_corners[q]
                low, high = np.inf, -np.inf
                for k in range(count):
                    value = a * parts[q, k, 0] + b * parts[q, k, 1] + c
                    values[k] = value
                    low, high = min(low, value), max(high, value)
                if low > error[u] or high < -error[u]:
                    on[q, u] = low > error[u]
                    continue
                if end == room:
                    return -1
                on[end, :u] = on[q, :u]
                parent[end] = p
                whole[:count] = parts[q, :count]
                on[end, u], on[q, u] = True, False
                part_corners[end] = _side(whole, values, count, 1.0, beyond, parts[end])
                part_corners[q] = _side(whole, values, count, -1.0, beyond, parts[q])
                if part_corners[end] < 0 or part_corners[q] < 0:
                    return -1
                end += 1
    return end


@kernel()
def _side(polygon, values, count, sign, beyond, part):
    """The part of a polygon where sign * value >= -beyond, into ``part``; its corners, -1 where they do not fit."""
    kept = 0
    for k in range(count):
        following = k + 1 if k + 1 < count else 0
        here, there = sign * values[k] + beyond, sign * values[following] + beyond
        if kept + 2 > len(part):
            return -1
        if here >= 0:
            part[kept] = polygon[k]
            kept += 1
        if (here >= 0) != (there >= 0):
            share = here / (here - there)
            part[kept] = polygon[k] + share * (polygon[following] - polygon[k])
            kept += 1
    return kept
