"""The chips' sums and comparators in plain Python: whole numbers, fractions and loops."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from retronet.network import Conv, Dense, SizedLayer, Subsample


def sums(sized: SizedLayer, weights: Sequence[Any], planes: Any, border: Any) -> list[list[list[Any]]]:
    """Return [map][row][column] of the sums of products; `weights` has a row a map, plane by plane."""
    layer, (_, rows, columns) = sized.layer, sized.input
    _, out_rows, out_columns = sized.output
    match layer:
        case Conv(kernel=kernel, stride=stride, pad=pad):
            height, width = kernel, kernel
        case Subsample(size=size):
            height = width = stride = size
            pad = 0
        case Dense():
            height, width, stride, pad = rows, columns, 1, 0
        case _:
            raise NotImplementedError
    found = []
    for row, seen in zip(weights, sized.sees, strict=True):
        made = [[0 * border for _ in range(out_columns)] for _ in range(out_rows)]
        for y in range(out_rows):
            for x in range(out_columns):
                tap = 0
                for plane in seen:
                    for i in range(y * stride - pad, y * stride - pad + height):
                        for k in range(x * stride - pad, x * stride - pad + width):
                            inside = 0 <= i < rows and 0 <= k < columns
                            made[y][x] += row[tap] * (planes[plane][i][k] if inside else border)
                            tap += 1
        found.append(made)
    return found


def converted(value: Any, references: Sequence[Any], levels: Sequence[int]) -> int:
    """Return the level that a sum reaches: one up for each reference it is not below."""
    return levels[sum(value >= reference for reference in references)]


def anna_states(network: Any, planes: Any) -> list[list[list[list[int]]]]:
    """Return [layer][map][row][column] of the states on an ANNA without errors, given those of the input."""
    levels = [int(level) for level in network.levels]
    made = []
    for layer in network.layers:
        weights = [[int(weight) for weight in row] for row in layer.weights]
        totals = sums(layer.sized, weights, planes, int(layer.border))
        _, rows, columns = layer.sized.output
        planes = []
        for number, (total, factor) in enumerate(zip(totals, layer.factors, strict=True)):
            # The converter sees factor · sum / step, in steps of state.
            references = [
                Fraction(a + b, 2) * network.converter_step / int(factor) for a, b in pairwise(levels)
            ]
            bias = layer.biases.reshape(-1, rows, columns)[number]
            planes.append(
                [
                    [converted(total[y][x] + int(bias[y, x]), references, levels) for x in range(columns)]
                    for y in range(rows)
                ]
            )
        made.append(planes)
    return made


def net32k_states(network: Any, planes: Any) -> list[list[list[list[int]]]]:
    """Return [layer][map][row][column] of the states on a NET32K without errors, given those of the input."""
    made = []
    for layer in network.layers:
        maps, rows, columns = layer.sized.output
        full = [[0] * max(layer.sized.fan_in) for _ in range(maps)]
        numbers = [[[0] * columns for _ in range(rows)] for _ in range(maps)]
        first = 0
        for part in layer.parts:
            # The taps of this part alone: all others weigh nothing.
            weights = [list(row) for row in full]
            for row, taken in zip(weights, part.weights, strict=True):
                row[first : first + len(taken)] = [int(weight) for weight in taken]
            first += part.weights.shape[1]
            for number, total in enumerate(sums(layer.sized, weights, planes, int(layer.border))):
                for y in range(rows):
                    for x in range(columns):
                        references = part.references[(number * rows + y) * columns + x].tolist()
                        numbers[number][y][x] += converted(total[y][x], references, part.values.tolist())
        if len(layer.parts) > 1:
            for number in range(maps):
                for y in range(rows):
                    for x in range(columns):
                        references = layer.thresholds[(number * rows + y) * columns + x].tolist()
                        state = converted(numbers[number][y][x], references, layer.levels.tolist())
                        numbers[number][y][x] = state
        planes = numbers
        made.append(planes)
    return made
