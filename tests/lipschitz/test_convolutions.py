"""Norms of convolutions: the matrix is torch's, the symbol's bound holds and is close."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otdiv.errors import InvalidInput
from otdiv.lipschitz import convolution_matrix, convolution_norm
from otdiv.lipschitz import convolutions as room


@pytest.mark.parametrize(
    ("channels", "sides", "kernel", "stride", "padding"),
    [
        ((2, 3), (5, 6), (3, 3), (1, 1), (1, 1)),
        ((1, 2), (7, 5), (4, 2), (2, 1), (0, 1)),
        ((3, 1), (4, 4), (1, 1), (1, 1), (0, 0)),
    ],
    ids=["plain", "strided", "one pixel"],
)
def test_the_matrix_is_what_torch_computes_and_the_symbol_bounds_its_norm(
    channels, sides, kernel, stride, padding, monkeypatch
):
    rng = np.random.default_rng(0)
    K = rng.normal(size=(channels[1], channels[0], *kernel))
    x = rng.normal(size=(4, channels[0], *sides))
    out = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(K), stride=stride, padding=padding).numpy()
    matrix = convolution_matrix(K, sides, stride=stride, padding=padding)
    np.testing.assert_allclose(x.reshape(4, -1) @ matrix.T, out.reshape(4, -1), atol=1e-12)
    exact = np.linalg.norm(matrix, 2)
    small = convolution_norm(K, sides, stride=stride, padding=padding).value
    assert exact <= small * (1 + 1e-12) and small == pytest.approx(exact, rel=1e-9)
    monkeypatch.setattr(room, "MATRIX_SIDE", 0)
    by_symbol = convolution_norm(K, sides, stride=stride, padding=padding).value
    assert exact <= by_symbol <= (1.35 if stride == (1, 1) else 2.0) * exact


def test_a_large_image_has_nearly_the_norm_of_its_symbol():
    K = np.random.default_rng(1).normal(size=(8, 4, 3, 3))
    bound = convolution_norm(K, (32, 32), padding=(1, 1)).value
    x = torch.randn((1, 4, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.tensor(K)
    for _ in range(60):  # power iteration, from below
        y = torch.nn.functional.conv2d(x, weight, padding=1)
        x = torch.nn.functional.conv_transpose2d(y, weight, padding=1)
        x = x / x.norm()
    below = float(torch.nn.functional.conv2d(x, weight, padding=1).norm())
    assert below <= bound <= 1.05 * below


@pytest.mark.parametrize(
    ("kernel", "sides", "options", "message"),
    [
        (np.zeros((2, 2)), (4, 4), {}, "kernel must have shape"),
        (np.full((1, 1, 2, 2), np.nan), (4, 4), {}, "kernel must be finite"),
        (np.ones((1, 1, 5, 5)), (4, 4), {}, "fit into the padded image"),
        (np.ones((1, 1, 2, 2)), (4, 4), {"padding": (2, 0)}, "padding must be below"),
    ],
    ids=["shape", "NaN", "large", "padding"],
)
def test_errors(kernel, sides, options, message):
    with pytest.raises(InvalidInput, match=message):
        convolution_norm(kernel, sides, **options)


def test_zeros_and_scales():
    assert convolution_norm(np.zeros((1, 1, 2, 2)), (64, 64)).value == 0.0
    K = np.random.default_rng(2).normal(size=(2, 2, 3, 3))
    one = convolution_norm(K, (30, 30)).value
    assert convolution_norm(K * 2.0**200, (30, 30)).value == pytest.approx(one * 2.0**200, rel=1e-12)
