"""Turns layers into the tables that the kernels read: where arrays start, what reads what.

The kernels hold a layer's weights as dense rows, one a map, over *all* planes below; places of planes that a
map does not see stay zero, because gradients are only taken on the runs that it sees.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from retronet.connections import tap_coordinates, tap_sources
from retronet.kernels.compiling import NO_LOOPS
from retronet.kernels.fields import LANES
from retronet.kernels.layers import (
    AVERAGE_POOL,
    CODES,
    DENSE,
    LAYER,
    MAX_POOL,
    POSITIONS_INNER,
    SUBSAMPLE,
    TAPS_INNER,
    Layer,
    Wiring,
)
from retronet.kernels.units import HARD_TANH, IDENTITY, RELU, SIGMOID, TANH
from retronet.network import (
    AveragePool,
    Conv,
    HardTanh,
    Identity,
    MaxPool,
    Padding,
    Rbf,
    Relu,
    Sigmoid,
    SizedLayer,
    Subsample,
    Tanh,
)


def even(count: int) -> int:
    """Return `count`, or one more: the kernels take maps in pairs."""
    return count + count % 2


def rows(sized: SizedLayer) -> int:
    """Return the rows of a layer's outputs in memory: its maps, made even; codes have one more."""
    return even(sized.output[0] + isinstance(sized.layer, Rbf))


