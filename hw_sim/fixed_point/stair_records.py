"""Staircases as the records that kernels take: cells with thresholds, or one packed entry a cell."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.step_function import StepFunction
from hw_sim.fixed_point.word_bounds import WORD
from hw_sim.formats.fixed import CAST_LIMIT
from hw_sim.kernels.layer_records import Packed, StepTables

Ints = NDArray[np.int64]


def steps_of(step_functions: tuple[StepFunction, ...]) -> StepTables:
    """Return staircases one after the other, with a table of where each begins."""
    table = np.zeros((len(step_functions), 6), np.int64)
    cells = levels = 0
    for row, stairs in zip(table, step_functions, strict=True):
        row[:] = stairs.first, stairs.final, stairs.shift, cells, levels, stairs.clips.any()
        cells, levels = cells + stairs.thresholds.size, levels + stairs.levels.size
    return StepTables(
        table,
        np.concatenate([stairs.thresholds for stairs in step_functions]),
        np.concatenate([stairs.levels for stairs in step_functions]),
        np.concatenate([stairs.clips for stairs in step_functions]),
    )


@lru_cache(maxsize=64)
def packed_of(step_functions: tuple[StepFunction, ...], bits: int) -> Packed | None:
    """Return staircases as one entry a cell, None unless all of them ascend by one and fit a word."""
    limit, word = (WORD, np.int32) if bits == 32 else (CAST_LIMIT, np.int64)
    table = np.zeros((len(step_functions), 6), np.int64)
    packed: list[Ints] = []
    for row, stairs in zip(table, step_functions, strict=True):
        if stairs.shift > 30:
            return None
        size, levels = 1 << stairs.shift, stairs.levels.astype(np.int64)
        rises = np.diff(levels)
        starts = np.arange(stairs.first, stairs.first + (rises.size << stairs.shift), size, dtype=np.int64)
        inside = stairs.thresholds - starts
        rises *= inside < size
        least, most = _fitting_sums(stairs, limit)
        if least > most or rises.min() < 0 or rises.max() > 1:
            return None
        entries = (levels[:-1] << stairs.shift) + rises * (size - inside)
        # Entries ascend too, so that the first and the last one are the farthest.
        ends = (stairs.first, stairs.final, stairs.final - stairs.first, least, most)
        if max(*map(abs, ends), abs(int(entries[0])) + size, abs(int(entries[-1])) + size) > limit:
            return None
        row[:] = stairs.first, stairs.final, stairs.shift, sum(part.size for part in packed), least, most
        packed.append(entries)
    return Packed(table.astype(word), np.concatenate(packed, dtype=word, casting="same_kind"))


def _fitting_sums(stairs: StepFunction, limit: int) -> tuple[int, int]:
    """Return the first and the last sum whose state fits; the first is beyond the last if there are gaps."""
    if not stairs.clips.any():
        return -limit, limit
    fits = np.flatnonzero(~stairs.clips)
    if fits.size == 0 or fits[-1] - fits[0] + 1 != fits.size:
        return 1, 0
    least, most = -limit, limit
    if fits[0] > 0:
        least = int(stairs.thresholds[fits[0] - 1])
    if fits[-1] < stairs.clips.size - 1:
        most = int(stairs.thresholds[fits[-1]]) - 1
    return least, most
