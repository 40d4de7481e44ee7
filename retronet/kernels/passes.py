"""Loops over patterns: training, measuring curvature, evaluating. Each is one compiled call for many patterns."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retronet.kernels.layers import Adjoint, Each, Values, Wiring, backward, forward
from retronet.kernels.losses import loss
from retronet.kernels.updates import square, step_sdlm

Floats = NDArray[np.floating]


class Flat(NamedTuple):
    """The vectors behind the per-layer views: parameters, and everything the forward pass fills (activity).

    Having them flat, squaring for the second backward pass and stepping are one long loop each.
    """

    parameters: Floats
    parameters_squared: Floats
    activity: Floats
    activity_squared: Floats
    gradient: Floats
    curvature: Floats


class Machine(NamedTuple):
    """A network made ready for the kernels.

    ``gradients`` collects derivatives in the flat gradient, ``steps`` adds the same to the parameters
    themselves, ``curvatures`` collects second derivatives in the flat curvature.
    """

    wiring: Wiring
    weights: Each
    biases: Each
    values: Values
    gradients: Adjoint
    steps: Adjoint
    curvatures: Adjoint
    flat: Flat


class Goal(NamedTuple):
    """What training aims at: ``targets`` (classes, outputs), the kind of loss and its scale."""

    targets: Floats
    kind: int
    scale: float


@njit(cache=True)
def present(image: Floats, state: Floats) -> None:
    """Copy one image (rows, columns) into the input state."""
    columns = image.shape[1]
    for i in range(image.shape[0]):
        for k in range(columns):
            state[i * columns + k] = image[i, k]


@njit(cache=True)
def see(machine: Machine, image: Floats, target: Floats, goal: Goal) -> float:
    """Run one pattern forward; leave both derivatives of the loss at the top and return the loss."""
    top = machine.wiring.kinds.size - 1
    present(image, machine.values.states[0])
    forward(machine.wiring, machine.weights, machine.biases, machine.values)
    delta, curvature = machine.gradients.deltas[top], machine.curvatures.deltas[top]
    return loss(goal.kind, goal.scale, machine.values.outputs[top], target, delta, curvature)


@njit(cache=True)
def scale(values: Floats, factor: float) -> None:
    """Multiply all of `values` (rows, columns)."""
    rounded = values.dtype.type(factor)
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            values[i, k] *= rounded


@njit(cache=True)
def train_sgd(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    rate: float,
) -> float:
    """Present the patterns of `order` one by one, stepping against the gradient of each; return their losses' sum.

    The backward pass is linear in the deltas: given ``−rate`` times those of the top, and the parameters where
    else the gradient goes, it *is* the step.

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
    total = 0.0
    top = machine.wiring.kinds.size - 1
    for pattern in order:
        total += see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        scale(machine.gradients.deltas[top], -rate)
        backward(machine.wiring, machine.steps)
    return total


@njit(cache=True)
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
    flat, top = machine.flat, machine.wiring.kinds.size - 1
    total = 0.0
    square(flat.parameters, flat.parameters_squared)
    scale(flat.curvature.reshape(1, -1), 1.0 - gamma)
    flat.gradient[:] = 0
    for n in range(order.size):
        pattern = order[n]
        total += see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        backward(machine.wiring, machine.gradients)
        if gamma > 0:
            square(flat.activity, flat.activity_squared)
            scale(machine.curvatures.deltas[top], gamma)
            backward(machine.wiring, machine.curvatures)
        # The last pattern leaves the average whole, so that calls for parts of a pass add up to it.
        keep = 1.0 - gamma if n + 1 < order.size else 1.0
        step_sdlm(
            flat.parameters, flat.parameters_squared, flat.gradient, flat.curvature, rate, mu, keep
        )
    return total


@njit(cache=True)
def measure_curvature(
    machine: Machine, images: Floats, labels: NDArray[np.uint8], order: NDArray[np.int64], goal: Goal
) -> None:
    """Put the mean Gauss–Newton diagonal of the patterns of `order` into the flat curvature vector."""
    flat, top = machine.flat, machine.wiring.kinds.size - 1
    square(flat.parameters, flat.parameters_squared)
    flat.curvature[:] = 0
    for pattern in order:
        see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        square(flat.activity, flat.activity_squared)
        scale(machine.curvatures.deltas[top], 1.0 / order.size)
        backward(machine.wiring, machine.curvatures)


@njit(cache=True)
def run_forward(machine: Machine, images: Floats, first: int, units: NDArray[np.int64], out: Floats) -> None:
    """Put into row n of `out` the states of image n, from layer `first` up, side by side.

    `units` (layers) says how many units of each layer to take.
    """
    for n in range(images.shape[0]):
        present(images[n], machine.values.states[0])
        forward(machine.wiring, machine.weights, machine.biases, machine.values)
        start = 0
        for layer in range(first, units.size):
            state = machine.values.states[layer + 1]
            for k in range(units[layer]):
                out[n, start + k] = state[k]
            start += units[layer]
