"""Makes a network ready for the kernels: lays its arrays out in memory and carries parameters in and out.

The kernels hold a layer's weights as dense rows, one a map, over *all* planes below; places of planes that a
map does not see stay zero, because gradients are only taken on the runs that it sees. Outside the kernels the
arrays have the shapes of :func:`retronet.network.parameter_shapes`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.errors import InputError
from retronet.kernels.fields import LANES
from retronet.kernels.layers import DENSE, POSITIONS_INNER, SUBSAMPLE, TAPS_INNER, Layer, Wiring
from retronet.kernels.passes import Flat, Machine
from retronet.kernels.units import IDENTITY, RELU, TANH
from retronet.network import (
    Activation,
    Conv,
    Identity,
    NetworkSpec,
    Place,
    Rbf,
    Relu,
    Subsample,
    Tanh,
    parameter_shapes,
    places,
)

Floats = NDArray[np.floating]
Parameters = dict[str, Floats]

ALIGNMENT = 16
"""Arrays start at multiples of this many numbers, a cache line of float32."""


class Vector:
    """A flat vector cut into named arrays that start on cache lines."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = dict(shapes)
        self.starts: dict[str, int] = {}
        self.size = 0
        for name, shape in self.shapes.items():
            self.starts[name] = self.size
            self.size += -(-int(np.prod(shape)) // ALIGNMENT) * ALIGNMENT

    def view(self, flat: Floats, name: str) -> Floats:
        """Return the array `name` inside `flat`."""
        start, shape = self.starts[name], self.shapes[name]
        return flat[start : start + int(np.prod(shape))].reshape(shape)

    def zeros(self, dtype: DTypeLike) -> Floats:
        """Return a new flat vector of zeros, aligned to a cache line."""
        raw = np.zeros(self.size * np.dtype(dtype).itemsize + 64, np.uint8)
        offset = -raw.ctypes.data % 64
        return raw[offset : offset + self.size * np.dtype(dtype).itemsize].view(dtype)


def _even(count: int) -> int:
    """Return `count`, or one more: the kernels take maps in pairs."""
    return count + count % 2


def _row_length(place: Place) -> int:
    """Return the length of a map's dense row of weights."""
    return 1 if isinstance(place.layer, Subsample) else place.input[0] * place.taps_per_plane


def _ranges(planes: Iterable[int], taps: int) -> list[list[int]]:
    """Return the ranges of taps of some planes, adjacent planes joined."""
    found: list[list[int]] = []
    for plane in sorted(planes):
        if found and found[-1][1] == plane * taps:
            found[-1][1] += taps
        else:
            found.append([plane * taps, (plane + 1) * taps])
    return found


def _runs(place: Place, group: int) -> list[list[list[int]]]:
    """Return the ranges of taps that any map of each group of maps reads."""
    return [
        _ranges(set().union(*place.sees[first : first + group]), place.taps_per_plane)
        for first in range(0, len(place.sees), group)
    ]


def _sent(place: Place) -> list[list[list[int]]]:
    """Return the runs of what four maps send down: taps they read, or positions if those lie innermost."""
    if _kind(place) == POSITIONS_INNER:
        return [[[0, place.positions]]] * -(-place.output[0] // 4)
    return _runs(place, 4)


def _holes(place: Place) -> list[list[int]]:
    """Return row and range of the taps that only the other map of a pair reads."""
    sees = [set(planes) for planes in place.sees]
    return [
        [row, *hole]
        for row, planes in enumerate(sees)
        for hole in _ranges(
            set().union(*sees[row // 2 * 2 : row // 2 * 2 + 2]) - planes, place.taps_per_plane
        )
    ]


def _padded(runs: Sequence[list[list[int]]]) -> NDArray[np.uint64]:
    """Return the runs as an array (rows, most runs in a row, 2), filled up with empty ones."""
    most = max(len(ranges) for ranges in runs)
    return np.array([ranges + [[0, 0]] * (most - len(ranges)) for ranges in runs], dtype=np.uint64)


def _kind(place: Place) -> int:
    """Return which product layout is faster: the longer of positions and adjacent taps goes innermost."""
    match place.layer:
        case Subsample():
            return SUBSAMPLE
        case Conv():
            longest = max(
                stop - start for seen in place.sees for start, stop in _ranges(seen, place.taps_per_plane)
            )
            return POSITIONS_INNER if place.positions > longest else TAPS_INNER
        case _:
            return DENSE


def _padded_shape(place: Place, conv: Conv) -> tuple[int, int]:
    """Return rows and columns of a plane with its border; columns are a multiple of the stride."""
    _, rows, columns = place.input
    return rows + 2 * conv.pad, -(-(columns + 2 * conv.pad) // conv.stride) * conv.stride


def _padded_place(
    place: Place, conv: Conv, row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return where a row and column of the padded plane lie in memory.

    Where positions lie innermost, each row holds first the columns 0, stride, 2 · stride …, then those one to
    the right of them and so on: what neighbouring positions read through one tap is then adjacent.
    """
    width = _padded_shape(place, conv)[1]
    if _kind(place) == POSITIONS_INNER:
        column = column % conv.stride * (width // conv.stride) + column // conv.stride
    return row * width + column


def _places(place: Place) -> NDArray[np.int64]:
    """Return where the units of a plane go; see :class:`Wiring`."""
    _, rows, columns = place.input
    row, column = np.divmod(np.arange(rows * columns), columns)
    match place.layer:
        case Conv() as conv:
            return _padded_place(place, conv, row + conv.pad, column + conv.pad)
        case Subsample(size=size):
            return row // size * place.output[2] + column // size
        case _:
            return np.zeros(0, np.int64)


def _strips(place: Place) -> NDArray[np.int64]:
    """Return where the strips of a field start in the padded planes, in the order in which they fill it."""
    if not isinstance(place.layer, Conv):
        return np.zeros(0, np.int64)
    conv, size = place.layer, int(np.prod(_padded_shape(place, place.layer)))
    planes, (_, rows, columns), taps = np.arange(place.input[0]), place.output, np.arange(conv.kernel)
    if _kind(place) == POSITIONS_INNER:
        plane, tap_row, tap_column, row = np.ix_(planes, taps, taps, np.arange(rows))
        column = tap_column
    else:
        row, outer, plane, tap_row = np.ix_(np.arange(rows), np.arange(columns), planes, taps)
        column = outer * conv.stride
    return (plane * size + _padded_place(place, conv, row * conv.stride + tap_row, column)).reshape(-1)


def _strip_length(place: Place) -> int:
    match place.layer:
        case Conv(kernel=kernel):
            return place.output[2] if _kind(place) == POSITIONS_INNER else kernel
        case _:
            return 0


def _squashing(activation: Activation) -> tuple[int, float, float]:
    match activation:
        case Tanh(amplitude=amplitude, slope=slope):
            return TANH, amplitude, slope
        case Relu():
            return RELU, 1.0, 1.0
        case Identity():
            return IDENTITY, 1.0, 1.0
        case _ as unreachable:
            assert_never(unreachable)


class Workspace:
    """A network's arrays in one precision.

    Parameters
    ----------
    network
        The network.
    dtype
        float32 to train, float64 to prove.

    Attributes
    ----------
    machine
        What the kernels take.
    """

    def __init__(self, network: NetworkSpec, dtype: DTypeLike = np.float32) -> None:
        self.network = network
        self.dtype = np.dtype(dtype)
        self.places = places(network)
        self.vector = Vector(
            {
                f"{place.name}.{part}": shape
                for place in self.places
                for part, shape in (
                    ("weight", (_even(place.output[0]), _row_length(place))),
                    ("bias", (_even(place.output[0]), -(-place.biases // place.output[0]))),
                )
            }
        )
        self._activity = Vector(self._activity_shapes())
        self.machine = self._build()

    def _activity_shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield "state0", (int(np.prod(self.network.input)),)
        for level, place in enumerate(self.places):
            shape = (_even(place.output[0]), place.positions)
            yield f"state{level + 1}", shape
            yield f"slope{level}", shape
            if isinstance(place.layer, Conv):
                yield f"field{level}", (_row_length(place) * place.positions + LANES,)
                yield (
                    f"padded{level}",
                    (place.input[0] * int(np.prod(_padded_shape(place, place.layer))) + LANES,),
                )

    def _build(self) -> Machine:
        flat = Flat(
            parameters=self.vector.zeros(self.dtype),
            parameters_squared=self.vector.zeros(self.dtype),
            activity=self._activity.zeros(self.dtype),
            activity_squared=self._activity.zeros(self.dtype),
            received=self._activity.zeros(self.dtype),
            received_squared=self._activity.zeros(self.dtype),
            gradient=self.vector.zeros(self.dtype),
            curvature=self.vector.zeros(self.dtype),
        )
        for level, place in enumerate(self.places):
            if isinstance(place.layer, Conv):
                self._activity.view(flat.activity, f"padded{level}")[:] = place.layer.border
        return Machine(self._wiring(), flat)

    def _wiring(self) -> Wiring:
        layers: list[Layer] = []
        constants: list[tuple[float, float]] = []
        places: list[NDArray[np.int64]] = []
        strips: list[NDArray[np.int64]] = []
        holes: list[list[int]] = []
        for level, place in enumerate(self.places):
            assert not isinstance(place.layer, Rbf)
            squashing, amplitude, gain = _squashing(place.layer.activation)
            constants.append((amplitude, gain))
            first_place, first_strip, first_hole = sum(map(len, places)), sum(map(len, strips)), len(holes)
            places.append(_places(place))
            strips.append(_strips(place))
            holes.extend(_holes(place))
            state = self._activity.starts[f"state{level}"]
            layers.append(
                Layer(
                    kind=_kind(place),
                    squashing=squashing,
                    maps=_even(place.output[0]),
                    positions=place.positions,
                    taps=_row_length(place),
                    biases=-(-place.biases // place.output[0]),
                    planes=place.input[0],
                    plane=place.input[1] * place.input[2],
                    padded_plane=int(np.prod(_padded_shape(place, place.layer)))
                    if isinstance(place.layer, Conv)
                    else 0,
                    strip=_strip_length(place),
                    weight=self.vector.starts[f"{place.name}.weight"],
                    bias=self.vector.starts[f"{place.name}.bias"],
                    state=state,
                    padded=self._activity.starts.get(f"padded{level}", state),
                    field=self._activity.starts.get(f"field{level}", state),
                    output=self._activity.starts[f"state{level + 1}"],
                    slope=self._activity.starts[f"slope{level}"],
                    first_place=first_place,
                    first_strip=first_strip,
                    stop_strip=first_strip + len(strips[-1]),
                    first_pair=sum(-(-below.output[0] // 2) for below in self.places[:level]),
                    first_four=sum(-(-below.output[0] // 4) for below in self.places[:level]),
                    first_hole=first_hole,
                    stop_hole=len(holes),
                )
            )
        return Wiring(
            table=np.array(layers, dtype=np.int64),
            constants=np.array(constants, dtype=self.dtype),
            places=np.concatenate(places).astype(np.uint32),
            strips=np.concatenate(strips).astype(np.uint32),
            runs=_padded([runs for place in self.places for runs in _runs(place, 2)]),
            sent=_padded([runs for place in self.places for runs in _sent(place)]),
            holes=np.array(holes, dtype=np.int64).reshape(-1, 3),
        )

    def load(self, parameters: Mapping[str, Floats], flat: Floats | None = None) -> None:
        """Copy named arrays into `flat`, by default the parameters themselves.

        Raises
        ------
        InputError
            If an array is missing or has another shape; the message names the first.
        """
        flat = self.machine.flat.parameters if flat is None else flat
        for name, shape in parameter_shapes(self.network).items():
            found = parameters.get(name)
            if found is None or found.shape != shape:
                what = "is missing" if found is None else f"has the shape {found.shape}"
                raise InputError(
                    f"The array '{name}' {what}; network '{self.network.name}' needs the shape {shape}. "
                    "Use the parameters of this network."
                )
        for place in self.places:
            view = self.vector.view(flat, f"{place.name}.weight")
            for row, column, kernels in self._kernels(place):
                view[row, column] = parameters[f"{place.name}.weight"].reshape(-1)[kernels]
            bias = self.vector.view(flat, f"{place.name}.bias")[: place.output[0]]
            bias[:] = parameters[f"{place.name}.bias"].reshape(bias.shape)

    def read(self, flat: Floats | None = None) -> Parameters:
        """Return copies of the named arrays held in `flat`, by default the parameters themselves."""
        flat = self.machine.flat.parameters if flat is None else flat
        found: Parameters = {}
        for place in self.places:
            view = self.vector.view(flat, f"{place.name}.weight")
            packed = np.empty(int(np.prod(place.weight_shape)), self.dtype)
            for row, column, kernels in self._kernels(place):
                packed[kernels] = view[row, column]
            found[f"{place.name}.weight"] = packed.reshape(place.weight_shape)
            bias = self.vector.view(flat, f"{place.name}.bias")[: place.output[0]]
            found[f"{place.name}.bias"] = bias.reshape(place.bias_shape).copy()
        return found

    @staticmethod
    def _kernels(place: Place) -> Iterator[tuple[int, slice, slice]]:
        """Yield where each kernel stands: its map's row, its columns there, and its place in the packed array."""
        taps = 1 if isinstance(place.layer, Subsample) else place.taps_per_plane
        packed = 0
        for row, seen in enumerate(place.sees):
            for plane in (0,) if isinstance(place.layer, Subsample) else seen:
                yield row, slice(plane * taps, (plane + 1) * taps), slice(packed, packed + taps)
                packed += taps