def row_length(sized: SizedLayer) -> int:
    """Return the length of a map's dense row of weights.

    Rows of weights that are read as they lie start at multiples of eight numbers; the rest of one stays 0.
    """
    if isinstance(sized.layer, Subsample):
        return 1
    if isinstance(sized.layer, MaxPool | AveragePool):
        return sized.taps_per_plane
    taps = sized.input[0] * sized.taps_per_plane
    return -(-taps // LANES) * LANES if _kind(sized) in (DENSE, TAPS_INNER) else taps


def _ranges(planes: Iterable[int], taps: int) -> list[list[int]]:
    """Return the ranges of taps of some planes, adjacent planes joined."""
    ranges: list[list[int]] = []
    for plane in sorted(planes):
        if ranges and ranges[-1][1] == plane * taps:
            ranges[-1][1] += taps
        else:
            ranges.append([plane * taps, (plane + 1) * taps])
    return ranges


def _runs(sized: SizedLayer, group: int) -> list[list[list[int]]]:
    """Return the ranges of taps that any map of each group of maps reads."""
    return [
        _ranges(set().union(*sized.sees[first : first + group]), sized.taps_per_plane)
        for first in range(0, len(sized.sees), group)
    ]


def _sent(sized: SizedLayer) -> list[list[list[int]]]:
    """Return the runs of what four maps send down: taps they read, or positions if those lie innermost."""
    if _kind(sized) == POSITIONS_INNER:
        return [[[0, sized.positions]]] * -(-sized.output[0] // 4)
    return _runs(sized, 4)


def _holes(sized: SizedLayer) -> list[list[int]]:
    """Return row and range of the taps that only the other map of a pair reads."""
    sees = [set(planes) for planes in sized.sees]
    return [
        [row, *hole]
        for row, planes in enumerate(sees)
        for hole in _ranges(
            set().union(*sees[row // 2 * 2 : row // 2 * 2 + 2]) - planes, sized.taps_per_plane
        )
    ]


def _padded(runs: Sequence[list[list[int]]]) -> NDArray[np.uint64]:
    """Return the runs as an array (rows, most runs in a row, 2), filled up with empty ones."""
    most = max(len(ranges) for ranges in runs)
    return np.array([ranges + [[0, 0]] * (most - len(ranges)) for ranges in runs], dtype=np.uint64)


def _kind(sized: SizedLayer) -> int:
    """Return which product layout is faster: the longer of positions and adjacent taps goes innermost."""
    match sized.layer:
        case Subsample():
            return SUBSAMPLE
        case MaxPool():
            return MAX_POOL
        case AveragePool():
            return AVERAGE_POOL
        case Conv(kernel=kernel) if sized.padding == Padding() and sized.input[1:] == (kernel, kernel):
            return DENSE  # The one field is the state itself.
        case Conv():
            longest = max(
                stop - start for seen in sized.sees for start, stop in _ranges(seen, sized.taps_per_plane)
            )
            return POSITIONS_INNER if sized.positions > longest else TAPS_INNER
        case Rbf():
            return CODES
        case _:
            return DENSE


def adds_alike(sized: SizedLayer) -> bool:
    """Return whether the layer's sums have the same order on larger planes, with more positions."""
    return _kind(sized) in (POSITIONS_INNER, SUBSAMPLE, MAX_POOL, AVERAGE_POOL)


def padded_shape(sized: SizedLayer, conv: Conv) -> tuple[int, int]:
    """Return rows and columns in memory of a plane with its border; columns are a multiple of the stride."""
    (_, rows, columns), pad = sized.input, sized.padding
    width = columns + pad.left + pad.right
    return rows + pad.top + pad.bottom, -(-width // conv.stride) * conv.stride


def has_padded(sized: SizedLayer) -> bool:
    """Return whether a layer has padded planes of its own; without a border the state below is used."""
    shape = (sized.input[1], sized.input[2])
    return (
        isinstance(sized.layer, Conv)
        and _kind(sized) != DENSE
        and (sized.layer.stride > 1 or padded_shape(sized, sized.layer) != shape)
    )


def _padded_place(
    sized: SizedLayer, conv: Conv, row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return where a row and column of the padded plane lie in memory.

    Where positions lie innermost, each row holds first the columns 0, stride, 2 · stride …, then those one to
    the right of them and so on: what neighbouring positions read through one tap is then adjacent.
    """
    width = padded_shape(sized, conv)[1]
    if _kind(sized) == POSITIONS_INNER:
        column = column % conv.stride * (width // conv.stride) + column // conv.stride
    return row * width + column


def _places(sized: SizedLayer) -> NDArray[np.int64]:
    """Return where the units of a plane go; see :class:`Wiring`."""
    _, rows, columns = sized.input
    match sized.layer:
        case Conv() as conv:
            row, column = np.divmod(np.arange(rows * columns), columns)
            return _padded_place(sized, conv, row + sized.padding.top, column + sized.padding.left)
        case Subsample():
            sources = tap_sources(sized)
            blocks = np.empty(rows * columns, np.int64)
            blocks[sources] = np.arange(sized.positions)[:, np.newaxis]
            return blocks
        case _:
            return np.zeros(0, np.int64)


def _strips(sized: SizedLayer) -> NDArray[np.int64]:
    """Return where the strips of a field start in the padded planes, in the order in which they fill it.

    For a pool: which unit of a plane each tap reads.
    """
    if isinstance(sized.layer, MaxPool | AveragePool):
        return tap_sources(sized).astype(np.int64).reshape(-1)
    if not isinstance(sized.layer, Conv):
        return np.zeros(0, np.int64)
    conv, size = sized.layer, int(np.prod(padded_shape(sized, sized.layer)))
    row, column = tap_coordinates(sized)
    within = _padded_place(sized, conv, row + sized.padding.top, column + sized.padding.left)
    planes = np.arange(sized.input[0]) * size
    if _kind(sized) == POSITIONS_INNER:
        # Plane, kernel row, kernel column, row: a strip is what the positions of a row read through a tap.
        starts = planes[:, np.newaxis, np.newaxis, np.newaxis] + within[:, 0].transpose(1, 2, 0)
    else:
        # Row, column, plane, kernel row: a strip is a row of the kernel.
        starts = planes[:, np.newaxis] + within[:, :, np.newaxis, :, 0]
    return starts.reshape(-1)


def _squashing(sized: SizedLayer) -> tuple[int, float, float]:
    """Return code and constants of the squashing function: amplitude and gain, or its limits."""
    activation = sized.activation
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return TANH, amplitude, slope
        case Relu():
            return RELU, 1.0, 1.0
        case Identity():
            return IDENTITY, 1.0, 1.0
        case Sigmoid():
            return SIGMOID, 0.0, 1.0
        case HardTanh(low=low, high=high):
            return HARD_TANH, low, high
        case _ as unreachable:
            assert_never(unreachable)


def _field_sizes(sized: SizedLayer) -> tuple[int, int]:
    """Return the units of a padded plane and the length of a field's strips, or of a row of outputs."""
    match sized.layer:
        case Conv(kernel=kernel) as conv:
            length = sized.output[2] if _kind(sized) == POSITIONS_INNER else kernel
            return int(np.prod(padded_shape(sized, conv))), length
        case Subsample():
            return 0, sized.output[2]
        case _:
            return 0, 0


def wire(
    sized_layers: Sequence[SizedLayer],
    parameters: Mapping[str, int],
    activity: Mapping[str, int],
) -> Wiring:
    """Return what the kernels need to know of a network.

    Parameters
    ----------
    sized_layers
        The layers.
    parameters, activity
        Where each named array starts in its flat vector.
    """
    unit_places, strips = (
        [_places(sized) for sized in sized_layers],
        [_strips(sized) for sized in sized_layers],
    )
    holes = [_holes(sized) for sized in sized_layers]
    layers: list[Layer] = []
    for level, sized in enumerate(sized_layers):
        squashing, amplitude, gain = _squashing(sized)
        padded_plane, strip = _field_sizes(sized)
        state, first_strip = activity[f"state{level}"], sum(map(len, strips[:level]))
        first_hole = sum(map(len, holes[:level]))
        layers.append(
            Layer(
                kind=_kind(sized),
                squashing=squashing,
                maps=rows(sized),
                positions=sized.positions,
                taps=row_length(sized),
                biases=-(-sized.biases // sized.output[0]),
                planes=sized.output[0] if isinstance(sized.layer, Rbf) else sized.input[0],
                plane=sized.input[1] * sized.input[2],
                padded_plane=padded_plane,
                strip=strip,
                weight=parameters.get(f"{sized.name}.weight", 0),
                bias=parameters.get(f"{sized.name}.bias", 0),
                state=state,
                padded=activity.get(f"padded{level}", state),
                field=state if _kind(sized) == DENSE else activity.get(f"field{level}", state),
                output=activity[f"state{level + 1}"],
                slope=activity[f"slope{level}"],
                first_place=sum(map(len, unit_places[:level])),
                first_strip=first_strip,
                stop_strip=first_strip + len(strips[level]),
                first_pair=sum(-(-below.output[0] // 2) for below in sized_layers[:level]),
                first_four=sum(-(-below.output[0] // 4) for below in sized_layers[:level]),
                first_hole=first_hole,
                stop_hole=first_hole + len(holes[level]),
                factors=activity.get(f"factors{level}", -1),
                units=sized.units,
                first=amplitude,
                second=gain,
            )
        )
    return Wiring(
        table=np.array(layers, dtype=LAYER).view(np.recarray),
        places=np.concatenate(unit_places).astype(np.uint32),
        strips=np.concatenate(strips).astype(np.uint32),
        runs=_padded([runs for sized in sized_layers for runs in _runs(sized, 2)]),
        sent=_padded([runs for sized in sized_layers for runs in _sent(sized)]),
        holes=np.array([hole for holes_of_one in holes for hole in holes_of_one], dtype=np.int64).reshape(
            -1, 3
        ),
        loops=NO_LOOPS,
    )
