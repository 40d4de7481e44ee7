"""Pools: the largest or the mean of a window of each plane below; they have no parameters.

``taps`` says which inputs of a plane each position reads, position by position, row by row in a window; the
number of units of a plane stands for the border. A max pool leaves a mask of its windows in its field, 1
where the largest input was: squares leave it as it is, so that second derivatives go the same way down. The
field of an average pool is one number, what its sums are multiplied by.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit

Floats = NDArray[np.floating]
Taps = NDArray[np.uint32]
_0 = np.uint64(0)


@njit()
def take_largest(
    activity: Floats, state: int, field: int, out: int, planes: int, plane: int, positions: int, taps: Taps
) -> None:
    """Fill outputs and mask of a max pool; of equal inputs the first is taken, and NaN before all others.

    Parameters
    ----------
    activity, state, field, out
        Flat vector; where states below (planes, plane), mask (planes, positions, taps of a window) and
        outputs (planes, positions) start in it.
    planes, plane, positions
        Sizes: maps, units of a plane below, outputs of a map.
    taps
        Which unit of a plane each tap reads, shape (positions · taps of a window,).
    """
    zero, one = activity.dtype.type(0), activity.dtype.type(1)
    below, mask, result = np.uint64(state), np.uint64(field), np.uint64(out)
    size, count = np.uint64(plane), np.uint64(taps.size // positions)
    for _ in range(np.uint64(planes)):
        tap, winner = _0, _0
        for position in range(np.uint64(positions)):
            largest, nothing = zero, True
            for k in range(count):
                activity[mask + k] = zero
                # Only NaN is not itself.
                if taps[tap + k] < size:
                    value = activity[below + np.uint64(taps[tap + k])]
                    if nothing or value > largest or value != value:
                        largest, winner, nothing = value, mask + k, False
            activity[winner] = one
            activity[result + position] = largest
            tap += count
            mask += count
        below, result = below + size, result + np.uint64(positions)


@njit()
def take_mean(
    activity: Floats, state: int, field: int, out: int, planes: int, plane: int, positions: int, taps: Taps
) -> None:
    """Fill the outputs of an average pool, each the sum of its window, in order, times one number.

    Parameters
    ----------
    activity, state, field, out, planes, plane, positions, taps
        As for `take_largest`; the field is the number.
    """
    below, result, factor = np.uint64(state), np.uint64(out), activity[field]
    size, count = np.uint64(plane), np.uint64(taps.size // positions)
    for _ in range(np.uint64(planes)):
        tap = _0
        for position in range(np.uint64(positions)):
            total = activity.dtype.type(0)
            for k in range(count):
                if taps[tap + k] < size:
                    total += activity[below + np.uint64(taps[tap + k])]
            activity[result + position] = factor * total
            tap += count
        below, result = below + size, result + np.uint64(positions)


@njit()
def send_to_largest(
    activity: Floats,
    received: Floats,
    state: int,
    field: int,
    out: int,
    planes: int,
    plane: int,
    positions: int,
    taps: Taps,
) -> None:
    """Send what the outputs of a max pool received to the largest input of each window.

    Parameters
    ----------
    activity, received
        Flat vector with the mask; one laid out like it, in which the outputs' part is read and that of the
        states below is filled.
    state, field, out, planes, plane, positions, taps
        As for `take_largest`.
    """
    zero = received.dtype.type(0)
    below, mask, result = np.uint64(state), np.uint64(field), np.uint64(out)
    size, count = np.uint64(plane), np.uint64(taps.size // positions)
    for _ in range(np.uint64(planes)):
        tap = _0
        for k in range(below, below + size):
            received[k] = zero
        for position in range(np.uint64(positions)):
            for k in range(count):
                if activity[mask + k] != zero:
                    received[below + np.uint64(taps[tap + k])] += received[result + position]
            tap += count
            mask += count
        below, result = below + size, result + np.uint64(positions)


@njit()
def send_to_all(
    activity: Floats,
    received: Floats,
    state: int,
    field: int,
    out: int,
    planes: int,
    plane: int,
    positions: int,
    taps: Taps,
) -> None:
    """Send what the outputs of an average pool received, times its number, to all inputs of each window.

    Parameters
    ----------
    activity, received, state, field, out, planes, plane, positions, taps
        As for `send_to_largest`.
    """
    zero, factor = received.dtype.type(0), activity[field]
    below, result = np.uint64(state), np.uint64(out)
    size, count = np.uint64(plane), np.uint64(taps.size // positions)
    for _ in range(np.uint64(planes)):
        tap = _0
        for k in range(below, below + size):
            received[k] = zero
        for position in range(np.uint64(positions)):
            sent = factor * received[result + position]
            for k in range(count):
                if taps[tap + k] < size:
                    received[below + np.uint64(taps[tap + k])] += sent
            tap += count
        below, result = below + size, result + np.uint64(positions)
