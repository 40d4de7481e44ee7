"""Subsampling: each map's coefficient times the sums of blocks of the plane below (PIEEE98 §II.B).

Blocks of two by two, which all published networks have, are taken eight outputs at a time; others unit by
unit, each in the block that `places` names.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit
from retronet.kernels.vectors import (
    add8,
    first8,
    fma,
    fma8,
    load8,
    lower_twice,
    mul8,
    splat8,
    store8,
    sum8,
    sums_of_pairs,
    upper_twice,
)

Floats = NDArray[np.floating]
Places = NDArray[np.uint32]
_0, _2, _4, _8 = (np.uint64(number) for number in (0, 2, 4, 8))


@njit()
def add_subsampled(
    parameters: Floats,
    first_weight: int,
    first_bias: int,
    activity: Floats,
    first_state: int,
    first_out: int,
    maps: int,
    planes: int,
    plane: int,
    positions: int,
    width: int,
    places: Places,
) -> None:
    """Add each map's coefficient times the sums of its blocks to its bias.

    Parameters
    ----------
    parameters, first_weight, first_bias
        Flat vector; where coefficients and biases start in it.
    activity, first_state, first_out
        Flat vector; where states below (planes, plane) and outputs (maps, positions) start in it.
    maps, planes, plane, positions, width
        Sizes: maps, of which those beyond the planes are empty, units of a plane below, outputs of a map,
        outputs of a row.
    places
        The output that each unit of a plane adds to, shape (plane,).
    """
    state, out, weight = np.uint64(first_state), np.uint64(first_out), np.uint64(first_weight)
    size, outputs, row_length = np.uint64(plane), np.uint64(positions), np.uint64(width)
    twos = plane == 4 * positions
    for m in range(np.uint64(planes)):
        coefficient, bias = parameters[weight + m], parameters[np.uint64(first_bias) + m]
        if twos:
            each, start = splat8(coefficient), splat8(bias)
            for row in range(_0, outputs, row_length):
                upper = state + _4 * row
                lower = upper + _2 * row_length
                for k in range(_0, row_length, _8):
                    left = add8(load8(activity, upper + _2 * k), load8(activity, lower + _2 * k))
                    right = add8(load8(activity, upper + _2 * k + _8), load8(activity, lower + _2 * k + _8))
                    # What is written too much, the next row puts right, and the next map.
                    store8(activity, out + row + k, fma8(each, sums_of_pairs(left, right), start))
        else:
            for k in range(out, out + outputs):
                activity[k] = bias
            for unit in range(size):
                position = out + np.uint64(places[unit])
                activity[position] = fma(coefficient, activity[state + unit], activity[position])
        state, out = state + size, out + outputs
    for k in range(out, np.uint64(first_out + maps * positions)):
        activity[k] = 0


@njit()
def backward_subsampled(
    parameters: Floats,
    first_weight: int,
    activity: Floats,
    received: Floats,
    gradient: Floats,
    first_state: int,
    first_out: int,
    planes: int,
    plane: int,
    positions: int,
    width: int,
    places: Places,
) -> None:
    """Send the deltas to the blocks below and add the gradient of the coefficients.

    Parameters
    ----------
    received, gradient
        Flat vectors, laid out like the activity and the parameters.
    parameters, first_weight, activity, first_state, first_out, planes, plane, positions, width, places
        As for `add_subsampled`.
    """
    state, out, weight = np.uint64(first_state), np.uint64(first_out), np.uint64(first_weight)
    size, outputs, row_length = np.uint64(plane), np.uint64(positions), np.uint64(width)
    twos = plane == 4 * positions
    for m in range(np.uint64(planes)):
        coefficient, total = parameters[weight + m], received.dtype.type(0)
        if twos:
            each, totals = splat8(coefficient), splat8(total)
            for row in range(_0, outputs, row_length):
                upper = state + _4 * row
                lower = upper + _2 * row_length
                for k in range(_0, row_length, _8):
                    u, v = upper + _2 * k, lower + _2 * k
                    delta = first8(load8(received, out + row + k), row_length - k)
                    left = add8(load8(activity, u), load8(activity, v))
                    right = add8(load8(activity, u + _8), load8(activity, v + _8))
                    block = first8(sums_of_pairs(left, right), row_length - k)
                    totals = fma8(delta, block, totals)
                    sent = mul8(each, delta)
                    # What is written too much, the next row puts right, and the next map.
                    store8(received, u, lower_twice(sent))
                    store8(received, u + _8, upper_twice(sent))
                    store8(received, v, lower_twice(sent))
                    store8(received, v + _8, upper_twice(sent))
            total = sum8(totals)
        else:
            for unit in range(size):
                delta = received[out + np.uint64(places[unit])]
                total = fma(delta, activity[state + unit], total)
                received[state + unit] = coefficient * delta
        gradient[weight + m] += total
        state, out = state + size, out + outputs
