"""A staircase as a plain list: where the state changes, and what it changes to."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerLayer
from hw_sim.fixed_point.step_function import StepFunction, look_up_states, step_function
from hw_sim.fixed_point.thresholds import NEVER
from hw_sim.formats.fixed import cast
from retronet.errors import InputError

MOST_SUMS = 1 << 26
CHUNK = 1 << 20


@dataclass(frozen=True)
class ThresholdTable:
    """The state is ``levels[k]`` for sums from which `k` thresholds are reached.

    Attributes
    ----------
    thresholds : ndarray of int64, shape (steps,)
        Ascending; a sum that equals one has reached it.
    levels : ndarray of int64, shape (steps + 1,)
    """

    thresholds: NDArray[np.int64]
    levels: NDArray[np.int64]


def threshold_table(stairs: StepFunction, reach: int = NEVER) -> ThresholdTable:
    """Return the steps of a staircase that integers of magnitude `reach` or less can take."""
    taken = (stairs.thresholds < NEVER) & (np.diff(stairs.levels) != 0)
    thresholds, after = stairs.thresholds[taken], stairs.levels[1:][taken].astype(np.int64)
    below = int(np.count_nonzero(thresholds <= -reach))
    above = int(np.count_nonzero(thresholds <= reach))
    levels = np.concatenate((stairs.levels[:1].astype(np.int64), after))
    return ThresholdTable(thresholds[below:above], levels[below : above + 1])


def reach_of(layer: IntegerLayer) -> int:
    """Return a bound of what enters the activation of `layer`."""
    pre = layer.plan.preactivation
    return biased_bound(layer) if pre is None else pre.magnitude


def biased_bound(layer: IntegerLayer) -> int:
    """Return a bound of the sums of `layer` with all their biases."""
    accumulator = layer.plan.accumulator
    kept = layer.sum_bound if accumulator is None else accumulator.form.magnitude
    lift = layer.biased_frac_bits - layer.sum_frac_bits
    return (kept << lift) + int(np.abs(layer.ends).max(initial=0))


def threshold_table_of_sums(layer: IntegerLayer, map: int) -> ThresholdTable:
    """Return the steps from sums with their biases to states, pre-activations in between included.

    Raises
    ------
    InputError
        If pre-activations would have to be worked out for too many sums.
    """
    stairs = layer.step_functions[map % len(layer.step_functions)] if layer.step_functions else None
    pre, bound = layer.plan.preactivation, biased_bound(layer)
    given = layer.biased_frac_bits if pre is None else pre.frac_bits
    if stairs is None:
        unit = Fraction(2) ** -given
        stairs = step_function(layer.plan.activation, unit, layer.plan.state, 1.0, reach_of(layer))
    if pre is None:
        return threshold_table(stairs, bound)
    if 2 * bound >= MOST_SUMS:
        raise InputError(
            f"The activation of layer '{layer.sized.name}' can not be written as one table: its "
            f"{2 * bound + 1:,} sums would each need a pre-activation; up to {MOST_SUMS:,} are allowed. "
            f"Leave the pre-activation out."
        )
    thresholds: list[NDArray[np.int64]] = []
    levels: list[NDArray[np.int64]] = []
    before = np.empty(0, np.int64)
    for start in range(-bound, bound + 1, CHUNK):
        sums = np.arange(start, min(start + CHUNK, bound + 1), dtype=np.int64)
        states = look_up_states(stairs, _preactivations(layer, map, sums))[0]
        every = np.concatenate((before, states))
        if not before.size:
            levels.append(states[:1])
        changes = np.flatnonzero(np.diff(every)) + 1
        thresholds.append(changes - before.size + start)
        levels.append(every[changes])
        before = states[-1:]
    return ThresholdTable(np.concatenate(thresholds), np.concatenate(levels))


def _preactivations(layer: IntegerLayer, map: int, sums: NDArray[np.int64]) -> NDArray[np.int64]:
    pre = layer.plan.preactivation
    assert pre is not None
    if layer.plan.requantise is None:
        return cast(sums, layer.biased_frac_bits, pre)
    multiplier, shift = layer.multipliers[map % len(layer.multipliers)]
    if layer.plan.requantise == "single":
        scaled = (sums * multiplier + (1 << (30 - shift))) >> (31 - shift)
    else:
        scaled = ((sums << max(shift, 0)) * multiplier + (1 << 30)) >> 31
        if shift < 0:
            scaled = (scaled + (1 << (-shift - 1)) - (scaled < 0)) >> -shift
    return np.asarray(np.clip(scaled, pre.low, pre.high), np.int64)
