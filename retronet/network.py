"""What a network is: an input shape and a row of layers, and every count that follows from them.

A network is one TOML file. Nothing here computes an activation; the kernels never see these types.
Counts follow the papers: a *connection* is a weight in use at one place, biases included; a *MAC* is a
connection without the biases; a tap that reads the border is a MAC too (NC89 §3.3; papers' totals).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.descriptions import decode_toml, find, names_in, unusable
from retronet.errors import InputError

FOLDER = Path(__file__).parent / "networks"

MOST_UNITS, MOST_PLANES, MOST_WEIGHTS = 1 << 23, 1 << 16, 1 << 24
"""Of a network with its input, of a layer, of a network: beyond them arrays take gigabytes."""
MOST_GATHERED = 1 << 27
"""Numbers that the units of one map read together: they are gathered in one array."""

Positive = Annotated[int, msgspec.Meta(ge=1, le=(1 << 31) - 1)]
Finite = Annotated[float, msgspec.Meta(ge=-3.4e38, le=3.4e38)]
"""A number that single precision holds; neither infinite nor NaN."""
Edge = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]
"""Rows or columns of border."""
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=60)]
Label = Annotated[str, msgspec.Meta(pattern=r"^\w[\w.+ ()-]*\Z", max_length=100)]
"""The name of a description: it is part of the names of folders."""
CodeRow = Annotated[str, msgspec.Meta(pattern=r"^[#.]+\Z")]
Shape = tuple[int, int, int]
"""Planes, rows, columns."""


class Tanh(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="tanh"):
    """``amplitude · tanh(slope · a)``; with 1.7159 and 2/3 it maps ±1 to ±1 (PIEEE98 App. A)."""

    amplitude: Finite = 1.0
    slope: Finite = 1.0


class Relu(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="relu"):
    """``max(a, 0)``."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="identity"):
    """``a``."""


class Sigmoid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sigmoid"):
    """``1 / (1 + exp(−a))``."""


