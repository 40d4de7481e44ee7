"""A network in double precision by torch's functions, layer by layer: slow, and easy to believe."""

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    MaxPool,
    NetworkSpec,
    Rbf,
    Relu,
    Sigmoid,
    Subsample,
    Tanh,
    code_matrix,
    padding_of,
    sized_layers,
)


def squashed(activation: Activation, sums: torch.Tensor) -> torch.Tensor:
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return amplitude * torch.tanh(slope * sums)
        case Relu():
            return torch.relu(sums)
        case Sigmoid():
            return torch.sigmoid(sums)
        case HardTanh(low=low, high=high):
            return torch.clamp(sums, low, high)
        case Identity():
            return sums
        case _ as unreachable:
            assert_never(unreachable)


def slow_outputs(
    network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], images: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the outputs (n, units) for images (n, planes, rows, columns), or (n, rows, columns)."""
    states = torch.tensor(images, dtype=torch.float64).reshape(len(images), *network.input)
    arrays = {name: torch.tensor(np.asarray(array, np.float64)) for name, array in parameters.items()}
    for sized in sized_layers(network):
        pad = padding_of(sized.layer)
        edges = (pad.left, pad.right, pad.top, pad.bottom)
        bias = arrays.get(f"{sized.name}.bias")
        match sized.layer:
            case Conv(kernel=size, border=border, stride=stride):
                assert bias is not None
                kernels = iter(arrays[f"{sized.name}.weight"].reshape(-1, size, size))
                full = torch.zeros(sized.output[0], sized.input[0], size, size, dtype=torch.float64)
                for row, seen in enumerate(sized.sees):
                    for plane in seen:
                        full[row, plane] = next(kernels)
                below = functional.pad(states, edges, value=border)
                sums = functional.conv2d(below, full, stride=stride) + bias.reshape(
                    len(bias), *bias.shape[1:] or (1, 1)
                )
            case Subsample(size=size):
                assert bias is not None
                total = functional.avg_pool2d(states, size) * size**2
                sums = total * arrays[f"{sized.name}.weight"].reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)
            case MaxPool(size=size):
                sums = functional.max_pool2d(functional.pad(states, edges, value=-np.inf), size, sized.stride)
            case AveragePool(size=size):
                sums = functional.avg_pool2d(functional.pad(states, edges), size, sized.stride)
            case Dense():
                rows = states.flatten(1) @ arrays[f"{sized.name}.weight"].T + bias
                sums = rows[:, :, None, None]
            case Rbf() as rbf:
                codes = torch.tensor(code_matrix(rbf))
                sums = -((states.flatten(1)[:, None] - codes) ** 2).sum(2)[:, :, None, None]
            case _ as unreachable:
                assert_never(unreachable)
        states = squashed(sized.activation, sums)
    outputs: NDArray[np.float64] = states.flatten(1).numpy()
    return outputs
