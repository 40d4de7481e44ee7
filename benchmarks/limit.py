"""What the core can do: its multiply-adds a second, measured in the same run as what is compared with it."""

from time import perf_counter

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROUNDS, NUMBERS, DEPTH = 1000, 1024, 32


@njit(fastmath={"contract"})
def multiply_add(values: NDArray[np.float32], by: np.float32, rounds: int) -> None:
    """Do 32 multiply-adds for each number, as four independent chains of eight."""
    one, two, three = np.float32(1), np.float32(2), np.float32(3)
    for _ in range(rounds):
        for k in range(values.size):
            x = values[k]
            y, z, u, v = x, x + one, x + two, x + three
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            y, z, u, v = y * by + x, z * by + x, u * by + x, v * by + x
            values[k] = (y + z + u + v) * by


def multiply_adds_per_s() -> float:
    """Return the most float32 multiply-adds a second of many short rounds."""
    values, by = np.ones(NUMBERS, np.float32), np.float32(0.1)
    multiply_add(values, by, 1)
    least = np.inf
    for _ in range(200):
        start = perf_counter()
        multiply_add(values, by, ROUNDS // 100)
        least = min(least, perf_counter() - start)
    return ROUNDS // 100 * NUMBERS * DEPTH / least
