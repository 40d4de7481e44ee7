"""Normal numbers: numpy's, in single precision, and distributed as they say."""

import numpy as np
from scipy import stats

from hw_sim.chips.analog.normal import normal


def test_numbers_are_numpys_in_single_precision() -> None:
    numbers = normal(np.random.default_rng(5), (40, 500))
    assert (numbers.shape, numbers.dtype) == ((40, 500), np.dtype(np.float64))
    np.testing.assert_array_equal(numbers, numbers.astype(np.float32))
    np.testing.assert_allclose(numbers, np.random.default_rng(5).standard_normal((40, 500)), rtol=2**-24)


def test_numbers_are_normal() -> None:
    numbers = normal(np.random.default_rng(6), 20_000)
    assert stats.kstest(numbers, "norm").pvalue > 0.001
