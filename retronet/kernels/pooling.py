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
        tap = _0
        for position in range(np.uint64(positions)):
            # Choices in place of branches, which no processor could foretell.
            largest, winner, nothing = zero, _0, True
            for k in range(count):
                place = np.uint64(taps[tap + k])
                inside = place < size
                value = activity[below + (place if inside else _0)]
                # Only NaN is not itself.
                better = inside & (nothing | (value > largest) | (value != value))
                largest, winner = value if better else largest, np.uint64(k) if better else winner
                nothing &= not inside
            for k in range(count):
                activity[mask + k] = one if k == winner else zero
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
    zero = activity.dtype.type(0)
    size, count = np.uint64(plane), np.uint64(taps.size // positions)
    for _ in range(np.uint64(planes)):
        tap = _0
        for position in range(np.uint64(positions)):
            total = zero
            for k in range(count):
                place = np.uint64(taps[tap + k])
                inside = place < size
                value = activity[below + (place if inside else _0)]
                total += value if inside else zero
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
            delta = received[result + position]
            for k in range(count):
                place = np.uint64(taps[tap + k])
                sent = delta if activity[mask + k] != zero else zero
                received[below + (place if place < size else _0)] += sent
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
                place = np.uint64(taps[tap + k])
                received[below + (place if place < size else _0)] += sent if place < size else zero
            tap += count
        below, result = below + size, result + np.uint64(positions)
