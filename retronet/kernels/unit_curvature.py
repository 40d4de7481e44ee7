"""Second derivatives by the units' sums, which the loops of training do not keep."""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit
from retronet.kernels.passes import Floats, Goal, Machine, backward_squared, scale_top, see
from retronet.kernels.updates import square


@njit()
def measure_unit_curvature(
    machine: Machine,
    images: Floats,
    labels: NDArray[np.uint8],
    order: NDArray[np.int64],
    goal: Goal,
    received: NDArray[np.float64],
) -> None:
    """Do what `measure_curvature` does, and average what the units receive into `received`.

    Parameters
    ----------
    machine, images, labels, order, goal
        As for :func:`retronet.kernels.passes.measure_curvature`.
    received
        Flat vector laid out like the activity, overwritten. In the places of a layer's outputs it holds the
        mean second derivatives by its *sums*: the way down has multiplied them by the squared slopes.
    """
    wiring, flat = machine.wiring, machine.flat
    square(flat.parameters, flat.parameters_squared)
    flat.curvature[:] = 0
    received[:] = 0
    for pattern in order:
        see(machine, images[pattern], goal.targets[labels[pattern]], goal)
        scale_top(wiring, flat.received_squared, 1.0 / order.size)
        backward_squared(machine)
        for k in range(received.size):
            received[k] += flat.received_squared[k]
