"""Makes a network ready for the kernels: lays its arrays out in memory and carries parameters in and out.

Outside the kernels the arrays have the shapes of :func:`retronet.network.parameter_shapes`.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.connections import kernels
from retronet.engines.layout import has_padded, padded_shape, row_length, rows, wire
from retronet.errors import InputError
from retronet.kernels.compiling import answering, learning
from retronet.kernels.fields import LANES
from retronet.kernels.passes import Flat, Machine
from retronet.network import (
    AveragePool,
    Conv,
    MaxPool,
    NetworkSpec,
    Rbf,
    SizedLayer,
    code_matrix,
    parameter_shapes,
    sized_layers,
)

Floats = NDArray[np.floating]
Parameters = dict[str, Floats]

ALIGNMENT = 16
"""Arrays start at multiples of this many numbers, a cache line of float32."""


class Vector:
    """A flat vector cut into named arrays that start on cache lines."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.starts: dict[str, int] = {}
        self.size = 0
        for name, shape in self.shapes.items():
            self.starts[name] = self.size
            self.size += -(-int(np.prod(shape)) // ALIGNMENT) * ALIGNMENT
        self.size += ALIGNMENT  # what a block of eight may reach beyond the last array

    def view(self, flat: Floats, name: str) -> Floats:
        """Return the array `name` inside `flat`."""
        start, shape = self.starts[name], self.shapes[name]
        return flat[start : start + int(np.prod(shape))].reshape(shape)

    def zeros(self, dtype: DTypeLike) -> Floats:
        """Return a new flat vector of zeros, aligned to a cache line."""
        raw = np.zeros(self.size * np.dtype(dtype).itemsize + 64, np.uint8)
        offset = -raw.ctypes.data % 64
        return raw[offset : offset + self.size * np.dtype(dtype).itemsize].view(dtype)


class Workspace:
    """A network's arrays in one precision.

    Parameters
    ----------
    network
        The network.
    dtype
        float32 to train, float64 to prove.
    dropped
        The layer whose states are multiplied by factors, for dropout; None for none.

    """

    def __init__(
        self, network: NetworkSpec, dtype: DTypeLike = np.float32, dropped: str | None = None
    ) -> None:
        self.network = network
        self.dtype = np.dtype(dtype)
        self.sized_layers = sized_layers(network)
        self._trained = [sized for sized in self.sized_layers if sized.trained]
        self._dropped = dropped
        self.vector = Vector(
            {
                f"{sized.name}.{part}": shape
                for sized in self._trained
                for part, shape in (
                    ("weight", (rows(sized), row_length(sized))),
                    ("bias", (rows(sized), -(-sized.biases // sized.output[0]))),
                )
            }
        )
        self._activity = Vector(dict(self._activity_shapes()))
        self.bare = self._build()
        """What the kernels take, before any loop is compiled."""

    def _activity_shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield "state0", (int(np.prod(self.network.input)),)
        for level, sized in enumerate(self.sized_layers):
            shape = (rows(sized), sized.positions)
            yield f"state{level + 1}", shape
            yield f"slope{level}", shape
            if sized.name == self._dropped:
                yield f"factors{level}", shape
            if isinstance(sized.layer, Rbf):
                yield f"padded{level}", (sized.output[0], row_length(sized))
                yield f"field{level}", (rows(sized), row_length(sized))
            if isinstance(sized.layer, MaxPool):
                yield f"field{level}", (sized.units, sized.taps_per_plane)
            if isinstance(sized.layer, AveragePool):
                yield f"field{level}", (1,)
            if isinstance(sized.layer, Conv):
                yield f"field{level}", (row_length(sized) * sized.positions + LANES,)
            if isinstance(sized.layer, Conv) and has_padded(sized):
                size = math.prod(padded_shape(sized, sized.layer))
                yield f"padded{level}", (sized.input[0] * size + LANES,)

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
        for level, sized in enumerate(self.sized_layers):
            if isinstance(sized.layer, Conv) and has_padded(sized):
                self._activity.view(flat.activity, f"padded{level}")[:] = sized.layer.border
            if isinstance(sized.layer, AveragePool):
                self._activity.view(flat.activity, f"field{level}")[:] = 1 / sized.taps_per_plane
            if isinstance(sized.layer, Rbf):
                self._activity.view(flat.activity, f"padded{level}")[:] = code_matrix(sized.layer)
                # What follows the codes stands for the rubbish class; see `retronet.kernels.codes`.
                self._activity.view(flat.activity, f"field{level}")[sized.output[0]] = np.sqrt(2)
            if sized.name == self._dropped:
                self._activity.view(flat.activity, f"factors{level}")[:] = 1
        wiring = wire(self.sized_layers, self.vector.starts, self._activity.starts)
        return Machine(wiring, flat, 0, 0)

    @cached_property
    def answering(self) -> Machine:
        """What the kernels take that only run forward; they are compiled when this is asked for."""
        return answering(self.bare.wiring, self.bare.flat)

    @cached_property
    def machine(self) -> Machine:
        """What the kernels take; what learns is compiled when this is asked for."""
        return learning(self.answering)

    @property
    def factors(self) -> Floats:
        """The factors of the dropped layer's units inside the activity; empty if none is dropped."""
        for level, sized in enumerate(self.sized_layers):
            if sized.name == self._dropped:
                view = self._activity.view(self.bare.flat.activity, f"factors{level}")
                return view.reshape(-1)[: sized.units]
        return np.zeros(0, self.dtype)

    def load(self, parameters: Mapping[str, Floats], flat: Floats | None = None) -> None:
        """Copy named arrays into `flat`, by default the parameters themselves.

        Raises
        ------
        InputError
            If an array is missing or has another shape; the message names the first.
        """
        flat = self.bare.flat.parameters if flat is None else flat
        for name, shape in parameter_shapes(self.network).items():
            array = parameters.get(name)
            if array is None or array.shape != shape:
                what = "is missing" if array is None else f"has the shape {array.shape}"
                raise InputError(
                    f"The array '{name}' {what}; network '{self.network.name}' needs the shape {shape}. "
                    "Use the parameters of this network."
                )
        for sized in self._trained:
            view = self.vector.view(flat, f"{sized.name}.weight").reshape(-1)
            view[self._places[sized.name]] = parameters[f"{sized.name}.weight"].reshape(-1)
            bias = self.vector.view(flat, f"{sized.name}.bias")[: sized.output[0]]
            bias[:] = parameters[f"{sized.name}.bias"].reshape(bias.shape)

    def read(self, flat: Floats | None = None) -> Parameters:
        """Return copies of the named arrays held in `flat`, by default the parameters themselves."""
        flat = self.bare.flat.parameters if flat is None else flat
        arrays: Parameters = {}
        for sized in self._trained:
            view = self.vector.view(flat, f"{sized.name}.weight").reshape(-1)
            weights = view[self._places[sized.name]].astype(self.dtype, copy=False)
            arrays[f"{sized.name}.weight"] = weights.reshape(sized.weight_shape)
            bias = self.vector.view(flat, f"{sized.name}.bias")[: sized.output[0]]
            arrays[f"{sized.name}.bias"] = bias.reshape(sized.bias_shape).copy()
        return arrays

    @cached_property
    def _places(self) -> dict[str, NDArray[np.int64]]:
        """Where each packed weight lies in its layer's dense rows."""
        return {sized.name: _places_of(sized, row_length(sized)) for sized in self._trained}


def _places_of(sized: SizedLayer, length: int) -> NDArray[np.int64]:
    places = np.empty(int(np.prod(sized.weight_shape)), np.int64)
    for row, plane, packed in kernels(sized):
        size = packed.stop - packed.start
        start = row * length + plane * size
        places[packed] = np.arange(start, start + size)
    return places
