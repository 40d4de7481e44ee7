"""Activations as staircases: the state as a step function of an integer sum, exactly.

A sum is an integer and every activation a rounded non-decreasing function of it, so the state changes at
integer thresholds. They are computed once, exactly (see `thresholds`); a look-up then replaces the
function. Overflow modes may turn states over, and entries of a table may wrap: nothing here needs the
*states* to ascend.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.thresholds import (
    NEVER,
    fixed_levels,
    held_between,
    line,
    piecewise,
    rectified,
    rounding_edges,
    thresholds_of_tanh,
)
from hw_sim.formats.fixed import Fixed, cast
from hw_sim.formats.levels import Format, twice_edges
from hw_sim.plan.activations import Converter, HardwareActivation, PiecewiseLinear, Table
from retronet.errors import InputError
from retronet.network import HardTanh, Identity, Relu, Sigmoid, Tanh

HALF_TANH = Tanh(0.5, 0.5)
"""The sigmoid is this, raised by ½."""
STATE_BITS = 18
"""States of so many bits can always be looked up; of more, where few of them are reached."""
MAX_LEVELS = 1 << STATE_BITS
MAX_CELLS = 1 << 22


@dataclass(frozen=True, eq=False)
class StepFunction:
    """A step function of integers, cut into cells of ``2^shift`` integers with at most one threshold each.

    Attributes
    ----------
    first, final, shift : int
        A sum, brought between `first` and `final`, belongs to the cell ``(sum − first) >> shift``.
    thresholds : ndarray of int64, shape (cells,)
        From here on a cell has the level of the next one.
    levels : ndarray of int32, shape (cells + 1,)
        The state at the beginning of each cell.
    clips : ndarray of bool, shape (cells + 1,)
        Whether that state did not fit its format.
    """

    first: int
    final: int
    shift: int
    thresholds: NDArray[np.int64]
    levels: NDArray[np.int32]
    clips: NDArray[np.bool_]


def step_function(
    activation: HardwareActivation,
    unit: Fraction,
    state: Format,
    state_scale: float = 1.0,
    reach: int = NEVER,
) -> StepFunction:
    """Return the states of sums ``n · unit`` for every integer ``n``.

    Parameters
    ----------
    activation
        The activation.
    unit
        What one step of the sum is worth; rational, as every double is.
    state
        The format of the states.
    state_scale
        What a state of that format is multiplied with: the step of states is ``state_scale · state.step``.
    reach
        The largest ``|n|`` that occurs; it bounds the states of activations that have no bound of their own.

    Raises
    ------
    InputError
        If there would be more levels than a table holds, or a constant is not positive.
    """
    bounded = isinstance(activation, Tanh | Sigmoid | HardTanh | PiecewiseLinear | Table)
    return _step_function(activation, unit, state, state_scale, NEVER if bounded else reach)


@lru_cache(maxsize=64)
def _step_function(
    activation: HardwareActivation, unit: Fraction, state: Format, state_scale: float, reach: int
) -> StepFunction:
    """Return what `step_function` does, made once for plans that differ elsewhere."""
    size = Fraction(state.step) * Fraction(state_scale)
    if isinstance(activation, Table):
        return _table(activation, unit, state, size)
    if isinstance(activation, Tanh):
        _check(activation)
    if isinstance(state, Fixed):
        least, most = (bound / size for bound in _range(activation, unit * reach))
        lowest, highest = math.floor(least) - 1, math.ceil(most) + 1
        if min(highest - lowest, fixed_count(state)) > MAX_LEVELS:
            raise InputError(
                f"An activation has about {highest - lowest:.3g} states in {state.text}; at most "
                f"{MAX_LEVELS:,} are allowed, as {STATE_BITS} bits have. Give the states "
                f"{STATE_BITS} bits or fewer, or fewer fraction bits."
            )
        results = fixed_levels(state, lowest, highest)
        twice, reached = rounding_edges(state.rounding, results[1:])
        kept = cast(results, state.frac_bits, state)
        clips = kept != results
    else:
        twice = twice_edges(state)
        reached = np.ones(twice.shape, np.bool_)
        kept = np.array((state.low, *state.levels, state.high), np.int64)
        clips = np.zeros(kept.shape, np.bool_)
        clips[[0, -1]] = True
    return _cells(_thresholds(activation, twice, reached, size, unit), kept, clips)


def fixed_count(form: Fixed) -> int:
    """Return how many results a format tells apart; none is lost where it wraps."""
    return 1 << 62 if form.overflow == "WRAP" else 1 << form.bits


def _check(tanh: Tanh) -> None:
    if not (math.isfinite(tanh.amplitude * tanh.slope) and tanh.amplitude > 0 and tanh.slope > 0):
        raise InputError(
            f"The squashing function {tanh.amplitude} · tanh({tanh.slope} · a) has no staircase: both "
            "constants must be positive. Change the network's activation."
        )


def _range(activation: HardwareActivation, reach: Fraction) -> tuple[Fraction, Fraction]:
    match activation:
        case Tanh(amplitude=amplitude):
            return -Fraction(amplitude), Fraction(amplitude)
        case Sigmoid():
            return Fraction(0), Fraction(1)
        case HardTanh(low=low, high=high):
            return Fraction(low), Fraction(high)
        case Relu():
            return Fraction(0), reach
        case Identity():
            return -reach, reach
        case Converter(gain=gain):
            return -reach * Fraction(gain), reach * Fraction(gain)
        case PiecewiseLinear(points=points):
            return Fraction(points[0][1]), Fraction(points[-1][1])
        case Table():
            raise ValueError("a table's states are its entries")
        case _ as unreachable:
            assert_never(unreachable)


def _thresholds(
    activation: HardwareActivation,
    twice: NDArray[np.int64],
    reached: NDArray[np.bool_],
    size: Fraction,
    unit: Fraction,
) -> NDArray[np.int64]:
    match activation:
        case Tanh():
            return thresholds_of_tanh(activation, twice, reached, size, unit)
        case Sigmoid():
            return thresholds_of_tanh(HALF_TANH, twice, reached, size, unit, Fraction(1, 2))
        case HardTanh():
            return held_between(activation, twice, reached, size, unit)
        case Relu():
            return rectified(twice, reached, size, unit)
        case Identity():
            return line(twice, reached, size, unit, 1.0)
        case Converter(gain=gain):
            return line(twice, reached, size, unit, gain)
        case PiecewiseLinear():
            return piecewise(activation, twice, reached, size, unit)
        case Table():
            raise ValueError("a table's thresholds are those of its index")
        case _ as unreachable:
            assert_never(unreachable)


def _table(table: Table, unit: Fraction, state: Format, size: Fraction) -> StepFunction:
    """Return the staircase of a table: its index as a staircase, its entries as the levels."""
    if isinstance(table.function, Tanh):
        _check(table.function)
    half = table.entries // 2
    width = Fraction(table.limit) / half
    index = np.arange(-half, half, dtype=np.int64)
    exact = step_function(table.function, width, table.entry)
    entries, clips = look_up_states(exact, index)
    entry_size = Fraction(table.entry.step)
    rounded = step_function(Identity(), entry_size / size, _in_steps(state), reach=int(np.abs(entries).max()))
    levels, more = look_up_states(rounded, entries)
    twice, reached = rounding_edges(table.index, index[1:])
    return _cells(line(twice, reached, width, unit, 1.0), levels, clips | more)


def _in_steps(state: Format) -> Format:
    """Return `state` with the step 1."""
    from msgspec.structs import replace

    from hw_sim.formats.levels import Levels

    return replace(state, frac_bits=0) if isinstance(state, Fixed) else Levels(tuple(state.levels))


def look_up_states(
    stairs: StepFunction, sums: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the states of integer `sums`, and which of them did not fit their format."""
    cell = np.clip(sums, stairs.first, stairs.final) - stairs.first >> stairs.shift
    place = cell + (sums >= stairs.thresholds[cell])
    return stairs.levels[place].astype(np.int64), stairs.clips[place]


