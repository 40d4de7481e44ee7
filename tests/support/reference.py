"""The network as its definition reads: one unit, one connection at a time. Slow and obvious on purpose.

Nothing here is shared with the kernels or with `retronet.connections`; only descriptions and shapes are.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retronet.network import (
    Activation,
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    MaxPool,
    NetworkSpec,
    Padding,
    Relu,
    Sigmoid,
    SizedLayer,
    Subsample,
    Tanh,
    sized_layers,
)

Floats = NDArray[np.floating]
Parameters = dict[str, Floats]
Unit = tuple[int, int, int]
Loss = Literal["squared", "softmax"]


def connections(sized: SizedLayer, unit: Unit) -> Iterator[tuple[tuple[int, ...], Unit | None]]:
    """Yield (index of the weight, unit below) for each connection of a unit; None stands for the border."""
    layer, (m, y, x) = sized.layer, unit
    planes, rows, columns = sized.input
    match layer:
        case Conv(kernel=kernel, stride=stride):
            top, left = edges(layer.pad)
            seen = range(planes) if layer.sees is None else layer.sees[m]
            before = 0 if layer.sees is None else sum(len(row) for row in layer.sees[:m])
            ragged = len(sized.weight_shape) == 3
            for number, plane in enumerate(seen):
                for r in range(kernel):
                    for c in range(kernel):
                        row, column = y * stride - top + r, x * stride - left + c
                        inside = 0 <= row < rows and 0 <= column < columns
                        weight = (before + number, r, c) if ragged else (m, number, r, c)
                        yield weight, (plane, row, column) if inside else None
        case Subsample(size=size):
            for r in range(size):
                for c in range(size):
                    yield (m,), (m, y * size + r, x * size + c)
        case Dense():
            for plane, row, column in np.ndindex(*sized.input):
                yield (m, (plane * rows + row) * columns + column), (plane, row, column)
        case _:
            raise AssertionError(layer)


def edges(pad: int | Padding) -> tuple[int, int]:
    """Return the rows above and the columns left of a plane."""
    return (pad, pad) if isinstance(pad, int) else (pad.top, pad.left)


def window(sized: SizedLayer, unit: Unit) -> list[Unit]:
    """Return the units below in the window of a unit of a pool, row by row."""
    layer, (m, y, x) = sized.layer, unit
    assert isinstance(layer, MaxPool | AveragePool)
    (_, rows, columns), (top, left), step = sized.input, edges(layer.pad), layer.stride or layer.size
    places = [(y * step - top + r, x * step - left + c) for r in range(layer.size) for c in range(layer.size)]
    return [(m, row, column) for row, column in places if 0 <= row < rows and 0 <= column < columns]


def pooled(sized: SizedLayer, state: Floats, unit: Unit) -> tuple[float, dict[Unit, float]]:
    """Return what a pool makes of a window, and its derivatives by the units below."""
    units = window(sized, unit)
    values = [float(state[below]) for below in units]
    if isinstance(sized.layer, MaxPool):
        return max(values), {units[values.index(max(values))]: 1.0}
    share = 1 / sized.layer.size**2  # type: ignore[union-attr]
    return sum(values) * share, dict.fromkeys(units, share)


def activated(activation: Activation, value: float) -> tuple[float, float]:
    """Return the unit's value and its derivative."""
    match activation:
        case Tanh(amplitude=a, slope=s):
            return a * math.tanh(s * value), a * s * (1 - math.tanh(s * value) ** 2)
        case Relu():
            return (value, 1.0) if value > 0 else (0.0, 0.0)
        case Sigmoid():
            chance = 1 / (1 + math.exp(-value))
            return chance, chance * (1 - chance)
        case HardTanh(low=low, high=high):
            return min(max(value, low), high), float(low < value < high)
        case _:
            return value, 1.0


def bias_index(sized: SizedLayer, unit: Unit) -> tuple[int, ...]:
    """Return where a unit's bias lies."""
    return unit if len(sized.bias_shape) == 3 else unit[:1]


def forward(network: NetworkSpec, parameters: Parameters, image: Floats) -> tuple[list[Floats], list[Floats]]:
    """Return the states from the input up, and the slopes of each layer."""
    states, slopes = [image.reshape(network.input).astype(np.float64)], []
    for sized in sized_layers(network):
        state, slope = np.zeros(sized.output), np.zeros(sized.output)
        if isinstance(sized.layer, MaxPool | AveragePool):
            for unit in np.ndindex(*sized.output):
                total = pooled(sized, states[-1], unit)[0]
                state[unit], slope[unit] = activated(sized.layer.activation, total)
            states.append(state)
            slopes.append(slope)
            continue
        weight, bias = parameters[f"{sized.name}.weight"], parameters[f"{sized.name}.bias"]
        border = getattr(sized.layer, "border", 0.0)
        for unit in np.ndindex(*sized.output):
            total = float(bias[bias_index(sized, unit)])
            for index, below in connections(sized, unit):
                total += weight[index] * (border if below is None else states[-1][below])
            state[unit], slope[unit] = activated(sized.layer.activation, total)  # type: ignore[union-attr]
        states.append(state)
        slopes.append(slope)
    return states, slopes


def backward(
    network: NetworkSpec,
    parameters: Parameters,
    states: list[Floats],
    slopes: list[Floats],
    top: Floats,
    power: int,
) -> Parameters:
    """Return each parameter's sum over its connections of ``delta_i · x_j^power``.

    With power 1 and the loss's first derivatives at the top: the gradient. With power 2 and its second
    derivatives: the diagonal of PIEEE98 App. C, where weights and slopes are squared on the way down.
    """
    found = {name: np.zeros_like(array) for name, array in parameters.items()}
    arriving = top
    for level, sized in reversed(list(enumerate(sized_layers(network)))):
        sent = np.zeros(sized.input)
        if isinstance(sized.layer, MaxPool | AveragePool):
            for unit in np.ndindex(*sized.output):
                delta = arriving[unit] * slopes[level][unit] ** power
                for below, share in pooled(sized, states[level], unit)[1].items():
                    sent[below] += delta * share**power
            arriving = sent
            continue
        weight = parameters[f"{sized.name}.weight"]
        border = getattr(sized.layer, "border", 0.0)
        for unit in np.ndindex(*sized.output):
            delta = arriving[unit] * slopes[level][unit] ** power
            found[f"{sized.name}.bias"][bias_index(sized, unit)] += delta
            for index, below in connections(sized, unit):
                value = border if below is None else states[level][below]
                found[f"{sized.name}.weight"][index] += delta * value**power
                if below is not None:
                    sent[below] += delta * weight[index] ** power
        arriving = sent
    return found


def loss(kind: Loss, scale: float, output: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Return the loss, its first and its second derivatives by the outputs."""
    if kind == "squared":
        error = output - target
        return 0.5 * scale * float((error**2).sum()), scale * error, np.full_like(error, scale)
    probability = np.exp(output) / np.exp(output).sum()
    return float(-(target * np.log(probability)).sum()), probability - target, probability * (1 - probability)


def derivatives(
    network: NetworkSpec, parameters: Parameters, image: Floats, target: Floats, kind: Loss, scale: float
) -> tuple[float, Parameters, Parameters]:
    """Return the loss of one pattern, its gradient and its Gauss–Newton diagonal."""
    states, slopes = forward(network, parameters, image)
    value, first, second = loss(kind, scale, states[-1].reshape(-1), target)
    shape = states[-1].shape
    return (
        value,
        backward(network, parameters, states, slopes, first.reshape(shape), 1),
        backward(network, parameters, states, slopes, second.reshape(shape), 2),
    )
