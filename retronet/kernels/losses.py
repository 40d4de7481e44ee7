"""Losses: their value, and their first and second derivatives by the network's outputs.

Each function returns the loss of one pattern and overwrites ``delta`` and ``curvature``, arrays like the
outputs, with the derivatives. Its first argument is the constant of the loss: 1 for half the squared error,
as NC89 and SN count it, 2/outputs for the mean squared error; j of PIEEE98 eq. 9; others have none. Outputs
may be more than targets: see `posterior`.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.elementary import exp, log
from retronet.kernels.jit import njit

Floats = NDArray[np.floating]

SQUARED, SOFTMAX, BINARY, POSTERIOR = 0, 1, 2, 3


@njit()
def binary(_scale: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
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


@njit()
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


@njit()
def squared(scale: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return ``scale/2 · Σ (target − output)²``."""
    total = 0.0
    for i in range(target.size):
        error = output[i] - target[i]
        delta[i] = scale * error
        curvature[i] = scale
        total += 0.5 * scale * error * error
    return total


@njit()
def softmax(_scale: float, output: Floats, target: Floats, delta: Floats, curvature: Floats) -> float:
    """Return the cross-entropy of the softmax of the outputs, the target being probabilities.

    The second derivative is the diagonal of the softmax's own.
    """
    count, largest, normaliser, total = target.size, float(output[0]), 0.0, 0.0
    for i in range(count):
        largest = max(largest, float(output[i]))
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


LOSSES = (squared, softmax, binary, posterior)
"""By number: SQUARED, SOFTMAX, BINARY, POSTERIOR."""
