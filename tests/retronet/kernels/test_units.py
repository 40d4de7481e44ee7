"""The rational tanh of single precision against numpy's in double."""

import numpy as np
import pytest

from retronet.kernels.units import squash_tanh_single


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
