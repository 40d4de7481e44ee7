"""One layer on integers, for a full set of lanes, and the counts of the work it did."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.kernels.cast import INT32, INT64, LOW_WORD, Word, cast_integer, round64
from hw_sim.kernels.layer_records import (
    CAST,
    DOUBLE,
    KEEP,
    Block,
    Kept,
    Lanes,
    LayerArrays,
    Packed,
    Stage,
    Staged,
    StateCast,
    StepTables,
)  # fmt: skip
from hw_sim.kernels.sums import (
    INTEGER_LANES,
    UNITS,
    Casts,
    Ranged,
    Split,
    add_exact,
    add_in_range,
    add_split,
    cast32,
    cast64,
    keep_largest,
)
from retronet.kernels.jit import njit, part

Ints = NDArray[Any]
Numbers = NDArray[Any]

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
    "comparisons",
    "additions",
)
MACS, BORDER, ZERO, WEIGHT_READS, STATE_READS, STATE_WRITES, SATURATIONS, OVERFLOWS, PRE_OVERFLOWS = range(9)
COMPARISONS, ADDITIONS = 9, 10


@part()
def requantised(value: int, multiplier: int, shift: int, double: bool) -> int:
    """Return ``value · multiplier · 2^(shift − 31)``, rounded once or twice."""
    if not double:
        return round64(value * multiplier, 31 - shift, 1 << (30 - shift), 0, 0)
    high = round64((value << max(shift, 0)) * multiplier, 31, 1 << 30, 0, 0)
    if shift >= 0:
        return high
    return round64(high, -shift, 1 << (-shift - 1), -1, 0)


POSITIONS_TOGETHER = 8
"""Positions of a block whose sums are made before any of them is turned into states."""


def packed_look_up_of(word: Word) -> Callable[..., None]:
    """Return the look-up in packed staircases, for sums that fit a machine word."""

    @part()
    def look_up_packed(
        sums: Numbers, block: Block, table: Ints, entries: Ints, states: Numbers, above: Ints, clipped: Ints
    ) -> None:
        for slot in range(UNITS):
            row = block.rows[slot]
            stairs = row if len(table) > 1 else 0
            first, final, shift = word(table[stairs, 0]), word(table[stairs, 1]), word(table[stairs, 2])
            begin, inner = np.uint64(table[stairs, 3]), word((1 << shift) - 1)
            least, most = word(table[stairs, 4]), word(table[stairs, 5])
            for place in range(block.places if row >= 0 else 0):
                unit = row * block.positions + block.first + place
                for lane in range(INTEGER_LANES):
                    total = word(sums[place, slot, lane])
                    clipped[lane] += np.int32((total < least) | (total > most))
                    above[0, lane] = min(max(total, first), final) - first
                # A loop by itself: with arithmetic beside it the compiler makes all of it number by number.
                for lane in range(INTEGER_LANES):
                    # Unsigned, so that no look-up has to ask whether an index counts from the end.
                    cell = np.uint64(np.right_shift(above[0, lane], shift)) & LOW_WORD
                    above[1, lane] = entries[begin + cell]
                for lane in range(INTEGER_LANES):
                    raised = word(above[1, lane] + word(above[0, lane] & inner))
                    states[unit, lane] = np.right_shift(raised, shift)

    return look_up_packed


look_up_narrow, look_up_wide = packed_look_up_of(INT32), packed_look_up_of(INT64)


@part()
def look_up(
    sums: Numbers, block: Block, table: Ints, thresholds: Ints, levels: Ints, states: Numbers
) -> None:
    """Turn sums into states by staircases; see `StepTables`."""
    for slot in range(UNITS):
        row = block.rows[slot]
        stairs = row if len(table) > 1 else 0
        first, final, shift = table[stairs, 0], table[stairs, 1], table[stairs, 2] & 63
        cells, begin = np.uint64(table[stairs, 3]), np.uint64(table[stairs, 4])
        for place in range(block.places if row >= 0 else 0):
            unit = row * block.positions + block.first + place
            for lane in range(INTEGER_LANES):
                total = np.int64(sums[place, slot, lane])
                cell = np.uint64((min(max(total, first), final) - first) >> shift)
                states[unit, lane] = levels[begin + cell + np.uint64(total >= thresholds[cells + cell])]


@part()
def count_clips(sums: Numbers, block: Block, table: Ints, thresholds: Ints, clips: Ints, used: int) -> int:
    """Return how many states of staircases did not fit their format."""
    clipped = 0
    for slot in range(UNITS):
        row = block.rows[slot]
        stairs = row if len(table) > 1 else 0
        if row < 0 or table[stairs, 5] == 0:
            continue
        first, final, shift = table[stairs, 0], table[stairs, 1], table[stairs, 2] & 63
        cells, begin = np.uint64(table[stairs, 3]), np.uint64(table[stairs, 4])
        for place in range(block.places):
            for lane in range(used):
                total = np.int64(sums[place, slot, lane])
                cell = np.uint64((min(max(total, first), final) - first) >> shift)
                clipped += clips[begin + cell + np.uint64(total >= thresholds[cells + cell])]
    return clipped


@part()
def cast_states(sums: Numbers, block: Block, form: Ints, rectify: bool, used: int, states: Numbers) -> int:
    """Cast sums to states, negative ones as 0 where asked; return how many did not fit."""
    clipped = 0
    for slot in range(UNITS):
        row = block.rows[slot]
        for place in range(block.places if row >= 0 else 0):
            unit = row * block.positions + block.first + place
            for lane in range(INTEGER_LANES):
                total: Any = np.int64(sums[place, slot, lane])
                total = max(total, 0) if rectify else total
                state, changed = cast_integer(total, form[0], form[1], form[2], form[3], form[4])
                states[unit, lane] = state
                clipped += changed and lane < used
    return clipped


@part()
def keep(rows: Ints, unit: int, totals: Ints) -> None:
    """Keep the integers of a unit where there is a row for each."""
    if len(rows) > 1:
        for lane in range(INTEGER_LANES):
            rows[unit, lane] = totals[lane]


@part()
def prepare(sums: Ints, block: Block, used: int, stage: Stage, kept: Kept) -> int:
    """Make pre-activations of sums, in place; return how many did not fit."""
    missed, lift, cast, scalings = 0, stage.lift & 63, stage.cast, stage.scalings
    for slot in range(UNITS):
        row = block.rows[slot]
        scaling = row if len(scalings) > 1 else 0
        for place in range(block.places if row >= 0 else 0):
            unit, totals = row * block.positions + block.first + place, sums[place, slot]
            keep(kept.sums, unit, totals)
            for lane in range(INTEGER_LANES):
                totals[lane] = (totals[lane] << lift) + stage.ends[unit]
            keep(kept.biased, unit, totals)
            if stage.mode == CAST:
                for lane in range(INTEGER_LANES):
                    total, changed = cast_integer(totals[lane], cast[0], cast[1], cast[2], cast[3], cast[4])
                    totals[lane] = total
                    missed += changed and lane < used
            elif stage.mode != KEEP:
                multiplier, shift = scalings[scaling, 0], scalings[scaling, 1]
                for lane in range(INTEGER_LANES):
                    scaled = requantised(totals[lane], multiplier, shift, stage.mode == DOUBLE)
                    totals[lane] = min(max(scaled, cast[3]), cast[4])
                    missed += (totals[lane] != scaled) and lane < used
            keep(kept.preactivations, unit, totals)
    return missed


@part()
def finish(
    sums: Numbers, block: Block, used: int, stage: Stage, steps: StepTables, form: StateCast, lanes: Lanes
) -> None:
    """Turn sums into states in 64 bits, and count what did not fit."""
    whole = lanes.whole
    for place in range(block.places):
        for slot in range(UNITS):
            for lane in range(INTEGER_LANES):
                whole[place, slot, lane] = np.int64(sums[place, slot, lane])
    lanes.counts[PRE_OVERFLOWS] += prepare(whole, block, used, stage, lanes.kept)
    if form.alone:
        lanes.counts[SATURATIONS] += cast_states(whole, block, form.form, form.rectify, used, lanes.states)
    else:
        table, thresholds, levels, clips = steps
        look_up(whole, block, table, thresholds, levels, lanes.states)
        lanes.counts[SATURATIONS] += count_clips(whole, block, table, thresholds, clips, used)


@njit(nogil=True, optional=True)
def run_integer_layer(
    layer: LayerArrays, exact: bool | None, ranged: Ranged | None, narrow: Casts | None, wide: Casts | None,
    split: Split | None, packed: Packed | None, packed_wide: Packed | None, staged: Staged | None,
    lanes: Lanes, used: int,
) -> None:  # fmt: skip
    """Compute the states of all units of a layer for the images in the lanes.

    Parameters
    ----------
    layer
        Weights, biases and connections.
    exact, ranged, narrow, wide, split
        How sums are made: one of `Adding`.
    packed, packed_wide
        The activation of sums in 32 or 64 bits, or:
    staged
        what comes between sums and activation, and the activation, in 64 bits.
    lanes
        The images.
    used
        Lanes that hold one.
    """
    sums, overflows, clipped = lanes.sums, lanes.missed[0], lanes.missed[1]
    for lane in range(INTEGER_LANES):
        overflows[lane] = clipped[lane] = 0
    (_, positions, _), offset = layer.sources.shape, layer.offset
    for index in range(len(layer.weights)):
        table, taps = layer.tables[index, 0], layer.tables[index, 1]
        weights, rows = layer.weights[index], layer.rows[index]
        for first in range(0, positions, POSITIONS_TOGETHER):
            block = Block(rows, positions, first, min(POSITIONS_TOGETHER, positions - first))
            for place in range(block.places):
                totals, sources = sums[place], layer.sources[table, first + place]
                for slot in range(UNITS):
                    unit = max(rows[slot], 0) * positions + first + place
                    for lane in range(INTEGER_LANES):
                        totals[slot, lane] = layer.starts[unit] - offset
                if exact is not None:
                    if exact:
                        add_exact(weights, sources, 0, taps, lanes.inputs, totals)
                    else:
                        keep_largest(weights, sources, taps, lanes.inputs, totals)
                if ranged is not None:
                    add_in_range(weights, sources, index, taps, lanes.inputs, totals, overflows, ranged)
                if narrow is not None:
                    cast32(weights, sources, taps, lanes.inputs, totals, overflows, narrow)
                if wide is not None:
                    cast64(weights, sources, taps, lanes.inputs, totals, overflows, wide)
                if split is not None:
                    add_split(weights, sources, taps, lanes.inputs, totals, overflows, split)
                if offset != 0:
                    for slot in range(UNITS):
                        for lane in range(INTEGER_LANES):
                            totals[slot, lane] += offset
            if packed is not None:
                look_up_narrow(sums, block, packed.table, packed.entries, lanes.states, lanes.above, clipped)
            if packed_wide is not None:
                look_up_wide(
                    sums, block, packed_wide.table, packed_wide.entries, lanes.states, lanes.above, clipped
                )
            if staged is not None:
                finish(sums, block, used, staged.stage, staged.steps, staged.form, lanes)
    for lane in range(used):
        lanes.counts[OVERFLOWS] += overflows[lane]
        lanes.counts[SATURATIONS] += clipped[lane]
