"""Second derivatives by the units' sums, which the loops of training do not keep."""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import entry, part
from retronet.kernels.layers import MAX_POOL, Layer, Wiring
from retronet.kernels.passes import Floats, Goal, Machine, backward_squared, scale_top, see
from retronet.kernels.updates import clear, square


@entry()
def measure_unit_curvature(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    received: NDArray[np.float64],
    largest: NDArray[np.float64],
) -> None:
    """Do what `measure_curvature` does, and average what the units receive into `received`.

    Parameters
    ----------
    machine, images, labels, order, goal
        As for :func:`retronet.kernels.passes.measure_curvature`.
    received
        Flat vector laid out like the activity, overwritten. In the places of a layer's outputs it holds the
        mean second derivatives by its *sums*: the way down has multiplied them by the squared slopes.
    largest
        Another one; in the places of the states below a max pool it holds the mean second derivatives by
        these, which no mean by the sums gives: each image has its own largest inputs.
    """
    wiring, flat = machine.wiring, machine.flat
    square(flat.parameters, flat.parameters_squared)
    clear(flat.curvature)
    clear(received)
    clear(largest)
    for pattern in order:
        see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        scale_top(wiring, flat.received_squared, 1.0 / order.size)
        backward_squared(machine)
        for k in range(received.size):
            received[k] += flat.received_squared[k]
        for row in range(len(wiring.table)):
            t = wiring.table[row]
            if t.kind == MAX_POOL:
                add_sent_to_largest(wiring, t, flat.activity, flat.received_squared, largest)


@part(later=True)
def add_sent_to_largest(
    wiring: Wiring, t: Layer, activity: Floats, received: Floats, largest: NDArray[np.float64]
) -> None:
    """Add what the sums of a max pool received to the places of the inputs that were the largest."""
    count = (t.stop_strip - t.first_strip) // t.positions
    for unit in range(t.planes * t.positions):
        plane, position = unit // t.positions, unit % t.positions
        for k in range(count):
            if activity[t.field + unit * count + k] != 0:
                tap = np.int64(wiring.strips[t.first_strip + position * count + k])
                largest[t.state + plane * t.plane + tap] += received[t.output + unit]
