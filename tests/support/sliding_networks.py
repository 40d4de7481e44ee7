"""Networks drawn at random that can slide: each kind of layer that can, strides, tables with holes, pools."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    Layer,
    MaxPool,
    NetworkSpec,
    Relu,
    Subsample,
    Tanh,
    sized_layers,
)
from retronet.reading.slide import step_of

LECUN = Tanh(1.7159, 2 / 3)


def sliding_network(
    seed: int, *, pools: bool = True, kinds: Sequence[Activation] = (LECUN, Tanh(), Relu())
) -> NetworkSpec:
    """Return a network of up to three layers of every kind that slides, and one or two dense ones.

    Its activations are drawn from `kinds`.
    """
    rng = np.random.default_rng(seed)

    def activation() -> Activation:
        return kinds[rng.integers(len(kinds))]

    own = (1, *(int(rng.integers(6, 14)),) * 2)
    layers: list[Layer] = []
    planes, side, _ = own
    for depth in range(int(rng.integers(0, 4))):
        name, kind = f"l{depth}", int(rng.integers(6 if pools else 4))
        if kind == 0 and side % 2 == 0:
            layers.append(Subsample(name, 2, activation()))
        elif kind > 3 and side > 1:
            stride = None if rng.random() < 0.5 else int(rng.integers(1, 3))
            layers.append((MaxPool, AveragePool)[kind - 4](name, int(rng.integers(1, 4)) % side + 1, stride))
        else:
            maps, sees = int(rng.integers(1, 5)), None
            if rng.random() < 0.5:
                counts = rng.integers(1, planes + 1, maps)
                sees = tuple(
                    tuple(sorted(rng.choice(planes, count, replace=False).tolist())) for count in counts
                )
            kernel = int(rng.integers(1, min(5, side) + 1))
            layers.append(Conv(name, maps, kernel, activation(), int(rng.integers(1, 3)), sees=sees))
        planes, side, _ = sized_layers(NetworkSpec("", "", own, tuple(layers)))[-1].output
    for number in range(int(rng.integers(1, 3))):
        layers.append(Dense(f"d{number}", int(rng.integers(2, 6)), activation()))
    return NetworkSpec(f"sliding{seed}", "drawn at random", own, tuple(layers))


def field_of(network: NetworkSpec, seed: int) -> tuple[NDArray[np.float32], int, int]:
    """Return two fields in ±1 that `network` slides over, and how many places lie down and across."""
    rng = np.random.default_rng([seed, 1])
    down, across, step = int(rng.integers(1, 4)), int(rng.integers(1, 8)), step_of(network)
    rows, columns = network.input[1] + step * (down - 1), network.input[2] + step * (across - 1)
    return rng.uniform(-1, 1, (2, rows, columns)).astype(np.float32), down, across
