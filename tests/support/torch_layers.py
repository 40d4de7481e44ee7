"""Layers and activations as torch computes them, one image at a time."""

from typing import assert_never

import torch

from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    MaxPool,
    Rbf,
    Relu,
    Sigmoid,
    SizedLayer,
    Subsample,
    Tanh,
)


def sums(sized: SizedLayer, state: torch.Tensor, weight: torch.Tensor, border: float) -> torch.Tensor:
    """Return a layer's weighted sums (maps, rows, columns), bias not added."""
    layer = sized.layer
    match layer:
        case Conv(kernel=kernel, stride=stride):
            planes = sized.input[0]
            packed = iter(weight.reshape(-1, kernel, kernel))
            empty = torch.zeros(kernel, kernel, dtype=weight.dtype)
            dense = torch.stack(
                [
                    torch.stack([next(packed) if plane in seen else empty for plane in range(planes)])
                    for seen in sized.sees
                ]
            )
            padded = torch.nn.functional.pad(state, sides(sized), value=border)
            return torch.nn.functional.conv2d(padded[None], dense, stride=stride)[0]
        case Subsample(size=size):
            return torch.nn.functional.avg_pool2d(state[None], size)[0] * size**2 * weight[:, None, None]
        case Dense():
            return (weight @ state.reshape(-1)).reshape(-1, 1, 1)
        case MaxPool() | AveragePool() | Rbf():
            raise AssertionError(layer)
        case _ as unreachable:
            assert_never(unreachable)


def sides(sized: SizedLayer) -> tuple[int, int, int, int]:
    pad = sized.padding
    return pad.left, pad.right, pad.top, pad.bottom


def pool(layer: MaxPool | AveragePool, sized: SizedLayer, state: torch.Tensor) -> torch.Tensor:
    function = torch.nn.functional
    if isinstance(layer, MaxPool):
        padded = function.pad(state[None], sides(sized), value=-torch.inf)
        return function.max_pool2d(padded, layer.size, layer.stride)[0]
    return function.avg_pool2d(function.pad(state[None], sides(sized)), layer.size, layer.stride)[0]


def squash(activation: Activation, value: torch.Tensor) -> torch.Tensor:
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return amplitude * torch.tanh(slope * value)
        case Relu():
            return torch.relu(value)
        case Identity():
            return value
        case Sigmoid():
            return torch.sigmoid(value)
        case HardTanh(low=low, high=high):
            return torch.nn.functional.hardtanh(value, low, high)
        case _ as unreachable:
            assert_never(unreachable)


def border(sized: SizedLayer) -> float:
    return sized.layer.border if isinstance(sized.layer, Conv) else 0.0


def activation(sized: SizedLayer) -> Activation:
    assert not isinstance(sized.layer, Rbf)
    return sized.layer.activation
