"""One layer on integers, for a full set of lanes, and the counts of the work it did."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hw_sim.kernels.cast import cast_integer, cast_real, rounding_terms
from hw_sim.kernels.sums import LANES, add32, add64

Ints = NDArray[Any]

COUNTS = (
    "macs",
    "border_macs",
    "zero_macs",
    "weight_reads",
    "state_reads",
    "state_writes",
    "saturations",
    "overflows",
)
MACS, BORDER, ZERO, WEIGHT_READS, STATE_READS, STATE_WRITES, SATURATIONS, OVERFLOWS = range(8)

CAST, RELU, STEPS = range(3)
"""Activations: the sum cast to the state; the same with negative sums made zero; a staircase."""


@njit(cache=True, nogil=True)
def load_images(images: NDArray[Any], first: int, used: int, form: Ints, border: int, rows: Ints) -> int:
    """Cast `used` images from `first` on into the lanes of `rows`; return how many pixels overflowed.

    Parameters
    ----------
    images : ndarray of float32, shape (n, units)
        Finite numbers.
    form : ndarray of int64
        Fraction bits, rounding, overflow, low, high of the format.
    rows : ndarray of int32, shape (units + 1, LANES)
        Filled; the last row with `border`, unused lanes with 0.
    """
    units = images.shape[1]
    power, rounding, overflow, low, high = 2.0 ** form[0], form[1], form[2], form[3], form[4]
    changed = 0
    for unit in range(units):
        for lane in range(used):
            value = np.float64(images[first + lane, unit])
            rows[unit, lane], clipped = cast_real(value, power, rounding, overflow, low, high)
            changed += clipped
        for lane in range(used, LANES):
            rows[unit, lane] = 0
    for lane in range(LANES):
        rows[units, lane] = border
    return changed


@njit(cache=True)
def count_taps(
    weights: Ints,
    row: int,
    sources: Ints,
    table: int,
    position: int,
    taps: int,
    border: int,
    used: int,
    counts: Ints,
) -> None:
    """Count what the taps of one unit do in the lanes in use."""
    macs, at_border, zero = 0, 0, 0
    for tap in range(taps):
        macs += 1
        at_border += sources[table, position, tap] == border
        zero += weights[row, tap] == 0
    counts[MACS] += macs * used
    counts[BORDER] += at_border * used
    counts[ZERO] += zero * used
    counts[WEIGHT_READS] += (macs + 1) * used  # the bias is read too
    counts[STATE_READS] += (macs - at_border) * used
    counts[STATE_WRITES] += used


@njit(cache=True)
def activate(
    kind: int, totals: Ints, stairs: Ints, thresholds: Ints, levels: Ints, form: Ints, used: int,
    states: Ints, unit: int,
) -> int:  # fmt: skip
    """Turn the sums of one unit into states; return how many casts clipped in the lanes in use.

    For a staircase `stairs` holds the first and last sum of its cells, their shift, and the range of sums
    that do not clip; a cell's threshold leads to the next level. Otherwise `form` holds the cast: shift,
    rounding, overflow, low, high.
    """
    clipped = 0
    if kind == STEPS:
        first, final, shift = stairs[0], stairs[1], stairs[2] & 63
        inside, beyond = stairs[3], stairs[4]
        for lane in range(LANES):
            # Unsigned, so that no look-up has to ask whether an index counts from the end.
            cell = np.uint64((min(max(totals[lane], first), final) - first) >> shift)
            states[unit, lane] = levels[cell + np.uint64(totals[lane] >= thresholds[cell])]
        for lane in range(used):
            clipped += (totals[lane] < inside) | (totals[lane] >= beyond)
        return clipped
    shift, rounding, overflow, low, high = form[0], form[1], form[2], form[3], form[4]
    for lane in range(LANES):
        total = max(totals[lane], 0) if kind == RELU else totals[lane]
        states[unit, lane], changed = cast_integer(total, shift, rounding, overflow, low, high)
        clipped += changed and lane < used
    return clipped


@njit(cache=True, nogil=True)
def run_layer(
    weights: Ints, fan_in: Ints, tables: Ints, sources: Ints, biases: Ints, adder: Ints, wide: bool,
    kind: int, stairs: Ints, thresholds: Ints, levels: Ints, form: Ints,
    inputs: Ints, used: int, states: Ints, sums: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Compute the states of all units of a layer for the images in the lanes.

    Parameters
    ----------
    weights : ndarray of int32, shape (maps, most taps)
    fan_in : ndarray of int32, shape (maps,)
        Taps of each map.
    tables : ndarray of int32, shape (maps,)
        Which table of `sources` each map uses.
    sources : ndarray of int32, shape (tables, positions, most taps)
        Row of `inputs` that each tap reads, in the order of accumulation; the last row is the border.
    biases : ndarray of int64, shape (units,)
        Where each sum starts.
    adder : ndarray of int64
        Method, shift, rounding, overflow, low, high: see sums.py.
    wide
        Whether sums need 64 bits.
    kind, stairs, thresholds, levels, form
        The activation: see `activate`.
    inputs : ndarray of int32, shape (rows + 1, LANES)
    used
        Lanes that hold an image.
    states : ndarray of int32, shape (units or more, LANES)
        Filled.
    sums : ndarray of int64, shape (units or 1, LANES)
        Filled with the sums of each unit, or used as scratch.
    counts : ndarray of int64, shape (len(COUNTS),)
        Added to.
    """
    method, shift, overflow, low, high = adder[0], adder[1], adder[3], adder[4], adder[5]
    base, negative, odd = rounding_terms(adder[2], shift)
    border = inputs.shape[0] - 1
    keep = 1 if sums.shape[0] > 1 else 0
    narrow_sums = np.empty(LANES, np.int32)
    wide_sums = np.empty(LANES, np.int64)
    overflows = np.zeros(LANES, np.int32)
    positions = sources.shape[1]
    for row in range(weights.shape[0]):
        taps, table = fan_in[row], tables[row]
        for position in range(positions):
            unit = row * positions + position
            totals = sums[unit * keep]
            if wide:
                for lane in range(LANES):
                    wide_sums[lane] = biases[unit]
                add64(
                    method, overflow, weights, row, sources, table, position, taps, inputs, wide_sums,
                    overflows, low, high, shift, base, negative, odd,
                )  # fmt: skip
                for lane in range(LANES):
                    totals[lane] = wide_sums[lane]
            else:
                for lane in range(LANES):
                    narrow_sums[lane] = biases[unit]
                add32(
                    method, overflow, weights, row, sources, table, position, taps, inputs, narrow_sums,
                    overflows, low, high, shift, base, negative, odd,
                )  # fmt: skip
                for lane in range(LANES):
                    totals[lane] = narrow_sums[lane]
            count_taps(weights, row, sources, table, position, taps, border, used, counts)
            counts[SATURATIONS] += activate(
                kind, totals, stairs, thresholds, levels, form, used, states, unit
            )
    for lane in range(used):
        counts[OVERFLOWS] += overflows[lane]