def _cells(thresholds: NDArray[np.int64], kept: NDArray[np.int64], clips: NDArray[np.bool_]) -> StepFunction:
    """Cut the staircase that has ``kept[0]``, and ``kept[k + 1]`` from ``thresholds[k]`` on, into cells."""
    base = int(np.count_nonzero(thresholds <= -NEVER))
    finite = thresholds[np.abs(thresholds) < NEVER]
    # Of thresholds that fall together the last one counts.
    last = np.append(finite[1:] != finite[:-1], True)[: finite.size]
    steps, after = finite[last], base + 1 + np.flatnonzero(last)
    order = np.concatenate(([base], after))
    changes = (np.diff(kept[order]) != 0) | (np.diff(clips[order]) != 0)
    steps = steps[changes]
    order = np.concatenate(([base], after[changes]))
    values, flags = kept[order].astype(np.int32), clips[order]
    if steps.size == 0:
        return StepFunction(0, 0, 0, np.array([NEVER]), np.repeat(values, 2), np.repeat(flags, 2))
    first = int(steps[0]) - 1
    shift = max(int(np.diff(steps).min()).bit_length() - 1, 0) if steps.size > 1 else 0
    cells = (int(steps[-1]) - first >> shift) + 1
    if cells > MAX_CELLS:
        raise InputError(
            f"A staircase of {steps.size} thresholds over {int(steps[-1]) - first + 1} sums needs {cells} "
            f"cells; at most {MAX_CELLS} are allowed. Give the states fewer fraction bits."
        )
    # The cells begin one sum early, where the lowest level still holds; how many steps each begins beyond.
    sized_layers = steps - first + (1 << shift) - 1 >> shift
    reached = np.cumsum(np.bincount(sized_layers, minlength=cells + 1)[: cells + 1])
    inner = reached[1:] > reached[:-1]
    table = np.where(inner, steps[np.minimum(reached[:-1], steps.size - 1)], NEVER)
    return StepFunction(first, int(steps[-1]), shift, table, values[reached], flags[reached])
