"""Matrix products on runs of taps against numpy's: runs that end before the last block, and inside it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.kernels.products import rows_by_columns, rows_by_rows

PAIRS, INNER, WIDTH = 3, 100, 40
RUNS = [
    [[[0, 50]], [[50, 100]], [[0, 100]]],
    [[[25, 50]], [[75, 100]], [[0, 25]]],
    [[[0, 9], [30, 35]], [[33, 34], [98, 99]], [[0, 0], [1, 2]]],
]


def table(runs: list[list[list[int]]]) -> NDArray[np.uint64]:
    most = max(map(len, runs))
    return np.array([ranges + [[0, 0]] * (most - len(ranges)) for ranges in runs], np.uint64)


def masked(values: NDArray[np.floating], runs: list[list[list[int]]]) -> NDArray[np.floating]:
    """Return rows with what lies outside the runs of their pair put to 0."""
    kept = np.zeros_like(values)
    for pair, ranges in enumerate(runs):
        for first, stop in ranges:
            kept[2 * pair : 2 * pair + 2, first:stop] = values[2 * pair : 2 * pair + 2, first:stop]
    return kept


@pytest.mark.parametrize("runs", RUNS, ids=str)
def test_rows_by_columns_takes_each_row_of_a_run_once(runs: list[list[list[int]]]) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2 * PAIRS, INNER)), rng.normal(size=(INNER, WIDTH))
    out = np.zeros(2 * PAIRS * WIDTH + 8)
    padded = np.append(b.ravel(), np.zeros(8))
    rows_by_columns(a.ravel(), 0, padded, 0, out, 0, INNER, WIDTH, PAIRS, table(runs), 0, True)
    np.testing.assert_allclose(out[:-8].reshape(-1, WIDTH), masked(a, runs) @ b, atol=1e-12)


@pytest.mark.parametrize("runs", RUNS, ids=str)
def test_rows_by_rows_makes_each_column_of_a_run_once(runs: list[list[list[int]]]) -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2 * PAIRS, WIDTH)), rng.normal(size=(INNER, WIDTH))
    out = np.zeros(2 * PAIRS * INNER + 8)
    rows_by_rows(a.ravel(), 0, b.ravel(), 0, out, 0, WIDTH, INNER, PAIRS, table(runs), 0, True)
    np.testing.assert_allclose(out[:-8].reshape(-1, INNER), masked(a @ b.T, runs), atol=1e-12)
