"""Training by the mean gradient of a few patterns at a time: plain steps, Adam's and AdamW's."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.elementary import whole_power
from retronet.kernels.jit import enter, entry, njit, part
from retronet.kernels.passes import Goal, Machine, scale_top, see
from retronet.kernels.separate import call
from retronet.kernels.updates import clear
from retronet.kernels.vectors import fma

Floats = NDArray[np.floating]


class Moments(NamedTuple):
    """Adam's running means of the gradient and of its square, flat like the parameters, and its constants.

    ``decay`` is AdamW's: at each step a parameter loses ``rate · decay`` of itself. 0 leaves plain Adam.
    """

    mean: Floats
    square: Floats
    beta1: float
    beta2: float
    epsilon: float
    decay: float


class Dropped(NamedTuple):
    """Dropout: what a layer's states are multiplied by.

    ``place`` (units,) lies in the activity; there go the ``factors`` (n, units) of each pattern. Both are
    empty without dropout.
    """

    place: Floats
    factors: Floats


@njit()
def step_plain(parameters: Floats, gradient: Floats, rate: float) -> None:
    """Step against the gradient."""
    factor = parameters.dtype.type(rate)
    for k in range(parameters.size):
        parameters[k] = fma(-factor, gradient[k], parameters[k])


# The numpy error model: a check for division by zero would keep the loop from vectorising.
@njit(error_model="numpy")
def step_adam(parameters: Floats, gradient: Floats, moments: Moments, rate: float, step: int) -> None:
    """Do step number `step`, counted from 1, of Adam or AdamW.

    The means start at zero; dividing by ``1 − beta^step`` makes up for it.
    """
    one = parameters.dtype.type
    beta1, beta2 = one(moments.beta1), one(moments.beta2)
    rest1, rest2 = one(1.0 - moments.beta1), one(1.0 - moments.beta2)
    kept, epsilon = one(1.0 - rate * moments.decay), one(moments.epsilon)
    factor = one(rate / (1.0 - whole_power(moments.beta1, step)))
    widen = one(1.0 / math.sqrt(1.0 - whole_power(moments.beta2, step)))
    mean, square = moments.mean, moments.square
    for k in range(parameters.size):
        slope = gradient[k]
        mean[k] = fma(rest1, slope, beta1 * mean[k])
        square[k] = fma(rest2 * slope, slope, beta2 * square[k])
        below = fma(np.sqrt(square[k]), widen, epsilon)
        parameters[k] = fma(kept, parameters[k], -(factor * mean[k] / below))


@part()
def mean_gradient(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    first: int,
    stop: int,
    goal: Goal,
    dropped: Dropped,
) -> float:
    """Put the mean gradient of the patterns from `first` to before `stop` into the gradient.

    Returns the sum of their losses.
    """
    wiring, flat, factors = machine.wiring, machine.flat, dropped.factors
    clear(flat.gradient)
    total = 0.0
    for pattern in range(first, stop):
        for k in range(dropped.place.size):
            dropped.place[k] = factors[pattern, k]
        total += see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        if stop - first > 1:
            scale_top(wiring, flat.received, 1.0 / (stop - first))
        call(machine.backward, (wiring, flat.parameters, flat.activity, flat.received, flat.gradient))
    return total


measure_gradient = enter(mean_gradient)
"""`mean_gradient` for Python."""


@entry()
def train_batches(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    goal: Goal,
    dropped: Dropped,
    rates: Floats,
    batch: int,
) -> float:
    """Step after every `batch` patterns against their mean gradient; return the sum of the patterns' losses.

    Parameters
    ----------
    machine
        The network; its parameters change.
    images, labels
        Arrays (n, rows, columns) and (n,).
    goal
        Targets and loss.
    dropped
        The factors of the dropout layer.
    rates
        The rate of each step.
    batch
        Patterns of a step; the last may have fewer.
    """
    total = 0.0
    for step in range(rates.size):
        first, stop = step * batch, min((step + 1) * batch, labels.size)
        total += mean_gradient(machine, images, labels, first, stop, goal, dropped)
        step_plain(machine.flat.parameters, machine.flat.gradient, rates[step])
    return total


@entry()
def train_adam(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    goal: Goal,
    dropped: Dropped,
    rates: Floats,
    batch: int,
    moments: Moments,
    done: int,
) -> float:
    """Do as `train_batches`, with the steps of Adam or AdamW after the `done` steps so far."""
    total = 0.0
    for step in range(rates.size):
        first, stop = step * batch, min((step + 1) * batch, labels.size)
        total += mean_gradient(machine, images, labels, first, stop, goal, dropped)
        step_adam(machine.flat.parameters, machine.flat.gradient, moments, rates[step], done + step + 1)
    return total
