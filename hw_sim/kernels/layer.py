"""One layer on integers, for a full set of lanes, and the counts of the work it did."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hw_sim.kernels.cast import cast_integer, clamp64, round64
from hw_sim.kernels.sums import FIT, LANES, SPLIT, UNITS, add32, add64, add_fit, add_split

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
    "preactivation_overflows",
)
MACS, BORDER, ZERO, WEIGHT_READS, STATE_READS, STATE_WRITES, SATURATIONS, OVERFLOWS, PRE_OVERFLOWS = range(9)

KEEP, CAST_PRE, SINGLE, DOUBLE = range(4)
"""What happens to a sum with its bias before the activation: nothing, a cast, requantising with one rounding
or with two (see hw_sim/fixed_point/requantise.py)."""
CAST, RELU, STEPS = range(3)
"""Activations: the sum cast to the state; the same with negative sums made zero; a staircase."""


@njit(cache=True)
def count_work(weights: Ints, fan_in: Ints, tables: Ints, sources: Ints, border: int, counts: Ints) -> None:
    """Count what the taps of all units do for one image."""
    for row in range(weights.shape[0]):
        table, taps = tables[row], fan_in[row]
        for position in range(sources.shape[1]):
            at_border = 0
            for tap in range(taps):
                at_border += sources[table, position, tap] == border
                counts[ZERO] += weights[row, tap] == 0
            counts[MACS] += taps
            counts[BORDER] += at_border
            counts[WEIGHT_READS] += taps + 1  # the bias is read too
            counts[STATE_READS] += taps - at_border
            counts[STATE_WRITES] += 1


@njit(cache=True)
def requantised(value: int, multiplier: int, shift: int, double: bool) -> int:
    """Return ``value · multiplier · 2^(shift − 31)``, rounded once or twice."""
    if not double:
        return round64(value * multiplier, 31 - shift, 1 << (30 - shift), 0, 0)
    high = round64((value << max(shift, 0)) * multiplier, 31, 1 << 30, 0, 0)
    if shift >= 0:
        return high
    return round64(high, -shift, 1 << (-shift - 1), -1, 0)


@njit(cache=True)
def look_up(
    totals: Ints,
    stairs: Ints,
    thresholds: Ints,
    levels: Ints,
    clips: Ints,
    used: int,
    states: Ints,
    unit: int,
) -> int:
    """Turn sums into states by a staircase; return how many did not fit their format.

    `stairs` holds the first and last sum of the cells, their shift, the place of their thresholds and of
    their levels, and whether any level was clipped; a cell's threshold leads to the next level.
    """
    first, final, shift = stairs[0], stairs[1], stairs[2] & 63
    # Unsigned, so that no look-up has to ask whether an index counts from the end.
    cells, steps = np.uint64(stairs[3]), np.uint64(stairs[4])
    for lane in range(LANES):
        cell = np.uint64((min(max(totals[lane], first), final) - first) >> shift)
        states[unit, lane] = levels[steps + cell + np.uint64(totals[lane] >= thresholds[cells + cell])]
    clipped = 0
    if stairs[5] != 0:
        for lane in range(used):
            cell = np.uint64((min(max(totals[lane], first), final) - first) >> shift)
            clipped += clips[steps + cell + np.uint64(totals[lane] >= thresholds[cells + cell])]
    return clipped


@njit(cache=True)
def prepare(totals: Ints, stage: int, before: Ints, end: int, scaling: Ints, used: int, biased: Ints) -> int:
    """Add the bias that comes last and make pre-activations, in place; return how many did not fit.

    `before` holds the shift that makes room for the bias, and shift, rounding, overflow, low and high of the
    cast; `scaling` multiplier and shift; `biased` is filled with the sums after the bias.
    """
    missed = 0
    for lane in range(LANES):
        total = (totals[lane] << (before[0] & 63)) + end
        biased[lane] = total
        if stage == CAST_PRE:
            totals[lane], changed = cast_integer(total, before[1], before[2], before[3], before[4], before[5])
            missed += changed and lane < used
        elif stage != KEEP:
            scaled = requantised(total, scaling[0], scaling[1], stage == DOUBLE)
            totals[lane] = clamp64(scaled, before[4], before[5])
            missed += (totals[lane] != scaled) and lane < used
        else:
            totals[lane] = total
    return missed


@njit(cache=True, nogil=True)
def run_layer(
    weights: Ints, rows: Ints, tables: Ints, sources: Ints, starts: Ints, ends: Ints, method: int, wide: bool,
    adder: Ints, second: Ints, stage: int, before: Ints, scalings: Ints,
    kind: int, stairs: Ints, thresholds: Ints, levels: Ints, clips: Ints, form: Ints,
    inputs: Ints, used: int, states: Ints, sums: Ints, biased: Ints, pre: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Compute the states of all units of a layer for the images in the lanes.

    Parameters
    ----------
    weights : ndarray of int32, shape (blocks, UNITS, even taps)
        Maps that read the same inputs, in blocks; blocks are filled up with zeros.
    rows : ndarray of int32, shape (blocks, UNITS)
        The map of each row of weights, or −1.
    tables : ndarray of int32, shape (blocks, 2)
        Table of `sources` that each block uses, and its taps, an even number.
    sources : ndarray of int32, shape (tables, positions, even taps)
        Row of `inputs` that each tap reads, in the order of accumulation; the last row is the border.
    starts, ends : ndarray of int64, shape (units,)
        Where each sum starts, and what is added to it last.
    method, wide, adder, second
        How to add, in which word, and shift, rounding, overflow, low, high of its casts: see sums.py.
    stage, before, scalings
        What comes between sums and activation: see `prepare`; `scalings` has a row a map or one row.
    kind, stairs, thresholds, levels, clips, form
        The activation: see `look_up`; `stairs` has a row a map or one row. Or `form`: shift, rounding,
        overflow, low, high of a cast.
    inputs : ndarray of int32, shape (rows + 1, LANES)
    used
        Lanes that hold an image.
    states : ndarray of int32, shape (units or more, LANES)
        Filled.
    sums, biased, pre : ndarray of int64, shape (units or 1, LANES)
        Filled with the sums, sums with all biases and pre-activations of each unit, or used as scratch.
    counts : ndarray of int64, shape (len(COUNTS),)
        Added to.
    """
    keep = 1 if sums.shape[0] > 1 else 0
    direct = keep == 0 and kind == STEPS and stage == KEEP and before[0] == 0 and not ends.any()
    narrow_sums = np.empty((UNITS, LANES), np.int32)
    wide_sums = np.empty((UNITS, LANES), np.int64)
    overflows = np.zeros(LANES, np.int32)
    positions = sources.shape[1]
    one_stair, one_scaling = 1 if stairs.shape[0] > 1 else 0, 1 if scalings.shape[0] > 1 else 0
    for block in range(weights.shape[0]):
        table, taps = tables[block, 0], tables[block, 1]
        for position in range(positions):
            for slot in range(UNITS):
                row = rows[block, slot]
                start = starts[row * positions + position] if row >= 0 else 0
                if wide:
                    for lane in range(LANES):
                        wide_sums[slot, lane] = start
                else:
                    for lane in range(LANES):
                        narrow_sums[slot, lane] = start
            taken = sources[table, position]
            if wide and method == SPLIT:
                add_split(weights[block], taken, taps, inputs, wide_sums, overflows, adder, second)
            elif wide:
                add64(weights[block], taken, taps, inputs, wide_sums, overflows, method, adder)
            elif method == FIT:
                add_fit(weights[block], taken, taps, inputs, narrow_sums, overflows, adder)
            else:
                add32(weights[block], taken, taps, inputs, narrow_sums, overflows, method, adder)
            for slot in range(UNITS):
                row = rows[block, slot]
                if row < 0:
                    continue
                unit = row * positions + position
                steps = stairs[row * one_stair]
                if direct and not wide:
                    counts[SATURATIONS] += look_up(
                        narrow_sums[slot], steps, thresholds, levels, clips, used, states, unit
                    )
                    continue
                totals = pre[unit * keep]
                for lane in range(LANES):
                    totals[lane] = wide_sums[slot, lane] if wide else np.int64(narrow_sums[slot, lane])
                    sums[unit * keep, lane] = totals[lane]
                counts[PRE_OVERFLOWS] += prepare(
                    totals, stage, before, ends[unit], scalings[row * one_scaling], used, biased[unit * keep]
                )
                if kind == STEPS:
                    counts[SATURATIONS] += look_up(
                        totals, steps, thresholds, levels, clips, used, states, unit
                    )
                else:
                    counts[SATURATIONS] += cast_states(totals, kind == RELU, form, used, states, unit)
    for lane in range(used):
        counts[OVERFLOWS] += overflows[lane]


@njit(cache=True)
def cast_states(totals: Ints, rectify: bool, form: Ints, used: int, states: Ints, unit: int) -> int:
    """Cast sums to states, negative ones as 0 where asked; return how many did not fit."""
    clipped = 0
    for lane in range(LANES):
        total = max(totals[lane], 0) if rectify else totals[lane]
        states[unit, lane], changed = cast_integer(total, form[0], form[1], form[2], form[3], form[4])
        clipped += changed and lane < used
    return clipped