class HardTanh(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hard_tanh"):
    """``a`` between `low` and `high`, the nearer of them beyond; 0 and 6 make it what is called ReLU6."""

    low: Finite = -1.0
    high: Finite = 1.0


Activation = Tanh | Relu | Identity | Sigmoid | HardTanh


class Padding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows above and below a plane, columns left and right of it, that are not alike on all sides."""

    top: Edge = 0
    bottom: Edge = 0
    left: Edge = 0
    right: Edge = 0


class Conv(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="conv"):
    """Feature maps that slide shared kernels over the planes below.

    ``sees[m]`` lists the planes that map ``m`` reads; absent means all of them. ``pad`` rows and columns of
    the constant ``border`` surround each plane, or as many on each side as a `Padding` says. ``bias`` is one
    per unit (NC89) or one per map (NIPS89).
    """

    name: Name
    maps: Positive
    kernel: Positive
    activation: Activation
    stride: Positive = 1
    pad: Edge | Padding = 0
    border: Finite = 0.0
    sees: tuple[tuple[int, ...], ...] | None = None
    bias: Literal["unit", "map"] = "map"


class Subsample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="subsample"):
    """Sums ``size × size`` blocks of each plane, times one coefficient, plus one bias a map (PIEEE98 §II.B).

    An average times a coefficient is the same unit with a coefficient ``size²`` times as large.
    """

    name: Name
    size: Positive
    activation: Activation


class MaxPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="max_pool"):
    """The largest of ``size × size`` inputs of each plane; nothing is trained.

    Windows lie ``stride`` apart, as far as they are wide if none is given; what is left over at the end is
    not read. Nothing in ``pad`` rows and columns is ever the largest. Of equal inputs the first, row by row,
    counts as the largest: it alone gets the derivatives.
    """

    name: Name
    size: Positive
    stride: Positive | None = None
    pad: Edge | Padding = 0
    activation: Activation = Identity()


class AveragePool(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="average_pool"
):
    """The mean of ``size × size`` inputs of each plane; nothing is trained.

    Windows as those of `MaxPool`. The zeros of ``pad`` rows and columns count: the divisor is ``size²``
    everywhere.
    """

    name: Name
    size: Positive
    stride: Positive | None = None
    pad: Edge | Padding = 0
    activation: Activation = Identity()


class Dense(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dense"):
    """Units that read every unit below and have a bias each."""

    name: Name
    units: Positive
    activation: Activation


class Rbf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rbf"):
    """Minus the squared distances of the units below to fixed ±1 codes, one a class (PIEEE98 §II.B).

    The paper's outputs are the distances; with their sign turned the largest output is the answer here too.
    Each code is a picture: rows of ``#`` for +1 and ``.`` for −1, read row by row.
    """

    name: Name
    codes: Annotated[tuple[tuple[CodeRow, ...], ...], msgspec.Meta(min_length=1)]


Pool = MaxPool | AveragePool
Layer = Conv | Subsample | Pool | Dense | Rbf


class NetworkSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network as its file states it.

    ``assumptions`` are the sentences that say what the sources leave open and what was chosen here.
    """

    name: Label
    title: str
    input: tuple[Positive, Positive, Positive]
    layers: Annotated[tuple[Layer, ...], msgspec.Meta(min_length=1)]
    source: str = ""
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SizedLayer:
    """A layer in its network: the planes it reads, the planes it makes, and the counts of both papers."""

    layer: Layer
    input: Shape
    output: Shape

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def units(self) -> int:
        """Units of the layer."""
        planes, rows, columns = self.output
        return planes * rows * columns

    @property
    def positions(self) -> int:
        """Units in one map."""
        return self.output[1] * self.output[2]

    @cached_property
    def sees(self) -> tuple[tuple[int, ...], ...]:
        """For each map, the planes it reads, in ascending order."""
        planes = self.input[0]
        match self.layer:
            case Conv(maps=maps, sees=sees):
                return (tuple(range(planes)),) * maps if sees is None else sees
            case Subsample() | MaxPool() | AveragePool():
                return tuple((plane,) for plane in range(planes))
            case Dense() | Rbf():
                return (tuple(range(planes)),) * self.output[0]
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def padding(self) -> Padding:
        """Rows and columns of border on each side of the planes below."""
        return padding_of(self.layer)

    @property
    def stride(self) -> int:
        """How far apart the fields of neighbouring units begin."""
        return _stride(self.layer)

    @property
    def taps_per_plane(self) -> int:
        """Inputs that a unit reads in each plane it sees."""
        match self.layer:
            case Conv(kernel=kernel):
                return kernel * kernel
            case Subsample(size=size) | MaxPool(size=size) | AveragePool(size=size):
                return size * size
            case Dense() | Rbf():
                return self.input[1] * self.input[2]
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def taps_per_weight(self) -> int:
        """Taps that one trainable weight stands for: all of a block for a coefficient, else one."""
        return self.taps_per_plane if isinstance(self.layer, Subsample) else 1

    @property
    def trained(self) -> bool:
        """Whether the layer has parameters; codes are fixed, and pools have none."""
        return not isinstance(self.layer, Rbf | MaxPool | AveragePool)

    @property
    def activation(self) -> Activation:
        """What the layer makes of its sums; distances to codes stay as they are."""
        return Identity() if isinstance(self.layer, Rbf) else self.layer.activation

    @property
    def fan_in(self) -> tuple[int, ...]:
        """For each map, the inputs of one of its units, bias not counted."""
        taps = self.taps_per_plane
        return tuple(len(seen) * taps for seen in self.sees)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image: connections without the biases; pools have none."""
        return 0 if isinstance(self.layer, MaxPool | AveragePool) else self.positions * sum(self.fan_in)

    @property
    def biases(self) -> int:
        """Trainable biases."""
        match self.layer:
            case Conv(bias="unit"):
                return self.units
            case Conv() | Subsample() | Dense():
                return self.output[0]
            case MaxPool() | AveragePool() | Rbf():
                return 0
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def connections(self) -> int:
        """Connections, the one to each unit's bias included."""
        return self.macs + self.units if self.trained else self.macs

    @property
    def comparisons(self) -> int:
        """Comparisons for one image: in each window of a max pool one fewer than it has inputs."""
        return self._inputs_in_windows - self.units if isinstance(self.layer, MaxPool) else 0

    @property
    def additions(self) -> int:
        """Additions for one image that no product precedes: one fewer than inputs in each averaged window."""
        return self._inputs_in_windows - self.units if isinstance(self.layer, AveragePool) else 0

    @property
    def state_reads(self) -> int:
        """Inputs that the units read for one image, those on the border left out."""
        bare = isinstance(self.layer, MaxPool | AveragePool)
        return self._inputs_in_windows if bare else self.macs - self.border_macs

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the array of trainable weights.

        ``(maps, planes seen, kernel, kernel)`` for a convolution; where maps see different numbers of
        planes, their kernels stand one after the other: ``(kernels, kernel, kernel)``.
        """
        match self.layer:
            case Conv(maps=maps, kernel=kernel):
                seen = [len(planes) for planes in self.sees]
                if len(set(seen)) == 1:
                    return (maps, seen[0], kernel, kernel)
                return (sum(seen), kernel, kernel)
            case Subsample():
                return (self.output[0],)
            case Dense(units=units):
                return (units, self.fan_in[0])
            case MaxPool() | AveragePool() | Rbf():
                return (0,)
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """Shape of the array of biases: ``output`` where each unit has its own, else ``(maps,)``."""
        if not self.trained:
            return (0,)
        return self.output if isinstance(self.layer, Conv) and self.layer.bias == "unit" else self.output[:1]

    @property
    def parameters(self) -> int:
        """Trainable numbers, weights and biases."""
        weights = 1
        for size in self.weight_shape:
            weights *= size
        return weights + self.biases

    @property
    def border_macs(self) -> int:
        """MACs of one image that read the border instead of a plane."""
        if not isinstance(self.layer, Conv):
            return 0
        return self.macs - self._taps_inside * sum(len(seen) for seen in self.sees)

    @property
    def _inputs_in_windows(self) -> int:
        """Inputs that the units of all maps read, border left out."""
        return self._taps_inside * self.output[0]

    @property
    def _taps_inside(self) -> int:
        """Taps of all positions together that read a plane and not the border."""
        _, rows, columns = self.input
        _, out_rows, out_columns = self.output
        kernel, pad = math.isqrt(self.taps_per_plane), self.padding

        def inside(size: int, outputs: int, before: int) -> int:
            starts = (index * self.stride - before for index in range(outputs))
            return sum(max(0, min(start + kernel, size) - max(start, 0)) for start in starts)

        return inside(rows, out_rows, pad.top) * inside(columns, out_columns, pad.left)


def padding_of(layer: Layer) -> Padding:
    """Return the border around the planes that `layer` reads."""
    if not isinstance(layer, Conv | MaxPool | AveragePool):
        return Padding()
    pad = layer.pad
    return pad if isinstance(pad, Padding) else Padding(pad, pad, pad, pad)


def _stride(layer: Layer) -> int:
    match layer:
        case Conv(stride=stride):
            return stride
        case MaxPool(size=size, stride=stride) | AveragePool(size=size, stride=stride):
            return size if stride is None else stride
        case Subsample(size=size):
            return size
        case Dense() | Rbf():
            return 1
        case _ as unreachable:
            assert_never(unreachable)


def sized_layers(network: NetworkSpec) -> tuple[SizedLayer, ...]:
    """Return the layers of `network` with the shapes they read and make.

    Raises
    ------
    InputError
        If a layer does not fit on the one below it, or arrays would take gigabytes.
    """
    made: list[SizedLayer] = []
    shape: Shape = network.input
    units = _bounded(f"The input of network '{network.name}'", shape, 0)
    weights = 0
    for layer in network.layers:
        what = f"Layer '{layer.name}' of network '{network.name}'"
        output = _output_shape(layer, shape, network.name)
        units = _bounded(what, output, units)
        weights += _check_reads(what, layer, shape, output)
        if weights > MOST_WEIGHTS:
            raise InputError(
                f"{what} is too large: {weights:,} weights up to here; at most {MOST_WEIGHTS:,} are allowed. "
                "Choose smaller sizes."
            )
        made.append(SizedLayer(layer, shape, output))
        shape = output
        if isinstance(layer, Rbf) and layer is not network.layers[-1]:
            raise InputError(
                f"{what} is no output: an rbf layer may only be the last one. Move or replace it."
            )
    if len({sized.name for sized in made}) < len(made):
        raise InputError(f"Network '{network.name}' has two layers of one name. Give each its own.")
    return tuple(made)


def _bounded(what: str, shape: Shape, units: int) -> int:
    """Return the units so far and those of `shape`, if they are not too many."""
    planes, rows, columns = shape
    units += planes * rows * columns
    if planes > MOST_PLANES or units > MOST_UNITS:
        raise InputError(
            f"{what} is too large: {planes:,} planes of {rows:,}×{columns:,}; at most {MOST_PLANES:,} planes "
            f"and {MOST_UNITS:,} units in the whole network are allowed. Choose smaller sizes."
        )
    return units


def _check_reads(what: str, layer: Layer, shape: Shape, output: Shape) -> int:
    """Return a layer's weights, by sizes alone, if its units do not read too much."""
    planes, rows, columns = shape
    match layer:
        case Conv(kernel=kernel, sees=sees):
            fields = output[0] * planes if sees is None else sum(map(len, sees))
            taps, weights = planes * kernel * kernel, fields * kernel * kernel
        case Subsample(size=size):
            taps, weights = size * size, planes
        case MaxPool(size=size) | AveragePool(size=size):
            taps, weights = size * size, 0
        case Dense() | Rbf():
            taps = planes * rows * columns
            weights = taps * output[0]
        case _ as unreachable:
            assert_never(unreachable)
    # The kernels keep a mask of all windows of a max pool.
    gathered = taps * output[1] * output[2] * (output[0] if isinstance(layer, MaxPool) else 1)
    if gathered > MOST_GATHERED:
        raise InputError(
            f"{what} is too large: the units of {'its maps' if isinstance(layer, MaxPool) else 'a map'} read "
            f"{gathered:,} inputs together; at most {MOST_GATHERED:,} are allowed. Choose smaller sizes."
        )
    return weights


def _output_shape(layer: Layer, shape: Shape, network: str) -> Shape:
    planes, rows, columns = shape

    def misfit(found: str, allowed: str) -> InputError:
        return InputError(f"Layer '{layer.name}' of network '{network}' does not fit: {found}; {allowed}.")

    def windows(size: int, what: str) -> tuple[int, int]:
        """Return rows and columns of the places where a window of `size` fits; the rest is left over."""
        pad, stride = padding_of(layer), _stride(layer)
        spans = (rows + pad.top + pad.bottom, columns + pad.left + pad.right)
        if size > min(spans):
            raise misfit(f"{what} {size} is wider than the padded planes", f"at most {min(spans)}")
        return (spans[0] - size) // stride + 1, (spans[1] - size) // stride + 1

    activation = Identity() if isinstance(layer, Rbf) else layer.activation
    if isinstance(activation, HardTanh) and not activation.low < activation.high:
        limits = f"'low' is {activation.low:g} and 'high' {activation.high:g}"
        raise misfit(limits, "'low' has to be the lower")
    match layer:
        case Conv():
            if layer.sees is not None:
                if len(layer.sees) != layer.maps:
                    raise misfit(f"'sees' has {len(layer.sees)} rows", f"one a map, {layer.maps}, is needed")
                for seen in layer.sees:
                    if not seen or list(seen) != sorted(set(seen)) or seen[0] < 0 or seen[-1] >= planes:
                        raise misfit(
                            f"'sees' has the row {list(seen)}",
                            f"ascending planes from 0 to {planes - 1} are allowed",
                        )
            return (layer.maps, *windows(layer.kernel, "kernel"))
        case MaxPool(size=size) | AveragePool(size=size):
            widest = max(msgspec.structs.astuple(padding_of(layer)))
            if widest >= size:
                raise misfit(f"pad {widest} is as wide as its windows", f"at most {size - 1}")
            return (planes, *windows(size, "size"))
        case Subsample(size=size):
            if rows % size or columns % size:
                raise misfit(f"size {size} does not divide {rows}×{columns}", "choose one that does")
            return (planes, rows // size, columns // size)
        case Dense(units=units):
            return (units, 1, 1)
        case Rbf(codes=codes):
            units_below = planes * rows * columns
            lengths = {sum(map(len, code)) for code in codes}
            if lengths != {units_below}:
                raise misfit(f"its codes have {sorted(lengths)} values", f"each needs {units_below}")
            return (len(codes), 1, 1)
        case _ as unreachable:
            assert_never(unreachable)


def code_matrix(rbf: Rbf) -> NDArray[np.float64]:
    """Return the codes of `rbf` as ±1, one row a class."""
    return np.array([[1.0 if mark == "#" else -1.0 for mark in "".join(code)] for code in rbf.codes])


def parameter_shapes(network: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every trainable array, in the order in which they are drawn and stored."""
    shapes: dict[str, tuple[int, ...]] = {}
    for sized in sized_layers(network):
        if sized.trained:
            shapes[f"{sized.name}.weight"] = sized.weight_shape
            shapes[f"{sized.name}.bias"] = sized.bias_shape
    return shapes


def total_units(network: NetworkSpec) -> int:
    """Return the units of `network`, inputs included, as NC89 counts them."""
    planes, rows, columns = network.input
    return planes * rows * columns + sum(sized.units for sized in sized_layers(network))


def network_names() -> list[str]:
    """Return the names of the networks that come with the package."""
    return names_in(FOLDER)


def load_network(name: str) -> NetworkSpec:
    """Return the network called `name`, or the one in the file `name` if that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is none, or its description does not hold together.
    """
    path = find("network", name, FOLDER)
    network = decode_toml(path, NetworkSpec)
    try:
        sized_layers(network)
    except InputError as error:
        raise unusable(f"The file {path}", error) from error
    return network
