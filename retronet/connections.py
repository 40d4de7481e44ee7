"""Which input each tap of a layer reads: the one place where strides, borders and tap order become indices.

A *tap* is one of the inputs that a unit reads, a *kernel* the taps that it reads in one plane. Weights come
packed, kernel after kernel, as `parameter_shapes` says; as *rows*, one a map, for whoever adds them up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, assert_never

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.network import AveragePool, Conv, Dense, MaxPool, Rbf, SizedLayer, Subsample

TapOrder = Literal["plane_fastest", "plane_slowest"]


@dataclass(frozen=True)
class ConnectionTable:
    """Which inputs the units of a layer read, in the order in which they add them up.

    Attributes
    ----------
    fan_in, tables : ndarray of int32, shape (maps,)
        Taps of each map; the table of `sources` that it uses.
    sources : ndarray of int32, shape (tables, positions, most taps)
        Unit of the layer below that each tap reads; the number of units stands for the border, and fills up
        the rows of maps with fewer taps.
    """

    fan_in: NDArray[np.int32]
    tables: NDArray[np.int32]
    sources: NDArray[np.int32]


def tap_coordinates(sized: SizedLayer) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column, in a plane below, of the taps of each position; outside it lies the border.

    Returns
    -------
    tuple of ndarray of int64, each of shape (rows, columns, kernel rows, kernel columns)
        Positions by row and column, taps over the kernel's rows, then its columns.
    """
    _, rows, columns = sized.input
    match sized.layer:
        case Conv(kernel=size) | Subsample(size=size) | MaxPool(size=size) | AveragePool(size=size):
            kernel = (size, size)
        case Dense() | Rbf():
            kernel = (rows, columns)
        case _ as unreachable:
            assert_never(unreachable)
    row, column, tap_row, tap_column = np.indices((*sized.output[1:], *kernel))
    pad, stride = sized.padding, sized.stride
    return row * stride - pad.top + tap_row, column * stride - pad.left + tap_column


def tap_sources(sized: SizedLayer) -> NDArray[np.int32]:
    """Return where the taps of each position read within one plane.

    Returns
    -------
    ndarray of int32, shape (positions, taps per plane)
        Flat index ``row · columns + column`` into the plane below; ``rows · columns`` stands for the
        border. Taps run over the kernel's rows, then its columns.
    """
    _, rows, columns = sized.input
    row, column = tap_coordinates(sized)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    sources = np.where(inside, row * columns + column, rows * columns)
    return np.ascontiguousarray(sources.reshape(sized.positions, -1), dtype=np.int32)


@lru_cache(maxsize=64)
def connection_table(sized: SizedLayer, order: TapOrder = "plane_slowest") -> ConnectionTable:
    """Return which inputs the taps of every position read; the arrays are shared by all who ask for them.

    Parameters
    ----------
    sized
        A layer in its network.
    order
        Plane by plane, or kernel row, kernel column and plane with the plane fastest.
    """
    distinct, border = sorted(set(sized.sees)), int(np.prod(sized.input))
    sources = np.full((len(distinct), sized.positions, max(sized.fan_in)), border, np.int32)
    for table, seen in enumerate(distinct):
        rows = sources_of(sized, seen, order)
        sources[table, :, : rows.shape[1]] = rows
    tables = np.array([distinct.index(seen) for seen in sized.sees], np.int32)
    return ConnectionTable(np.array(sized.fan_in, np.int32), tables, sources)


def sources_of(sized: SizedLayer, seen: tuple[int, ...], order: TapOrder) -> NDArray[np.int32]:
    """Return the inputs (positions, taps) of a map that reads the planes `seen`, in `order`."""
    planes, rows, columns = sized.input
    area, within = rows * columns, tap_sources(sized)
    offsets = np.array(seen)[:, np.newaxis, np.newaxis] * area
    full = np.where(within == area, planes * area, within + offsets)
    axes = (1, 2, 0) if order == "plane_fastest" else (1, 0, 2)
    return full.transpose(axes).reshape(within.shape[0], -1).astype(np.int32)


def taps_among(
    sized: SizedLayer, seen: tuple[int, ...], among: tuple[int, ...], order: TapOrder
) -> NDArray[np.int64]:
    """Return where the taps of a map that reads `seen` stand among those of one that reads more planes."""
    planes, taps = np.searchsorted(among, seen), np.arange(sized.taps_per_plane)
    if order == "plane_fastest":
        return (taps[:, np.newaxis] * len(among) + planes).ravel()
    return (planes[:, np.newaxis] * sized.taps_per_plane + taps).ravel()


def weight_rows(sized: SizedLayer, weights: NDArray[Any], order: TapOrder = "plane_slowest") -> NDArray[Any]:
    """Return packed weights as one row of taps a map; a map with fewer taps than others leaves the rest 0.

    The coefficient of a subsampling map is the weight of all its taps.

    Returns
    -------
    ndarray of the type of `weights`, shape (maps, most taps)
        The taps in `order`.
    """
    maps, most = len(sized.sees), max(sized.fan_in)
    rows = np.zeros((maps, most), weights.dtype)
    if sized.taps_per_weight > 1:
        rows[:] = weights.reshape(maps, 1)
    else:
        rows[np.arange(most) < np.array(sized.fan_in)[:, np.newaxis]] = weights.ravel()
    return in_order(sized, rows, order)


def rows_and_biases(
    sized: SizedLayer, parameters: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float64
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a layer's weights as rows of taps, plane by plane, and its biases; constants for a pool.

    Returns
    -------
    tuple of ndarray of `dtype`
        Weights (maps, most taps): 1 for a max pool, ``1 / size²`` for an average pool. Biases as
        :attr:`SizedLayer.bias_shape` says; zeros, one a map, for a pool.
    """
    if isinstance(sized.layer, MaxPool | AveragePool):
        each = 1 / sized.taps_per_plane if isinstance(sized.layer, AveragePool) else 1.0
        shape = (sized.output[0], sized.taps_per_plane)
        return np.full(shape, each, dtype), np.zeros(sized.output[0], dtype)
    weights, biases = (np.asarray(parameters[f"{sized.name}.{part}"], dtype) for part in ("weight", "bias"))
    return weight_rows(sized, weights), biases


def in_order(sized: SizedLayer, rows: NDArray[Any], order: TapOrder) -> NDArray[Any]:
    """Return rows of taps that go plane by plane in the `order` that is asked for."""
    if order == "plane_slowest":
        return rows
    arranged = np.zeros_like(rows)
    for row, taps in enumerate(sized.fan_in):
        arranged[row, :taps] = rows[row, :taps].reshape(-1, sized.taps_per_plane).T.ravel()
    return arranged


def kernels(sized: SizedLayer) -> Iterator[tuple[int, int, slice]]:
    """Yield map, plane and packed weights of each kernel; a coefficient is a kernel of one in plane 0."""
    weights, packed = sized.taps_per_plane // sized.taps_per_weight, 0
    for row, seen in enumerate(sized.sees):
        for plane in (0,) if isinstance(sized.layer, Subsample) else seen:
            yield row, plane, slice(packed, packed + weights)
            packed += weights
