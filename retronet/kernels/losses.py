"""Losses: their value, and their first and second derivatives by the network's outputs."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from retronet.kernels.elementary import exp, log

Floats = NDArray[np.floating]

SQUARED, SOFTMAX, BINARY, POSTERIOR = 0, 1, 2, 3


@njit(cache=True)
def binary(output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return the mean over classes of each one's binary cross-entropy, chances being the softmax's.

    ``1 − p`` is taken as the sum of the other chances, so that it does not drown near 1. The second
    derivative is Gauss and Newton's: by the chances, times the squares of theirs by the outputs.
    """
    count, largest = target.size, float(output[0])
    for i in range(count):
        largest = max(largest, float(output[i]))
    normaliser, total, pull, spread = 0.0, 0.0, 0.0, 0.0
    for i in range(count):
        normaliser += exp(float(output[i]) - largest)
    for i in range(count):
        # First each class's p · dE/dp, at the right class −1, elsewhere the odds.
        share = -1.0
        if target[i] > 0.5:
            total += log(normaliser) - (float(output[i]) - largest)
        else:
            # The floor keeps a class that is wrong beyond doubt from being infinitely so.
            others = 1e-30
            for k in range(count):
                if k != i:
                    others += exp(float(output[k]) - largest)
            total += log(normaliser) - log(others)
            share = exp(float(output[i]) - largest) / others
        delta[i] = share
        pull += share
        spread += share * share
    for i in range(count):
        share, chance = float(delta[i]), exp(float(output[i]) - largest) / normaliser
        delta[i] = (share - chance * pull) / count
        own = (1.0 - chance) * (1.0 - chance) - chance * chance
        curvature[i] = (spread * chance * chance + share * share * own) / count
    return total / count


@njit(cache=True)
def posterior(j: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return ``y_d + log(e^-j + Σ e^-y)`` with the penalties ``y = −output`` (PIEEE98 eq. 9).

    The place after the classes is that of the rubbish class which e^-j stands for: its chance, left in
    `curvature`, is what remains of the first derivatives, and bends the distances to all codes.
    """
    count, largest = target.size, -j
    for i in range(count):
        largest = max(largest, float(output[i]))
    rubbish, total = exp(-j - largest), 0.0
    normaliser = rubbish
    for i in range(count):
        normaliser += exp(float(output[i]) - largest)
    for i in range(count):
        chance = exp(float(output[i]) - largest) / normaliser
        delta[i] = chance - target[i]
        curvature[i] = chance * (1.0 - chance)
        total += target[i] * (log(normaliser) - (float(output[i]) - largest))
    for i in range(count, delta.size):
        delta[i] = 0
        curvature[i] = 0
    curvature[count] = rubbish / normaliser
    return total


@njit(cache=True)
def loss(kind: int, scale: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return the loss of one pattern; put its derivatives by the outputs into `delta` and `curvature`.

    Parameters
    ----------
    kind
        SQUARED: ``scale/2 · Σ (target − output)²``. SOFTMAX: cross-entropy of the softmax of the outputs with
        the target as probabilities; its second derivative is the diagonal of the softmax's own. BINARY: the
        mean binary cross-entropy of each of the softmax's outputs, see `binary`. POSTERIOR: eq. 9 of PIEEE98,
        see `posterior`.
    scale
        1 for half the squared error, as NC89 and SN count it; 2/outputs for the mean squared error; j for
        POSTERIOR.
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
    if kind == BINARY:
        return binary(output, target, delta, curvature)
    if kind == POSTERIOR:
        return posterior(scale, output, target, delta, curvature)
    largest = float(output[0])
    for i in range(count):
        largest = max(largest, float(output[i]))
    normaliser = 0.0
    for i in range(count):
        delta[i] = exp(float(output[i]) - largest)
        normaliser += delta[i]
    chosen = log(normaliser)
    for i in range(count):
        probability = delta[i] / normaliser
        delta[i] = probability - target[i]
        curvature[i] = probability * (1.0 - probability)
        total += target[i] * (chosen - (float(output[i]) - largest))
    return total
