"""The spectral norm of a convolution of images: exactly as a matrix where small, else by its symbol, both proved."""

from __future__ import annotations

from math import inf, nextafter, sqrt
from typing import Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, as_float_array, invalid, require_finite
from otdiv.lipschitz.constants import LipschitzBound
from otdiv.lipschitz.spectral import spectral_norm

MATRIX_SIDE = 700
"""Rows and columns up to which a convolution is written as a matrix; its norm takes the cube of that."""
_FREQUENCIES = 512
"""Frequencies whose matrices are kept at a time."""
Pair = tuple[int, int]


def convolution_matrix(kernel: Any, sides: Pair, *, stride: Pair = (1, 1), padding: Pair = (0, 0)) -> Array:
    """The matrix of a convolution (as torch's Conv2d, a correlation) with zero padding.

    Parameters
    ----------
    kernel : array_like [c_out, c_in, k_h, k_w]
    sides : (int, int)
        Height and width of the image.
    stride, padding : (int, int)

    Returns
    -------
    ndarray [c_out h' w', c_in h w]
        Exact: each entry is one of the kernel, or 0.

    Raises
    ------
    InvalidInput
        A kernel that is not finite, of another shape, or larger than the padded image.

    Examples
    --------
    >>> convolution_matrix([[[[1.0, -1.0]]]], (1, 3)).tolist()
    [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
    """
    K = _kernel(kernel)
    c_out, c_in, k_h, k_w = K.shape
    (h, w), (s_h, s_w), (p_h, p_w) = sides, stride, padding
    rows, columns = (h + 2 * p_h - k_h) // s_h + 1, (w + 2 * p_w - k_w) // s_w + 1
    if rows < 1 or columns < 1:
        raise invalid("kernel", "fit into the padded image", f"{k_h} x {k_w} in {h} x {w}", "Check the sides.")
    matrix = np.zeros((c_out, rows, columns, c_in, h, w))
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    for a in range(k_h):
        for b in range(k_w):
            y, x = i * s_h - p_h + a, j * s_w - p_w + b
            there = (y >= 0) & (y < h) & (x >= 0) & (x < w)
            matrix[:, i[there], j[there], :, y[there], x[there]] = K[None, :, :, a, b]
    return matrix.reshape(c_out * rows * columns, c_in * h * w)


def convolution_norm(kernel: Any, sides: Pair, *, stride: Pair = (1, 1), padding: Pair = (0, 0)) -> LipschitzBound:
    """Upper bound of the spectral norm of a convolution of images with zero padding.

    A small one is written as a matrix.  A larger one cuts rows out of the circular convolution on a torus of
    h + k_h - 1 by w + k_w - 1 places, whatever padding and stride, whose norm is the largest norm of its symbol

        S(w1, w2) = sum_ab K[:, :, a, b] exp(-i (a w1 + b w2))    [c_out, c_in]

    over the frequencies of the torus (Sedghi, Gupta and Long 2019).  That t I - S* S is positive definite at all
    of them is proved by Cholesky factorisations, with the rounding of S counted.

    Parameters
    ----------
    kernel : array_like [c_out, c_in, k_h, k_w]
    sides, stride, padding : (int, int)
        As :func:`convolution_matrix`; padding below the sides of the kernel.

    Returns
    -------
    LipschitzBound
        Of kind "upper".

    Raises
    ------
    InvalidInput
        As :func:`convolution_matrix`; padding of a kernel's side or more.

    Examples
    --------
    >>> 1.99 < convolution_norm([[[[1.0, -1.0]]]], (1, 64)).value < 2.0001
    True
    """
    K = _kernel(kernel)
    c_out, c_in, k_h, k_w = K.shape
    if padding[0] >= k_h or padding[1] >= k_w:
        raise invalid("padding", "be below the kernel's sides", f"{padding} for {k_h} x {k_w}", "Crop it first.")
    if max(c_out, c_in) * sides[0] * sides[1] <= MATRIX_SIDE:
        matrix = convolution_matrix(K, sides, stride=stride, padding=padding)
        return LipschitzBound(spectral_norm(matrix).bounds.upper, "upper", "norm of the convolution's matrix")
    scale = float(np.abs(K).max())
    if scale == 0:
        return LipschitzBound(0.0, "upper", "a kernel of zeros")
    exponent = int(np.frexp(scale)[1])
    square = _symbol_square(np.ldexp(K, -exponent), (sides[0] + k_h - 1, sides[1] + k_w - 1))
    norm = nextafter(np.ldexp(sqrt(square) * (1 + 4 * UNIT), exponent), inf)
    return LipschitzBound(float(norm), "upper", "norm of the convolution's symbol on a torus")


def _kernel(kernel: Any) -> Array:
    K = as_float_array("kernel", kernel)
    if K.ndim != 4 or 0 in K.shape:
        raise invalid("kernel", "have shape [c_out, c_in, k_h, k_w]", f"shape {K.shape}", "Pass Conv2d's weight.")
    require_finite("kernel", K)
    return K


def _symbol_square(K: Array, torus: Pair) -> float:
    """At least max |S|^2 over the frequencies of the torus; entries of K at most 1 in size."""
    c_out, c_in, k_h, k_w = K.shape
    if c_out < c_in:
        K = np.swapaxes(K, 0, 1)  # the adjoint has the same norms, and a smaller Gram matrix
    phase_h = np.exp(-2j * np.pi * np.outer(np.arange(torus[0]), np.arange(k_h)) / torus[0])
    # S at -w is the conjugate of S at w: half of one axis is enough
    phase_w = np.exp(-2j * np.pi * np.outer(np.arange(torus[1] // 2 + 1), np.arange(k_w)) / torus[1])
    symbol = np.einsum("oiab,ua,vb->uvoi", K, phase_h, phase_w, optimize=True)
    symbol = symbol.reshape(-1, *K.shape[:2])
    # phases are off by 2 pi max(torus) u and the library's error, sums of k_h k_w terms by their own rounding
    total = np.abs(K).sum(axis=(2, 3))
    off = float(np.linalg.norm(total)) * (8 * np.pi * max(torus) + 8 * (k_h * k_w + 16)) * UNIT
    largest = max(
        float(np.linalg.norm(symbol[k : k + _FREQUENCIES], ord=2, axis=(1, 2)).max())
        for k in range(0, len(symbol), _FREQUENCIES)
    )
    n = K.shape[1]
    rounding = 8 * (K.shape[0] + 4) * UNIT * float(np.linalg.norm(total)) ** 2
    excess = 1e-12
    while True:
        t = largest**2 * (1 + excess) + rounding
        if all(_definite(symbol[k : k + _FREQUENCIES], t) for k in range(0, len(symbol), _FREQUENCIES)):
            break
        excess *= 4
    # Cholesky of H = t I - fl(S* S) proves H >= -8 (n + 3) u trace(H), twice the real case, complex products
    proved = t + 8 * (n + 3) * UNIT * n * t + rounding
    return (sqrt(proved) * (1 + 4 * UNIT) + off) ** 2 * (1 + 4 * UNIT)


def _definite(symbol: Array, t: float) -> bool:
    H = t * np.eye(symbol.shape[2]) - np.swapaxes(symbol.conj(), 1, 2) @ symbol
    try:
        np.linalg.cholesky(H)
    except np.linalg.LinAlgError:
        return False
    return True
