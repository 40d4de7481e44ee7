"""Small networks drawn at random, to prove kernels on geometries that nobody would choose."""

import numpy as np
from numpy.typing import NDArray

from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    Layer,
    MaxPool,
    NetworkSpec,
    Padding,
    Relu,
    Sigmoid,
    Subsample,
    Tanh,
    parameter_shapes,
    sized_layers,
)

Parameters = dict[str, NDArray[np.floating]]


def random_network(seed: int) -> NetworkSpec:
    """Return a network of two to four layers: strides, borders, tables with holes, odd numbers of maps."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), int(rng.integers(7, 13)), int(rng.integers(7, 13)))
    layers: list[Layer] = []
    planes, rows, columns = shape
    for depth in range(int(rng.integers(1, 4))):
        choice = rng.random()
        if choice < 0.25 and rows % 2 == 0 and columns % 2 == 0:
            layers.append(Subsample(f"l{depth}", 2, _activation(rng)))
            rows, columns = rows // 2, columns // 2
        elif choice < 0.8:
            layers.append(_conv(rng, f"l{depth}", planes, rows, columns))
            conv = layers[-1]
            assert isinstance(conv, Conv)
            planes = conv.maps
            rows, columns = (
                (size + 2 * conv.pad - conv.kernel) // conv.stride + 1 for size in (rows, columns)
            )
        else:
            layers.append(Dense(f"l{depth}", int(rng.integers(1, 8)), _activation(rng)))
            assert isinstance(layers[-1], Dense)
            planes, rows, columns = layers[-1].units, 1, 1
    layers.append(Dense("top", int(rng.integers(2, 7)), _activation(rng)))
    return NetworkSpec(f"random{seed}", "drawn at random", shape, tuple(layers))


def _conv(rng: np.random.Generator, name: str, planes: int, rows: int, columns: int) -> Conv:
    pad = int(rng.integers(0, 3))
    maps = int(rng.integers(1, 6))
    sees = None
    if rng.random() < 0.7:
        same = int(rng.integers(1, planes + 1)) if rng.random() < 0.5 else 0
        sees = tuple(
            tuple(sorted(rng.choice(planes, same or rng.integers(1, planes + 1), replace=False).tolist()))
            for _ in range(maps)
        )
    return Conv(
        name,
        maps,
        int(rng.integers(1, min(5, rows + 2 * pad, columns + 2 * pad) + 1)),
        _activation(rng),
        stride=int(rng.integers(1, 4)),
        pad=pad,
        border=float(rng.uniform(-1.5, 1.5)),
        sees=sees,
        bias="unit" if rng.random() < 0.5 else "map",
    )


def _activation(rng: np.random.Generator) -> Activation:
    tanh = Tanh(float(rng.uniform(0.5, 2)), float(rng.uniform(0.5, 1.2)))
    return (tanh, tanh, Relu(), Identity())[rng.integers(4)]


def random_pools(seed: int) -> NetworkSpec:
    """Return a network with pools of both kinds, other activations, and borders that differ on each side."""
    rng = np.random.default_rng(seed)
    shape = (1, int(rng.integers(9, 14)), int(rng.integers(9, 14)))
    squash = (Sigmoid(), HardTanh(), HardTanh(-0.3, 1.7), HardTanh(0.05, 1.0), Relu(), Tanh(1.2, 0.8))
    layers: list[Layer] = []
    for depth in range(int(rng.integers(2, 5))):
        below = sized_layers(NetworkSpec("", "", shape, tuple(layers)))[-1].output if layers else shape
        size = int(rng.integers(1, min(3, *below[1:]) + 1))
        pad = Padding(*(int(edge) for edge in rng.integers(0, size, 4)))
        stride = None if rng.random() < 0.3 else int(rng.integers(1, 3))
        activation = squash[rng.integers(len(squash))]
        match int(rng.integers(3)) if depth else 2:
            case 0:
                own = Identity() if rng.random() < 0.6 else activation
                layers.append(MaxPool(f"l{depth}", size, stride, pad, own))
            case 1:
                own = Identity() if rng.random() < 0.6 else activation
                layers.append(AveragePool(f"l{depth}", size, stride, pad, own))
            case _:
                maps, border = int(rng.integers(1, 6)), float(rng.uniform(-1, 1))
                layers.append(Conv(f"l{depth}", maps, size, activation, stride or 1, pad, border))
    layers.append(Dense("top", int(rng.integers(2, 6)), squash[rng.integers(len(squash))]))
    return NetworkSpec(f"pools{seed}", "drawn at random", shape, tuple(layers))


def random_parameters(
    network: NetworkSpec, seed: int, dtype: type[np.floating] = np.float64, spread: float = 0.7
) -> Parameters:
    """Return parameters drawn evenly from ±spread."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.uniform(-spread, spread, shape).astype(dtype)
        for name, shape in parameter_shapes(network).items()
    }


def random_patterns(
    network: NetworkSpec, seed: int, count: int, dtype: type[np.floating] = np.float64
) -> tuple[NDArray[np.floating], NDArray[np.uint8], NDArray[np.floating]]:
    """Return images (count, planes · rows, columns), labels and the targets of the classes."""
    rng = np.random.default_rng(seed)
    planes, rows, columns = network.input
    outputs = list(parameter_shapes(network).values())[-1][0]
    images = rng.uniform(-1, 1, (count, planes * rows, columns)).astype(dtype)
    labels = rng.integers(0, outputs, count).astype(np.uint8)
    return images, labels, (2 * np.eye(outputs) - 1).astype(dtype)
