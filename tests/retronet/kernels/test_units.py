"""The rational tanh and sigmoid of single precision against numpy's in double; limits of the hard tanh."""

import numpy as np
import pytest

from retronet.kernels.units import (
    squash_hard_tanh,
    squash_sigmoid_double,
    squash_sigmoid_single,
    squash_tanh_single,
)


@pytest.mark.parametrize(("amplitude", "gain"), [(1.0, 1.0), (1.7159, 2 / 3)])
def test_error_of_single_precision_tanh(amplitude: float, gain: float) -> None:
    """Below 4e-7 of the amplitude everywhere, from the smallest numbers to far beyond saturation."""
    magnitudes = np.concatenate(
        [np.geomspace(1e-30, 1e-3, 5_000), np.linspace(1e-3, 20, 400_000), [1e3, 1e30]]
    )
    sums = np.concatenate([-magnitudes[::-1], [0.0], magnitudes]).astype(np.float32)
    flat = np.concatenate([sums, sums])
    a, s = np.float32(amplitude), np.float32(gain)
    squash_tanh_single(a, s, flat, 0, sums.size, sums.size)
    values, slopes = np.split(flat, 2)
    exact = np.tanh(np.float64(s) * sums.astype(np.float64))
    assert np.abs(values / a - exact).max() < 4e-7
    assert np.abs(values).max() <= a * (1 + 2e-7)
    small = np.abs(sums) < 0.1
    np.testing.assert_allclose(values[small], (a * exact)[small], rtol=4e-7)
    np.testing.assert_allclose(slopes, a * s * (1 - exact**2), atol=2e-6)


def test_error_of_the_sigmoid() -> None:
    """Below 3e-7 in single precision, within (0, 1); in double to the last places, far out too."""
    magnitudes = np.concatenate(
        [np.geomspace(1e-30, 1e-3, 2_000), np.linspace(1e-3, 40, 100_000), [800, 1e30]]
    )
    sums = np.concatenate([-magnitudes[::-1], [0.0], magnitudes])
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-sums))
    for dtype, squash, error in (
        (np.float32, squash_sigmoid_single, 3e-7),
        (np.float64, squash_sigmoid_double, 4e-16),
    ):
        flat = np.concatenate([sums, sums]).astype(dtype)
        squash(dtype(0), dtype(1), flat, 0, sums.size, sums.size)
        values, slopes = np.split(flat.astype(np.float64), 2)
        assert np.abs(values - exact).max() < error
        assert 0 <= values.min() <= values.max() <= 1
        np.testing.assert_allclose(slopes, exact * (1 - exact), atol=error)
        assert values[sums == 0] == 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hard_tanh_at_its_limits(dtype: type) -> None:
    sums = np.array([-np.inf, -2, -0.75, -0.5, 0, 1, 1.25, 9, np.nan], dtype)
    flat = np.concatenate([sums, sums])
    squash_hard_tanh(dtype(-0.75), dtype(1.25), flat, 0, sums.size, sums.size)
    values, slopes = np.split(flat, 2)
    np.testing.assert_array_equal(values, np.array([-0.75, -0.75, -0.75, -0.5, 0, 1, 1.25, 1.25, np.nan]))
    np.testing.assert_array_equal(slopes, [0, 0, 0, 1, 1, 1, 0, 0, 0])
