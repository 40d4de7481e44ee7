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
        Arrays (outputs or one more, 1) and (outputs,).
    delta, curvature
        Arrays like output, overwritten.
    """
    total, count = 0.0, target.size
    if kind == SQUARED:
        for i in range(count):
            error = output[i, 0] - target[i]
            delta[i, 0] = scale * error
            curvature[i, 0] = scale
            total += 0.5 * scale * error * error
        return total
    largest = output[0, 0]
    for i in range(count):
        largest = max(largest, output[i, 0])
    normaliser = 0.0
    for i in range(count):
        normaliser += math.exp(output[i, 0] - largest)
    for i in range(count):
        probability = math.exp(output[i, 0] - largest) / normaliser
        delta[i, 0] = probability - target[i]
        curvature[i, 0] = probability * (1.0 - probability)
        total += target[i] * (math.log(normaliser) - (output[i, 0] - largest))
    return total
