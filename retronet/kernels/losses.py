"""Losses: their value, and their first and second derivatives by the network's outputs."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating]

SQUARED, SOFTMAX = 0, 1


@njit(cache=True)
def loss(kind: int, scale: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return the loss of one pattern; put its derivatives by the outputs into `delta` and `curvature`.

    Parameters
    ----------
    kind
        SQUARED: ``scale/2 · Σ (target − output)²``. SOFTMAX: cross-entropy of the softmax of the outputs with
        the target as probabilities; its second derivative is the diagonal of the softmax's own.
    scale
        1 for half the squared error, as NC89 and SN count it; 2/outputs for the mean squared error.
    output, target
        Arrays (at least outputs,) and (outputs,).
    delta, curvature
        Arrays like output, overwritten.
    """
    total, count = 0.0, target.size
    if kind == SQUARED:
        for i in range(count):
            error = output[i] - target[i]
            delta[i] = scale * error
            curvature[i] = scale
            total += 0.5 * scale * error * error
        return total
    largest = output[0]
    for i in range(count):
        largest = max(largest, output[i])
    normaliser = 0.0
    for i in range(count):
        normaliser += math.exp(output[i] - largest)
    for i in range(count):
        probability = math.exp(output[i] - largest) / normaliser
        delta[i] = probability - target[i]
        curvature[i] = probability * (1.0 - probability)
        total += target[i] * (math.log(normaliser) - (output[i] - largest))
    return total
