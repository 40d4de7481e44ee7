"""Outputs at fixed codes: minus the squared distances of the states below to each code (PIEEE98 §II.B).

Beside its outputs the layer leaves ``2 (code − state)`` in its field, one row a code: these are the outputs'
derivatives by the states, and their squares what second derivatives are sent down by. The squares also bend
each output by −2. Through equation 9 that adds twice the chance of the rubbish class to every state: one row
more than there are codes, each value √2, does it when that chance is the row's second derivative, and its
first is zero (see :func:`retronet.kernels.losses.posterior`).
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import njit
from retronet.kernels.vectors import fma

Floats = NDArray[np.floating]


@njit()
def measure_distances(
    activity: Floats, state: int, codes: int, field: int, output: int, count: int, taps: int
) -> None:
    """Fill outputs and field.

    Parameters
    ----------
    activity
        Flat vector that holds all of it.
    state, codes, field, output
        Where each starts in it: states (taps,), codes and field (count, taps), outputs (count,).
    count, taps
        The number of codes and their length.
    """
    two = activity.dtype.type(2)
    for i in range(count):
        total = activity.dtype.type(0)
        for k in range(taps):
            difference = activity[codes + i * taps + k] - activity[state + k]
            activity[field + i * taps + k] = two * difference
            total = fma(difference, difference, total)
        activity[output + i] = -total


@njit()
def send_down_distances(
    activity: Floats, received: Floats, state: int, field: int, output: int, rows: int, taps: int
) -> None:
    """Send the derivatives by the outputs (rows,) down through the field (rows, taps)."""
    for k in range(taps):
        received[state + k] = 0
    for i in range(rows):
        delta = received[output + i]
        for k in range(taps):
            received[state + k] = fma(delta, activity[field + i * taps + k], received[state + k])
