"""Which inputs a unit reads, slow and obvious: plain loops over kernel rows, columns and planes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def taps_of(
    layer: Any, weights: NDArray[Any], output_map: int, row: int, column: int, planes: Any, order: str
) -> list[tuple[float, int, int, int]]:
    """Return [(weight, plane, row, column), ...] of one unit in the order of accumulation."""
    taps = []
    _, rows, columns = planes
    pad = getattr(layer, "pad", 0)
    top, left = (pad, pad) if isinstance(pad, int) else (pad.top, pad.left)
    if type(layer).__name__ == "Dense":
        size, stride, seen = (rows, columns), 1, range(planes[0])
        kernels = weights[output_map].reshape(planes)
    elif type(layer).__name__ == "Subsample":
        size, stride, seen = (layer.size, layer.size), layer.size, (output_map,)
        kernels = np.full((1, layer.size, layer.size), weights[output_map])
    elif "Pool" in type(layer).__name__:
        size, stride, seen = (layer.size, layer.size), layer.stride or layer.size, (output_map,)
        each = 1 / layer.size**2 if type(layer).__name__ == "AveragePool" else 1.0
        kernels = np.full((1, layer.size, layer.size), each)
    else:
        size, stride = (layer.kernel, layer.kernel), layer.stride
        seen = layer.sees[output_map] if layer.sees else range(planes[0])
        if weights.ndim == 4:
            kernels = weights[output_map]
        else:
            start = sum(len(planes_seen) for planes_seen in layer.sees[:output_map])
            kernels = weights[start : start + len(seen)]
    for kernel_row in range(size[0]):
        for kernel_column in range(size[1]):
            for index, plane in enumerate(seen):
                at = (plane, row * stride - top + kernel_row, column * stride - left + kernel_column)
                taps.append((index, float(kernels[index, kernel_row, kernel_column]), *at))
    if order == "plane_slowest":
        taps.sort(key=lambda tap: tap[0])  # stable: rows and columns keep their order
    return [tap[1:] for tap in taps]
