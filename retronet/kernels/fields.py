"""Fields: the inputs of a convolution, gathered so that its products run over contiguous rows.

A state goes into its field in two steps. Its units go to their places in planes with a border; from these the
field is copied in strips of adjacent numbers, each as long as the kernel is wide (or the output, if positions
lie innermost). The field is one strip after the other; ``strips`` says where each comes from.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Places = NDArray[np.uint32]
_0, _1, _2, _3, _4, _5, _6, _7 = (np.uint64(number) for number in range(8))

LANES = 8
"""Short strips are copied this many numbers at a time; fields and padded planes need as many to spare."""


@njit(cache=True)
def pad(
    flat: Floats, state: int, padded: int, planes: int, plane: int, padded_plane: int, places: Places
) -> None:
    """Copy the planes of a state to their places in padded planes; all start there in the flat vector."""
    source, target = np.uint64(state), np.uint64(padded)
    for _ in range(planes):
        for unit in range(np.uint64(plane)):
            flat[target + places[unit]] = flat[source + unit]
        source += np.uint64(plane)
        target += np.uint64(padded_plane)


@njit(cache=True)
def unpad(
    flat: Floats, state: int, padded: int, planes: int, plane: int, padded_plane: int, places: Places
) -> None:
    """Copy the planes of a state back from padded planes."""
    target, source = np.uint64(state), np.uint64(padded)
    for _ in range(planes):
        for unit in range(np.uint64(plane)):
            flat[target + unit] = flat[source + places[unit]]
        target += np.uint64(plane)
        source += np.uint64(padded_plane)


@njit(cache=True)
def gather(flat: Floats, padded: int, field: int, length: int, strips: Places) -> None:
    """Copy the strips of padded planes into the field."""
    start, place, step = np.uint64(padded), np.uint64(field), np.uint64(length)
    if length > LANES:
        for strip in range(strips.size):
            source = start + strips[strip]
            for k in range(step):
                flat[place + k] = flat[source + k]
            place += step
        return
    # What is copied too much, the next strip puts right.
    for strip in range(strips.size):
        s = start + strips[strip]
        x0, x1, x2, x3 = flat[s], flat[s + _1], flat[s + _2], flat[s + _3]
        x4, x5, x6, x7 = flat[s + _4], flat[s + _5], flat[s + _6], flat[s + _7]
        flat[place], flat[place + _1], flat[place + _2], flat[place + _3] = x0, x1, x2, x3
        flat[place + _4], flat[place + _5], flat[place + _6], flat[place + _7] = x4, x5, x6, x7
        place += step


@njit(cache=True)
def scatter(flat: Floats, padded: int, padded_size: int, field: int, length: int, strips: Places) -> None:
    """Clear the padded planes and add the strips of a field to them."""
    start, place, step = np.uint64(padded), np.uint64(field), np.uint64(length)
    for k in range(start, start + np.uint64(padded_size)):
        flat[k] = 0
    if length == 5:
        # The commonest kernel, unrolled: five numbers are too few for a loop of their own.
        for strip in range(strips.size):
            s = start + strips[strip]
            for k in range(_5):
                flat[s + k] += flat[place + k]
            place += _5
        return
    for strip in range(strips.size):
        s = start + strips[strip]
        for k in range(step):
            flat[s + k] += flat[place + k]
        place += step
