"""Makes a network ready for the kernels: lays its arrays out in memory and carries parameters in and out.

The kernels hold a layer's weights as dense rows, one a map, over *all* planes below; places of planes that a
map does not see stay zero, because gradients are only taken on the runs that it sees. Outside the kernels the
arrays have the shapes of :func:`retronet.network.parameter_shapes`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.errors import InputError
from retronet.geometry import tap_sources
from retronet.kernels.layers import DENSE, POSITIONS_INNER, SUBSAMPLE, TAPS_INNER, Adjoint, Values, Wiring
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


def _runs_and_holes(place: Place) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return what the products need of the maps' connections; see :class:`Wiring`."""
    taps, sees = place.taps_per_plane, [set(planes) for planes in place.sees]
    pairs = [set.union(*sees[first : first + 2]) for first in range(0, len(sees), 2)]
    runs = [_ranges(pair, taps) for pair in pairs]
    most = max(len(ranges) for ranges in runs)
    holes = [
        [row, *hole] for row, planes in enumerate(sees) for hole in _ranges(pairs[row // 2] - planes, taps)
    ]
    return (
        np.array([ranges + [[0, 0]] * (most - len(ranges)) for ranges in runs], dtype=np.uint64),
        np.array(holes, dtype=np.uint64).reshape(-1, 3),
    )


def _kind(place: Place) -> int:
    """Return which product layout is faster: the longer of positions and adjacent taps goes innermost."""
    match place.layer:
        case Subsample():
            return SUBSAMPLE
        case Conv():
            longest = max(stop - start for seen in place.sees for start, stop in _ranges(seen, place.taps_per_plane))
            return POSITIONS_INNER if place.positions > longest else TAPS_INNER
        case _:
            return DENSE


def _field_shape(place: Place) -> tuple[int, int]:
    taps = _row_length(place)
    return (taps, place.positions) if _kind(place) == POSITIONS_INNER else (place.positions, taps)


def _links(place: Place) -> NDArray[np.uint32]:
    """Return what the layer's inputs are linked to; see :class:`Wiring`."""
    kind = _kind(place)
    if kind == DENSE:
        return np.zeros((0, 2), np.uint32)
    within = tap_sources(place)
    if kind == SUBSAMPLE:
        return within.astype(np.uint32)
    pixels = place.input[1] * place.input[2]
    unit = np.concatenate([plane * pixels + within for plane in range(place.input[0])], axis=1)
    live = np.tile(within < pixels, place.input[0])
    if kind == POSITIONS_INNER:
        unit, live = unit.T, live.T
    return np.ascontiguousarray(np.stack([np.flatnonzero(live), unit[live]], axis=1), dtype=np.uint32)


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
                yield f"field{level}", _field_shape(place)

    def _activity_views(self, flat: Floats) -> dict[str, tuple[Floats, ...]]:
        view = self._activity.view

        def field(level: int, place: Place) -> Floats:
            match place.layer:
                case Conv():
                    return view(flat, f"field{level}")
                case Subsample():
                    return np.zeros((0, 0), self.dtype)
                case _:
                    return view(flat, f"state{level}").reshape(-1)[: _row_length(place)].reshape(1, -1)

        levels = range(len(self.places))
        outputs = tuple(view(flat, f"state{level + 1}") for level in levels)
        fields = tuple(field(level, place) for level, place in enumerate(self.places))
        units = (int(np.prod(self.network.input)), *(place.units for place in self.places))
        return {
            "states": tuple(view(flat, f"state{level}").reshape(-1)[:count] for level, count in enumerate(units)),
            "outputs": outputs,
            "fields": fields,
            "flat_fields": tuple(field.reshape(-1) for field in fields),
            "slopes": tuple(view(flat, f"slope{level}") for level in levels),
        }

    def _parameter_views(self, flat: Floats, part: str) -> tuple[Floats, ...]:
        return tuple(self.vector.view(flat, f"{place.name}.{part}") for place in self.places)

    def _build(self) -> Machine:
        squashing = [_squashing(place.layer.activation) for place in self.places if not isinstance(place.layer, Rbf)]
        runs, holes = zip(*(_runs_and_holes(place) for place in self.places), strict=True)
        wiring = Wiring(
            kinds=np.array([_kind(place) for place in self.places]),
            links=tuple(_links(place) for place in self.places),
            runs=runs,
            holes=holes,
            squashing=np.array([code for code, _, _ in squashing]),
            constants=np.array([pair for _, *pair in squashing], self.dtype),
        )
        flat = Flat(
            parameters=self.vector.zeros(self.dtype),
            parameters_squared=self.vector.zeros(self.dtype),
            activity=self._activity.zeros(self.dtype),
            activity_squared=self._activity.zeros(self.dtype),
            gradient=self.vector.zeros(self.dtype),
            curvature=self.vector.zeros(self.dtype),
        )
        values = Values(**self._activity_views(flat.activity))
        for field, place in zip(values.fields, self.places, strict=True):
            if isinstance(place.layer, Conv):
                field[:] = place.layer.border
        gradients = self._adjoint(flat.parameters, flat.activity, flat.gradient)
        biases = self._parameter_views(flat.parameters, "bias")
        return Machine(
            wiring=wiring,
            weights=self._parameter_views(flat.parameters, "weight"),
            biases=biases,
            values=values,
            gradients=gradients,
            steps=gradients._replace(weight_gradients=gradients.weights, bias_gradients=biases),
            curvatures=self._adjoint(flat.parameters_squared, flat.activity_squared, flat.curvature),
            flat=flat,
        )

    def _adjoint(self, parameters: Floats, activity: Floats, gradient: Floats) -> Adjoint:
        activities = self._activity_views(activity)
        # A backward pass fills the same places as a forward one: derivatives by states and by fields.
        received = self._activity_views(self._activity.zeros(self.dtype))
        return Adjoint(
            weights=self._parameter_views(parameters, "weight"),
            states=activities["states"],
            fields=activities["fields"],
            slopes=activities["slopes"],
            below=received["states"],
            deltas=received["outputs"],
            field_deltas=received["fields"],
            flat_field_deltas=received["flat_fields"],
            weight_gradients=self._parameter_views(gradient, "weight"),
            bias_gradients=self._parameter_views(gradient, "bias"),
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
