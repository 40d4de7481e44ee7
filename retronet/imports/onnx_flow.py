"""A network that grows layer by layer while the nodes of a graph are followed.

Frameworks have no borders, amplitudes or coefficients, but nodes for them: each multiplication or addition of
constants is folded into the layer below where its sums are still open, else into the weights above.
Where neither is exact, a subsampling layer of 1 × 1 blocks says the same.

A tensor may hold the units of a layer in any order and shape; `index` says which unit each of its elements
is, so
that turned and flattened tensors cost nothing: weights are put in the order of the units.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.imports.onnx_file import OnnxNode
from retronet.imports.onnx_planes import without_empty_planes
from retronet.network import (
    Activation,
    Conv,
    Dense,
    Identity,
    Layer,
    NetworkSpec,
    Rbf,
    Shape,
    Subsample,
    Tanh,
    sized_layers,
)

Floats = NDArray[np.float64]
MOST_LAYERS = 200


@dataclass
class OpenLayer:
    """A layer whose activation is not yet known: `weights` with the maps first, `bias` one a unit.

    ``slope`` is a factor of all sums that is not yet in them: before a tanh it stays a slope.
    """

    layer: Layer
    weights: Floats
    bias: Floats
    slope: float = 1.0


@dataclass
class Flow:
    """What the nodes so far make of an image.

    Attributes
    ----------
    name
        Of the network, for messages.
    shape
        Planes, rows, columns of the top layer, or of the image.
    index
        For each element of the tensor at hand, without the axis of images, the unit of the top layer that
        it is.
    layers, parameters
        The layers that are finished.
    opened
        The top layer, if it is not.
    scale, shift
        What each unit of the finished top layer is multiplied with, and what is added then.
    pads, border
        What the planes are surrounded with: top, left, bottom, right.
    notes
        What was resolved on the way, in sentences.
    """

    name: str
    shape: Shape
    index: NDArray[np.int64]
    layers: list[Layer] = field(default_factory=list)
    parameters: dict[str, Floats] = field(default_factory=dict)
    opened: OpenLayer | None = None
    scale: Floats = field(init=False)
    shift: Floats = field(init=False)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    border: float = 0.0
    notes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._plain()

    @property
    def units(self) -> int:
        """Units of the top layer."""
        return math.prod(self.shape)

    @property
    def scaled(self) -> bool:
        """Whether the finished top layer's units are multiplied or added to."""
        return bool((self.scale != 1).any() or (self.shift != 0).any())

    def _plain(self) -> None:
        self.scale, self.shift = np.ones(self.units), np.zeros(self.units)

    def note(self, what: str, name: str) -> None:
        """Remember that `what` was done to the node `name`."""
        self.notes.setdefault(what, []).append(name)

    # --- layers

    def begin(self, node: OnnxNode, layer: Layer, weights: Floats, bias: Floats) -> None:
        """Put `layer` on top, its activation still open; `bias` is one a map."""
        self.shape = self._place(node, layer)
        self.index = np.arange(self.units).reshape(self.shape)
        if isinstance(layer, Dense):
            self.index = self.index.ravel()
        self.opened = OpenLayer(layer, weights, np.repeat(bias, self.shape[1] * self.shape[2]))
        self._plain()

    def add(self, node: OnnxNode, layer: Layer) -> None:
        """Put `layer`, which has no parameters, on top; what each plane is multiplied with stays."""
        scale, shift = self.by_plane(self.scale), self.by_plane(self.shift)
        self.shape = self._place(node, layer)
        self.index = np.arange(self.units).reshape(self.shape)
        self.layers.append(layer)
        self._plain()
        if not isinstance(layer, Rbf) and scale is not None and shift is not None:
            positions = self.shape[1] * self.shape[2]
            self.scale, self.shift = np.repeat(scale, positions), np.repeat(shift, positions)

    def _place(self, node: OnnxNode, layer: Layer) -> Shape:
        """Return the shape of `layer` on top of what is there."""
        if len(self.layers) >= MOST_LAYERS:
            raise node.refuse(f"would be layer {MOST_LAYERS + 1}", f"at most {MOST_LAYERS} are allowed")
        if self.border_width:
            raise node.refuse("follows a Pad", "convolutions alone are padded")
        try:
            return sized_layers(NetworkSpec(self.name, "", self.shape, (layer,)))[0].output
        except InputError as error:
            raise node.refuse("can not be a layer", str(error).rstrip(".")) from error

    @property
    def border_width(self) -> int:
        """The widest border that is pending."""
        return max(self.pads)

    def close(self, activation: Activation | None = None) -> None:
        """Finish the top layer, if it is open, with its activation, or with none."""
        if self.opened is None:
            return
        opened, self.opened = self.opened, None
        activation = Identity() if activation is None else activation
        if isinstance(activation, Tanh):
            activation = replace(activation, slope=activation.slope * opened.slope)
        else:
            _sloped(opened)
        layer = opened.layer
        assert isinstance(layer, Conv | Subsample | Dense)
        maps = self.by_plane(opened.bias)
        if isinstance(layer, Conv):
            layer = replace(layer, bias="unit" if maps is None else "map")
            layer, weights, emptied = without_empty_planes(layer, opened.weights)
            if emptied:
                self.note("Left out planes whose weights are all 0 of", layer.name)
        else:
            weights = opened.weights
        bias = opened.bias.reshape(self.shape) if maps is None else maps
        self.layers.append(replace(layer, activation=activation))
        self.parameters |= {f"{layer.name}.weight": weights, f"{layer.name}.bias": bias}

    # --- multiplications and additions

    def by_plane(self, values: Floats) -> Floats | None:
        """Return values of units as values of planes, or None where a plane has several."""
        planes = values.reshape(self.shape[0], -1)
        return planes[:, 0].copy() if (planes == planes[:, :1]).all() else None

    def affine(self, scale: Floats, shift: Floats) -> None:
        """Multiply each unit with `scale` and add `shift`."""
        opened, maps = self.opened, self.by_plane(scale)
        uniform = not (shift != 0).any() and bool((scale == scale[0]).all())
        if opened is not None and uniform:
            opened.slope *= float(scale[0])
            return
        bias_fits = opened is not None and (
            isinstance(opened.layer, Conv) or self.by_plane(opened.bias * scale + shift) is not None
        )
        if opened is not None and maps is not None and bias_fits:
            _sloped(opened)
            opened.weights *= maps.reshape(-1, *[1] * (opened.weights.ndim - 1))
            opened.bias = opened.bias * scale + shift
            return
        self.close()
        top = self.layers[-1] if self.layers else None
        squashed = getattr(top, "activation", None)
        if uniform and top is not None and isinstance(squashed, Tanh) and not self.scaled:
            tall: Any = replace(squashed, amplitude=squashed.amplitude * float(scale[0]))
            self.layers[-1] = replace(top, activation=tall)
            return
        self.scale, self.shift = self.scale * scale, self.shift * scale + shift

    def activate(self, node: OnnxNode, activation: Activation) -> None:
        """Let the open sums through `activation`, or the finished states once more."""
        if self.opened is None and self.layers and self._take(activation):
            return
        if self.opened is None:
            if not self.layers:
                raise node.refuse("squashes the image itself", "a layer of weights is needed before it")
            self.settle(node, f"{self.layers[-1].name[:50]}_squash")
        self.close(activation)

    def _take(self, activation: Activation) -> bool:
        """Give the finished top layer its activation, if it has none and takes what scales its units."""
        top = self.layers[-1]
        if isinstance(top, Rbf) or not isinstance(top.activation, Identity):
            return False
        if self.scaled:
            uniform = not (self.shift != 0).any() and (self.scale == self.scale[0]).all()
            if not uniform or not isinstance(activation, Tanh):
                return False
            activation = replace(activation, slope=activation.slope * float(self.scale[0]))
        self.layers[-1] = replace(top, activation=activation)
        self._plain()
        return True

    def settle(self, node: OnnxNode, name: str) -> None:
        """Put what units are multiplied with into a layer of its own, of one coefficient and bias a plane."""
        scale, shift = self.by_plane(self.scale), self.by_plane(self.shift)
        if scale is None or shift is None:
            raise node.refuse(
                "takes units that are each multiplied with, or added to, a number of their own",
                "one number a plane is allowed, or one a unit where a dense layer or a convolution is next",
            )
        self.note("Made a layer of 1 × 1 blocks of", node.name)
        self.begin(node, Subsample(self.fresh(name), 1, Identity()), scale, shift)

    def fresh(self, *wanted: str) -> str:
        """Return the first of the names `wanted` that can be one, or with a number if it is taken."""
        taken = {layer.name for layer in self.layers}
        taken |= {self.opened.layer.name} if self.opened is not None else set()
        for each in wanted:
            name = re.sub(r"[^a-z0-9]+", "_", each.lower()).strip("_")
            if re.match(r"[a-z]", name) and len(name) <= 50:
                break
        else:
            name = "layer"
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        return free

    # --- the tensor at hand

    def planes(self, node: OnnxNode) -> Shape:
        """Return the shape of the planes at hand, in the order of the units.

        Raises
        ------
        InputError
            If the tensor is turned, or flattened into another shape.
        """
        if self.index.shape != self.shape or (self.index.ravel() != np.arange(self.units)).any():
            raise node.refuse(
                f"reads a tensor of shape (n, {', '.join(map(str, self.index.shape))})",
                f"the order (n, planes, rows, columns) of {'×'.join(map(str, self.shape))} is allowed",
            )
        return self.shape

    def per_unit(self, node: OnnxNode, values: NDArray[Any]) -> Floats:
        """Return constants that meet the tensor at hand as one a unit."""
        shape = (1, *self.index.shape)
        try:
            full = np.broadcast_to(np.asarray(values, np.float64), shape)
        except ValueError as error:
            told = ", ".join(map(str, self.index.shape))
            raise node.refuse(
                f"takes a constant of shape {values.shape} with a tensor (n, {told})",
                "constants of one number, one a plane or one a unit are allowed",
            ) from error
        units = np.empty(self.units)
        units[self.index.ravel()] = full.ravel()
        return units


def _sloped(opened: OpenLayer) -> None:
    opened.weights = opened.weights * opened.slope
    opened.bias = opened.bias * opened.slope
    opened.slope = 1.0
