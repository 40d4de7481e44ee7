"""A layer of analog sums and comparators, for many images at once.

Weights, states, references and biases are whole numbers in single precision as long as no error is drawn,
and their sums stay below 2^24: everything is then exact. Errors make reals of them; the order of sums is
fixed, so that the same errors give the same bytes on any machine.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit, part

ANALOG_LANES = 128
"""Images in the lanes of one pass."""
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@part()
def add_products(weights: Floats, sources: Ints, taps: int, inputs: Floats, sums: Floats) -> None:
    """Add to `sums` (ANALOG_LANES,) the products of a unit, tap after tap."""
    whole = taps - taps % 4
    for tap in range(0, whole, 4):
        w0, w1, w2, w3 = weights[tap], weights[tap + 1], weights[tap + 2], weights[tap + 3]
        s0, s1, s2, s3 = sources[tap], sources[tap + 1], sources[tap + 2], sources[tap + 3]
        for lane in range(ANALOG_LANES):
            sums[lane] = (
                ((sums[lane] + w0 * inputs[s0, lane]) + w1 * inputs[s1, lane]) + w2 * inputs[s2, lane]
            ) + w3 * inputs[s3, lane]
    for tap in range(whole, taps):
        weight, source = weights[tap], sources[tap]
        for lane in range(ANALOG_LANES):
            sums[lane] += weight * inputs[source, lane]


@njit(allocates=True, nogil=True)
def run_analog_layer(
    weights: Floats, fan_in: Ints, tables: Ints, sources: Ints, starts: Floats, references: Floats,
    levels: Floats, sigma: Floats, noise: Floats, inputs: Floats, states: Floats,
) -> None:  # fmt: skip
    """Compute the states of all units of a layer for the images in the lanes.

    Parameters
    ----------
    weights : ndarray of float32, shape (maps, most taps)
    fan_in, tables : ndarray of int32, shape (maps,)
        Taps of each map; the table of `sources` that it uses.
    sources : ndarray of int32, shape (tables, positions, most taps)
        Row of `inputs` that each tap reads; the last row is the border.
    starts : ndarray of float32, shape (units,)
        Where each sum starts: its bias.
    references : ndarray of float32, shape (units, comparators)
        What the comparators of a unit compare its sum with. Each one reached is a level up.
    levels : ndarray of float32, shape (comparators + 1,)
        States, ascending.
    sigma : ndarray of float32, shape (maps,)
        What the noise is multiplied with.
    noise : ndarray of float32, shape (units or 0, ANALOG_LANES)
        Normal numbers; none for no noise.
    inputs : ndarray of float32, shape (rows + 1, ANALOG_LANES)
    states : ndarray of float32, shape (units or more, ANALOG_LANES)
        Filled.
    """
    sums = np.empty(ANALOG_LANES, np.float32)
    passed = np.empty(ANALOG_LANES, np.int32)
    (_, positions, _), (_, comparators) = sources.shape, references.shape
    for row in range(len(weights)):
        for position in range(positions):
            unit = row * positions + position
            for lane in range(ANALOG_LANES):
                sums[lane] = starts[unit]
            add_products(weights[row], sources[tables[row], position], fan_in[row], inputs, sums)
            if len(noise) > 0:
                for lane in range(ANALOG_LANES):
                    sums[lane] += sigma[row] * noise[unit, lane]
            for lane in range(ANALOG_LANES):
                passed[lane] = 0
            for comparator in range(comparators):
                reference = references[unit, comparator]
                for lane in range(ANALOG_LANES):
                    passed[lane] += np.int32(sums[lane] >= reference)
            for lane in range(ANALOG_LANES):
                states[unit, lane] = levels[passed[lane]]
