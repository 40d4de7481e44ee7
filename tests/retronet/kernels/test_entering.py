"""Loops that Python enters without a wrapper: every kind of argument arrives as it was."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.typing import NDArray

from retronet.kernels.jit import entry

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


class Inner(NamedTuple):
    """A tuple within another."""

    values: NDArray[Any]
    factor: float


class Outer(NamedTuple):
    """Arrays of several dimensions, numbers and a tuple, as a network has them."""

    table: NDArray[Any]
    inner: Inner
    start: int
    pair: tuple[int, int]


@entry()
def add_up(outer: Outer, strided: NDArray[Any], doubled: bool, last: float) -> float:
    """Add up all that is handed over, each number with a weight of its own."""
    total = 0.0
    for row in range(outer.table.shape[0]):
        for column in range(outer.table.shape[1]):
            total += (row + 1) * (column + 2) * outer.table[row, column]
    for k in range(outer.inner.values.size):
        total += outer.inner.factor * outer.inner.values[k]
    for k in range(strided.shape[0]):
        total += (k + 3) * strided[k]
    total += 5 * outer.start + 7 * outer.pair[0] + 11 * outer.pair[1] + 13 * float(last)
    return 2 * total if doubled else total


@entry(nogil=True)
def fill(values: NDArray[Any], number: float) -> None:
    """Put a number everywhere."""
    for k in range(values.size):
        values[k] = number


@entry()
def divide(values: NDArray[Any], divisor: int) -> None:
    """End with an error where `divisor` is 0."""
    for k in range(values.size):
        values[k] = 1.0 / divisor


def slowly(outer: Outer, strided: NDArray[Any], doubled: bool, last: float) -> float:
    table, (values, factor), start, pair = outer
    rows, columns = np.indices(table.shape)
    total = float(((rows + 1) * (columns + 2) * table.astype(float)).sum()) + float(factor * values.sum())
    total += float(((np.arange(len(strided)) + 3) * strided).sum())
    total += 5 * int(start) + 7 * pair[0] + 11 * pair[1] + 13 * float(last)
    return 2 * total if doubled else total


@pytest.mark.parametrize(
    ("table", "last", "read_only"),
    [
        (np.float32, 2.0, False),
        (np.float64, np.float64(2.5), True),
        (np.uint8, np.float32(0.5), False),
        (np.int64, 3, True),
        (np.uint32, np.int64(-4), False),
        (np.int8, np.uint8(200), False),
    ],
)
def test_every_kind_of_argument_arrives(table: type[Any], last: float, read_only: bool) -> None:
    random = np.random.default_rng(1)
    numbers = random.integers(0, 9, (3, 4)).astype(table)
    numbers.flags.writeable = not read_only
    values = random.integers(0, 9, 6).astype(np.float64)
    for strided in (values, values[::2], values[::-1], values[:0]):
        outer = Outer(numbers, Inner(values, 0.25), 17, (-2, 3))
        for doubled in (False, True):
            assert add_up(outer, strided, doubled, last) == slowly(outer, strided, doubled, last)


def test_a_loop_that_returns_nothing() -> None:
    for dtype in (np.float32, np.float64):
        values = np.zeros(5, dtype)
        assert fill(values, 1.5) is None
        assert (values == 1.5).all()


@compiled
def test_an_error_is_one_in_python_too() -> None:
    values = np.zeros(3)
    divide(values, 4)
    assert (values == 0.25).all()
    with pytest.raises(RuntimeError, match="divide ended with status"):
        divide(values, 0)


@compiled
def test_what_no_loop_takes_is_refused() -> None:
    with pytest.raises(TypingError, match="unicode_type"):
        fill(np.zeros(1), "1")  # type: ignore[arg-type]


def test_threads_do_not_mix_their_calls() -> None:
    arrays = [np.zeros(1000) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            list(pool.map(fill, arrays, range(8)))
            assert all((array == k).all() for k, array in enumerate(arrays))
