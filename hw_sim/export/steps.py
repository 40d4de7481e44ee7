"""A staircase as a plain list: where the state changes, and what it changes to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_sim.fixed_point.quantize import IntegerLayer
from hw_sim.fixed_point.step_function import StepFunction
from hw_sim.fixed_point.thresholds import NEVER


@dataclass(frozen=True)
class Steps:
    """The state is ``levels[k]`` for sums from which `k` thresholds are reached.

    Attributes
    ----------
    thresholds : ndarray of int64, shape (steps,)
        Ascending; a sum that equals one has reached it.
    levels : ndarray of int64, shape (steps + 1,)
    """

    thresholds: NDArray[np.int64]
    levels: NDArray[np.int64]


def steps_of(stairs: StepFunction, reach: int = NEVER) -> Steps:
    """Return the steps of a staircase that integers of magnitude `reach` or less can take."""
    taken = (stairs.thresholds < NEVER) & (np.diff(stairs.levels) != 0)
    thresholds, after = stairs.thresholds[taken], stairs.levels[1:][taken].astype(np.int64)
    below = int(np.count_nonzero(thresholds <= -reach))
    above = int(np.count_nonzero(thresholds <= reach))
    levels = np.concatenate((stairs.levels[:1].astype(np.int64), after))
    return Steps(thresholds[below:above], levels[below : above + 1])


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
