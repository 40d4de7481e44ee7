"""What the tests of pictures share: records made by hand or in milliseconds."""

import numpy as np
import pytest

from retronet.evaluate import Score, wilson_percent


def score_of(misses: int, n: int = 200, half_mse: float | None = 0.02) -> Score:
    """Return a score with that many misses."""
    low, high = wilson_percent(misses, n)
    return Score(n, misses, 100 * misses / n, low, high, half_mse, 3.0)


@pytest.fixture(scope="session")
def outputs() -> tuple[np.ndarray, np.ndarray]:
    """Return outputs (300, 10) that are mostly right, and the labels."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, 300).astype(np.uint8)
    values = rng.normal(0, 0.6, (300, 10))
    values[np.arange(300), labels] += 1.6
    return values, labels
