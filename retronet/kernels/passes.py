"""Loops over patterns: training, measuring curvature, evaluating; one compiled call for many patterns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import entry, njit, part
from retronet.kernels.layers import Wiring
from retronet.kernels.separate import call, call_for_float
from retronet.kernels.updates import clear, scale, square, step_sdlm

Floats = NDArray[np.floating]


class Flat(NamedTuple):
    """A network's numbers: parameters, and everything that the forward pass fills (activity).

    The backward pass leaves derivatives by the activity in ``received`` and by the parameters in
    ``gradient``; second derivatives go through the squares into ``received_squared`` and ``curvature``.
    """

    parameters: Floats
    parameters_squared: Floats
    activity: Floats
    activity_squared: Floats
    received: Floats
    received_squared: Floats
    gradient: Floats
    curvature: Floats


class Machine(NamedTuple):
    """A network made ready for the kernels, with the addresses of its passes (0: never called)."""

    wiring: Wiring
    flat: Flat
    forward: int
    backward: int


class Goal(NamedTuple):
    """What training aims at: ``targets`` (classes, outputs), the address of the loss, and its constant."""

    targets: Floats
    loss: int
    scale: float


@part(later=True)
def present(image: Floats, state: Floats) -> None:
    """Copy one image (rows, columns) into the input state, where the activity begins."""
    rows, columns = image.shape
    for i in range(rows):
        for k in range(columns):
            state[i * columns + k] = image[i, k]


@njit(inline="always")
def see(machine: Machine, image: Floats, target: Floats, goal: Goal) -> float:
    """Run one pattern forward; leave both derivatives of the loss at the top and return the loss."""
    wiring, flat = machine.wiring, machine.flat
    present(image, flat.activity)
    call(machine.forward, (wiring, flat.parameters, flat.activity))
    top = wiring.table[len(wiring.table) - 1]
    first, stop = top.output, top.output + top.maps
    outputs, deltas = flat.activity[first:stop], flat.received[first:stop]
    return call_for_float(goal.loss, (goal.scale, outputs, target, deltas, flat.received_squared[first:stop]))


@part(later=True)
def scale_top(wiring: Wiring, received: Floats, factor: float) -> None:
    """Multiply the derivatives by the outputs."""
    top = wiring.table[len(wiring.table) - 1]
    # Whole eights: what comes after the outputs stays 0.
    scale(received[top.output : top.output + (top.maps + 7) // 8 * 8], factor)


@njit(inline="always")
def backward_squared(machine: Machine) -> None:
    """Add the Gauss–Newton diagonal to the curvature, given the second derivatives by the outputs."""
    wiring, flat = machine.wiring, machine.flat
    square(flat.activity, flat.activity_squared)
    squares = (flat.parameters_squared, flat.activity_squared)
    call(machine.backward, (wiring, *squares, flat.received_squared, flat.curvature))


@entry()
def train_sgd(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    rate: float,
) -> float:
    """Present the patterns of `order`, stepping against the gradient of each; return the sum of their losses.

    The backward pass is linear in the deltas: given ``−rate`` times those of the top, and the parameters
    where else the gradient goes, it *is* the step.

    Parameters
    ----------
    machine
        The network; its parameters change.
    images, labels
        Arrays (n, rows, columns) and (n,).
    order
        Indices of the patterns, in order of presentation.
    goal
        Targets and loss.
    rate
        Step size.
    """
    wiring, flat = machine.wiring, machine.flat
    total = 0.0
    for pattern in order:
        total += see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        scale_top(wiring, flat.received, -rate)
        call(machine.backward, (wiring, flat.parameters, flat.activity, flat.received, flat.parameters))
    return total


@entry(nogil=True)
def train_sdlm(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    rate: float,
    mu: float,
    gamma: float,
) -> float:
    """Present the patterns of `order` one by one, each parameter stepping at ``rate / (mu + curvature)``.

    The curvature lies in the machine's flat vector. With a `gamma` above 0 it is a running average that takes
    every pattern in before the step, ``(1 − gamma) · old + gamma · new`` (SN gbp.c); with 0 it stays as it is
    (PIEEE98 App. C). Other parameters as for `train_sgd`.
    """
    wiring, flat = machine.wiring, machine.flat
    total = 0.0
    if order.size == 0:
        return total
    square(flat.parameters, flat.parameters_squared)
    scale(flat.curvature, 1.0 - gamma)
    clear(flat.gradient)
    for n in range(order.size):
        pattern = order[n]
        total += see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        call(machine.backward, (wiring, flat.parameters, flat.activity, flat.received, flat.gradient))
        if gamma > 0:
            scale_top(wiring, flat.received_squared, gamma)
            backward_squared(machine)
        # The last pattern leaves the average whole, so that calls for parts of a pass add up to it.
        keep = 1.0 - gamma if n + 1 < order.size else 1.0
        step_sdlm(flat.parameters, flat.parameters_squared, flat.gradient, flat.curvature, rate, mu, keep)
    return total


@entry()
def measure_curvature(
    machine: Machine, images: Floats, labels: NDArray[np.uint8], order: NDArray[np.int64], goal: Goal
) -> None:
    """Put the mean Gauss–Newton diagonal of the patterns of `order` into the flat curvature vector."""
    wiring, flat = machine.wiring, machine.flat
    square(flat.parameters, flat.parameters_squared)
    clear(flat.curvature)
    for pattern in order:
        see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        scale_top(wiring, flat.received_squared, 1.0 / order.size)
        backward_squared(machine)


@entry()
def run_forward(machine: Machine, images: Floats, first: int, units: NDArray[np.int64], out: Floats) -> None:
    """Put into row n of `out` the states of image n, from layer `first` up, side by side.

    `units` (layers) says how many units of each layer to take.
    """
    wiring, flat = machine.wiring, machine.flat
    for n in range(len(images)):
        present(images[n], flat.activity)
        call(machine.forward, (wiring, flat.parameters, flat.activity))
        start = 0
        for row in range(first, units.size):
            state = wiring.table[row].output
            for k in range(units[row]):
                out[n, start + k] = flat.activity[state + k]
            start += units[row]
