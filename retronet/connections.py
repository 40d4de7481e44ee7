"""Which input each tap of a layer reads: where strides, borders and tap order become indices."""

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from retronet.network import Conv, Dense, Place, Rbf, Subsample


def tap_sources(place: Place) -> NDArray[np.int32]:
    """Return where the taps of each position read within one plane.

    Parameters
    ----------
    place
        A layer in its network.

    Returns
    -------
    ndarray of int32, shape (positions, taps per plane)
        Flat index ``row · columns + column`` into the plane below; ``rows · columns`` stands for the
        border. Taps run over the kernel's rows, then its columns.
    """
    _, rows, columns = place.input
    match place.layer:
        case Conv(kernel=size, stride=stride, pad=pad):
            pass
        case Subsample(size=size):
            stride, pad = size, 0
        case Dense() | Rbf():
            return np.arange(rows * columns, dtype=np.int32)[np.newaxis, :]
        case _ as unreachable:
            assert_never(unreachable)
    out_rows, out_columns = place.output[1:]
    row = (np.arange(out_rows) * stride - pad)[:, np.newaxis] + np.arange(size)
    column = (np.arange(out_columns) * stride - pad)[:, np.newaxis] + np.arange(size)
    inside_row = (row >= 0) & (row < rows)
    inside_column = (column >= 0) & (column < columns)
    flat = row[:, np.newaxis, :, np.newaxis] * columns + column[np.newaxis, :, np.newaxis, :]
    inside = inside_row[:, np.newaxis, :, np.newaxis] & inside_column[np.newaxis, :, np.newaxis, :]
    sources = np.where(inside, flat, rows * columns)
    return np.ascontiguousarray(sources.reshape(out_rows * out_columns, size * size), dtype=np.int32)
