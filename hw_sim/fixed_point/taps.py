"""The weights of a layer as rows of taps, in the order in which a unit adds them up."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from retronet.connections import tap_sources
from retronet.network import Place, Subsample

Order = Literal["plane_fastest", "plane_slowest"]


@dataclass(frozen=True)
class Wiring:
    """Which inputs the units of a layer read.

    Attributes
    ----------
    fan_in, tables : ndarray of int32, shape (maps,)
        Taps of each map; the table of `sources` that it uses.
    sources : ndarray of int32, shape (tables, positions, most taps)
        Unit of the layer below that each tap reads; the number of units stands for the border.
    """

    fan_in: NDArray[np.int32]
    tables: NDArray[np.int32]
    sources: NDArray[np.int32]


def wire(place: Place, order: Order) -> Wiring:
    """Return which inputs the taps of every position read, in the order of accumulation."""
    planes, rows, columns = place.input
    area, per_plane = rows * columns, place.taps_per_plane
    within = tap_sources(place)
    distinct = sorted(set(place.sees))
    sources = np.full((len(distinct), within.shape[0], max(place.fan_in)), planes * area, np.int32)
    for table, seen in enumerate(distinct):
        offsets = np.array(seen)[:, np.newaxis, np.newaxis] * area
        full = np.where(within == area, planes * area, within + offsets)
        axes = (1, 2, 0) if order == "plane_fastest" else (1, 0, 2)
        sources[table, :, : len(seen) * per_plane] = full.transpose(axes).reshape(within.shape[0], -1)
    tables = np.array([distinct.index(seen) for seen in place.sees], np.int32)
    return Wiring(np.array(place.fan_in, np.int32), tables, sources)


def per_map(place: Place, weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights as one row a map, plane by plane; a map with fewer taps than others leaves the rest 0.

    The coefficient of a subsampling map is the weight of all its taps.
    """
    maps, most = len(place.sees), max(place.fan_in)
    if isinstance(place.layer, Subsample):
        return np.repeat(weights.reshape(maps, 1), most, axis=1)
    rows = np.zeros((maps, most), weights.dtype)
    rows[np.arange(most) < np.array(place.fan_in)[:, np.newaxis]] = weights.ravel()
    return rows


def in_order(place: Place, rows: NDArray[Any], order: Order) -> NDArray[Any]:
    """Return such rows with the taps in the order of accumulation."""
    if order == "plane_slowest":
        return rows
    arranged = np.zeros_like(rows)
    for row, taps in enumerate(place.fan_in):
        arranged[row, :taps] = rows[row, :taps].reshape(-1, place.taps_per_plane).T.ravel()
    return arranged
