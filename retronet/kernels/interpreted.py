"""What `vectors` and `separate` offer, in plain numpy and Python: for kernels that are not compiled.

A multiply-add rounds twice here, and the address of a loop is the loop.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Whole = int | np.integer


def fma(a: np.floating, b: np.floating, c: np.floating) -> np.floating:
    """Return ``a · b + c`` of three numbers, rounded once."""
    return a * b + c


def splat8(value: np.floating) -> Floats:
    """Return eight times `value`."""
    return np.full(8, value)


def load8(values: Floats, first: Whole) -> Floats:
    """Return eight numbers from place `first` on."""
    return values[int(first) : int(first) + 8].copy()


def store8(values: Floats, first: Whole, eight: Floats) -> None:
    """Put eight numbers from place `first` on."""
    values[int(first) : int(first) + 8] = eight


def first8(eight: Floats, count: Whole) -> Floats:
    """Return the first `count` of eight numbers, and zeros."""
    return np.where(np.arange(8) < int(count), eight, eight.dtype.type(0))


def store_first8(values: Floats, first: Whole, eight: Floats, old: Floats, count: Whole) -> None:
    """Put the first `count` of eight numbers, and of `old`, which was there, the rest."""
    store8(values, first, np.where(np.arange(8) < int(count), eight, old))


def at_least8(a: Floats, b: Floats) -> int:
    """Return in which of eight places ``a >= b``, the first as the lowest bit."""
    return int(np.packbits(a >= b, bitorder="little")[0])


def add8(a: Floats, b: Floats) -> Floats:
    """Return ``a + b``."""
    return a + b


def mul8(a: Floats, b: Floats) -> Floats:
    """Return ``a · b``."""
    return a * b


def sub8(a: Floats, b: Floats) -> Floats:
    """Return ``a - b``."""
    return a - b


def div8(a: Floats, b: Floats) -> Floats:
    """Return ``a / b``."""
    return a / b


def fma8(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return ``a · b + c``, rounded once."""
    return a * b + c


def load4(values: Floats, first: Whole, step: Whole) -> Floats:
    """Return four times eight numbers, from place `first` on and places that are `step` apart."""
    return np.stack([load8(values, int(first) + each * int(step)) for each in range(4)])


def splat4(values: Floats, first: Whole, step: Whole) -> Floats:
    """Return each of four numbers eight times: from place `first` on, `step` apart."""
    return np.stack([splat8(values[int(first) + each * int(step)]) for each in range(4)])


def same4(eight: Floats) -> Floats:
    """Return four times the same eight numbers."""
    return np.stack([eight] * 4)


def first4(four: Floats, count: Whole) -> Floats:
    """Return the first `count` of each eight numbers, and zeros."""
    return first8(four, count)


def fma4(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return ``a · b + c``, rounded once; a or b may be eight numbers that serve four times."""
    return a * b + c


def fma_to_first4(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return four times eight numbers with ``a · b`` added to the first eight of them, rounded once."""
    return np.stack([a * b + c[0], *c[1:]])


def sum4(four: Floats) -> Floats:
    """Return the sum of four times eight numbers, place by place: of two and two."""
    return (four[0] + four[1]) + (four[2] + four[3])  # type: ignore[no-any-return]


def chain8(start: Floats, a: Floats, b: Floats) -> Floats:
    """Return `start` with four products added, one after the other, each rounded once."""
    return start + a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]  # type: ignore[no-any-return]


def sum8(eight: Floats) -> np.floating:
    """Return the sum of eight numbers."""
    four = eight[:4] + eight[4:]
    two = four[:2] + four[2:]
    total: np.floating = two[0] + two[1]
    return total


def sums_of_eight(s: Floats, t: Floats) -> Floats:
    """Return the sums of two times four times eight numbers, each as `sum8` gives it."""
    return np.array([sum8(eight) for eight in (*s, *t)])


def add_halves(values: Floats, first: Whole, second: Whole, eight: Floats) -> None:
    """Add four of eight numbers to those from place `first` on, the other four from `second` on."""
    values[int(first) : int(first) + 4] += eight[:4]
    values[int(second) : int(second) + 4] += eight[4:]


def sums_of_pairs(a: Floats, b: Floats) -> Floats:
    """Return the sums of the pairs of neighbours in sixteen numbers."""
    both = np.concatenate([a, b])
    sums: Floats = both[::2] + both[1::2]
    return sums


def lower_twice(eight: Floats) -> Floats:
    """Return the first four of eight numbers, each twice."""
    return np.repeat(eight[:4], 2)


def upper_twice(eight: Floats) -> Floats:
    """Return the last four of eight numbers, each twice."""
    return np.repeat(eight[4:], 2)


def address_of(loop: Callable[..., object], *arguments: object) -> Any:  # noqa: ANN401 - passes for a number
    """Return the address of `loop`, compiled for arguments of the types of these."""
    del arguments
    return loop


def call(loop: Any, arguments: tuple[object, ...]) -> None:  # noqa: ANN401
    """Call the loop at an address; it returns nothing."""
    loop(*arguments)


def call_for_float(loop: Any, arguments: tuple[object, ...]) -> float:  # noqa: ANN401
    """Call the loop at an address; it returns a double."""
    return float(loop(*arguments))
