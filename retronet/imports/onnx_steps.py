"""What one node of an ONNX graph does to the network that grows: the table of all operators that are read."""

import math

import numpy as np

from retronet.imports.onnx_constants import IMAGES, axes_of
from retronet.imports.onnx_file import OnnxGraph, OnnxNode
from retronet.imports.onnx_flow import Flow
from retronet.imports.onnx_layers import Array, Given, convolution, dense, distances
from retronet.imports.onnx_pools import pool, pool_all
from retronet.network import HardTanh, Relu, Sigmoid, Tanh

READ = (
    "Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "ReduceMean",
    "Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization", "Tanh", "Relu", "Sigmoid", "HardSigmoid", "Clip",
    "Pad", "Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Softmax", "LogSoftmax", "Identity",
    "Dropout", "Cast", "Constant",
)  # fmt: skip
PADDED = ("Conv", "AveragePool", "Pad", "Identity", "Dropout", "Cast")
"""What may follow a Pad."""
CODES = "distances to codes"
"""What five nodes of our own export are together; see `retronet.imports.onnx_network`."""
FLOATS = (1, 11)


def follow(flow: Flow, node: OnnxNode, given: Given, graph: OnnxGraph) -> None:
    """Let `node` do to `flow` what it does to its tensor.

    Parameters
    ----------
    flow
        The network so far.
    node
        Reads the tensor at hand once, and constants.
    given
        The constants, in the place of each input.
    graph
        Where the node stands.

    Raises
    ------
    InputError
        If the node is of a kind that networks here do not have, or does what they can not say.
    """
    if flow.border_width and node.op not in PADDED:
        raise node.refuse("follows a Pad", "convolutions and average pools alone are padded")
    match node.op:
        case "Identity" | "Dropout":
            pass
        case "Cast":
            if node.attributes.get("to") not in FLOATS:
                raise node.refuse("casts states to another type", "float and double are allowed")
        case "Conv":
            convolution(flow, node, given)
        case "Gemm" | "MatMul":
            dense(flow, node, given)
        case "distances to codes":
            distances(flow, node, given)
        case "Tanh":
            flow.activate(node, Tanh())
        case "Relu":
            flow.activate(node, Relu())
        case "Sigmoid":
            flow.activate(node, Sigmoid())
        case "HardSigmoid":
            rise, half = float(node.attributes.get("alpha", 0.2)), float(node.attributes.get("beta", 0.5))
            flow.affine(np.full(flow.units, rise), np.full(flow.units, half))
            flow.activate(node, HardTanh(0.0, 1.0))
        case "MaxPool" | "AveragePool":
            pool(flow, node)
        case "GlobalMaxPool" | "GlobalAveragePool" | "ReduceMean":
            pool_all(flow, node, given)
        case "Clip":
            _clip(flow, node, given)
        case "Add" | "Sub" | "Mul" | "Div" | "Neg":
            _arithmetic(flow, node, given)
        case "BatchNormalization":
            _normalise(flow, node, given)
        case "Pad":
            _pad(flow, node, given)
        case "Flatten" | "Reshape" | "Transpose" | "Squeeze" | "Unsqueeze":
            _arrange(flow, node, given, graph)
        case _:
            raise node.refuse("is of a kind that no layer here has", f"{', '.join(READ)} are allowed")


def _constant(node: OnnxNode, given: Given, place: int) -> Array:
    value = given[place] if len(given) > place else None
    if value is None:
        raise node.refuse(f"has no constant as input {place}", "one that the file states is needed")
    return value


def _scalar(node: OnnxNode, value: Array | None, otherwise: float) -> float:
    if value is None:
        return otherwise
    if value.size != 1:
        raise node.refuse(f"takes {value.size} numbers for one", "one is allowed")
    return float(value.ravel()[0])


def _clip(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Take a Clip for what it is: a rectifier from 0 on without an end, else a hard tanh."""
    low, high = (
        _scalar(node, given[place] if len(given) > place else None, node.attributes.get(key, end))
        for place, key, end in ((1, "min", -math.inf), (2, "max", math.inf))
    )
    if low == 0 and high >= 3.4e38:
        flow.activate(node, Relu())
    elif -3.4e38 < low < high < 3.4e38:
        flow.activate(node, HardTanh(low, high))
    elif low > -3.4e38 or high < 3.4e38:
        raise node.refuse(f"clips to {low:g} … {high:g}", "two ends, or 0 … ∞, are allowed")


def _arithmetic(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Multiply or add constants."""
    ones, zeros = np.ones(flow.units), np.zeros(flow.units)
    if node.op == "Neg":
        flow.affine(-ones, zeros)
        return
    place = 1 if given[0] is None else 0
    values = flow.per_unit(node, _constant(node, given, place))
    match node.op, place:
        case "Add", _:
            flow.affine(ones, values)
        case "Sub", 1:
            flow.affine(ones, -values)
        case "Sub", 0:
            flow.affine(-ones, values)
        case "Mul", _:
            flow.affine(values, zeros)
        case "Div", 1 if (values != 0).all():
            flow.affine(1 / values, zeros)
        case _:
            raise node.refuse("divides by a state, or by 0", "dividing by constants other than 0 is allowed")


def _normalise(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Fold a BatchNormalization as it is after training: a factor and a summand for each plane."""
    if node.attributes.get("training_mode", 0):
        raise node.refuse("is in training mode", "a network exported for inference is allowed (model.eval())")
    scale, bias, mean, variance = (
        np.asarray(_constant(node, given, place), np.float64).ravel() for place in (1, 2, 3, 4)
    )
    planes = flow.index.shape[0]
    if {len(scale), len(bias), len(mean), len(variance)} != {planes}:
        raise node.refuse(f"has {len(scale)} scales for {planes} planes", "one a plane is allowed")
    spread = variance + float(node.attributes.get("epsilon", 1e-5))
    if (spread <= 0).any():
        raise node.refuse("has a variance below 0", "variances from 0 on are allowed")
    factor = scale / np.sqrt(spread)
    shape = (planes, *[1] * (flow.index.ndim - 1))
    flow.note("Folded BatchNormalization into weights:", node.name)
    flow.affine(
        flow.per_unit(node, factor.reshape(shape)),
        flow.per_unit(node, (bias - mean * factor).reshape(shape)),
    )


def _pad(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Surround planes with a number; the convolution that follows takes it as its border."""
    mode = node.attributes.get("mode", "constant")
    if mode != "constant":
        raise node.refuse(f"pads with mode {mode}", "constant is allowed")
    if len(given) > 1 and given[1] is not None:
        pads = [int(pad) for pad in given[1].ravel()]
        value = _scalar(node, given[2] if len(given) > 2 else None, 0.0)
    else:
        pads = [int(pad) for pad in node.attributes.get("pads", ())]
        value = float(node.attributes.get("value", 0.0))
    axes = list(range(flow.index.ndim + 1))
    if len(given) > 3 and given[3] is not None:
        axes = [int(axis) % len(axes) for axis in given[3].ravel()]
    ends = np.zeros((2, flow.index.ndim + 1), np.int64)
    if len(pads) != 2 * len(axes):
        raise node.refuse(f"has {len(pads)} pads", f"two an axis, {2 * len(axes)}, are needed")
    ends[:, axes] = np.reshape(pads, (2, -1))
    if not ends.any():
        return
    rows, columns = _plane_axes(flow, node)
    others = np.delete(ends, [1 + rows, 1 + columns], axis=1)
    if others.any() or ends.min() < 0 or ends.max() >= 1 << 20:
        raise node.refuse(f"has pads {tuple(pads)}", "pads of rows and columns, none below 0, are allowed")
    flow.close()
    if any(flow.pads) and flow.border != value:
        raise node.refuse(f"pads with {value:g} what is padded with {flow.border:g}", "one border is allowed")
    (top, left), (bottom, right) = ends[:, [1 + rows, 1 + columns]].tolist()
    old = flow.pads
    flow.pads, flow.border = (old[0] + top, old[1] + left, old[2] + bottom, old[3] + right), value


def _plane_axes(flow: Flow, node: OnnxNode) -> tuple[int, int]:
    """Return which axes of the tensor at hand are rows and columns, the axis of images not counted."""
    units = np.arange(flow.units).reshape(flow.shape)
    for axes in ((1, 2), (0, 1)):
        turned = units if axes == (1, 2) else units.transpose(1, 2, 0)
        if flow.index.shape == turned.shape and (flow.index == turned).all():
            return axes
    return flow.planes(node)[1:]  # which refuses, naming the shape


def _arrange(flow: Flow, node: OnnxNode, given: Given, graph: OnnxGraph) -> None:
    """Turn the tensor at hand, or give it another shape; the axis of images stays the first."""
    index = flow.index
    match node.op:
        case "Transpose":
            axes = tuple(node.attributes.get("perm") or range(index.ndim + 1)[::-1])
            if sorted(axes) != list(range(index.ndim + 1)) or axes[0] != 0:
                raise node.refuse(f"has the order of axes {axes}", "orders that begin with 0 are allowed")
            flow.index = index.transpose([axis - 1 for axis in axes[1:]])
        case "Flatten":
            axis = int(node.attributes.get("axis", 1)) % (index.ndim + 1)
            if axis != 1:
                raise node.refuse(f"has axis {axis}", "1 is allowed")
            flow.index = index.ravel()
        case "Squeeze" | "Unsqueeze":
            known = [np.zeros(0) if value is None else value for value in given]
            rank = index.ndim + 1
            axes = axes_of(node, known)
            full = np.empty((1, *index.shape), bool)
            if node.op == "Unsqueeze":
                shape = np.expand_dims(full, axes).shape if axes else full.shape
                first = 0 not in [axis % (rank + len(axes)) for axis in axes]
            else:
                if not axes:
                    raise node.refuse("names no axes", "axes other than 0 are needed")
                first = 0 not in [axis % rank for axis in axes]
                shape = np.squeeze(full, axes).shape
            if not first:
                raise node.refuse(f"has the axes {axes}", "axes other than 0 are allowed")
            flow.index = index.reshape(shape[1:])
        case _:
            shape = given[1] if len(given) > 1 else np.array(node.attributes.get("shape", ()))
            if shape is None:
                raise node.refuse("computes its shape from states", "a shape that is stated is allowed")
            flow.index = index.reshape(_shape_of(flow, node, [int(size) for size in shape.ravel()], graph))


def _shape_of(flow: Flow, node: OnnxNode, sizes: list[int], graph: OnnxGraph) -> tuple[int, ...]:
    """Return the shape that a Reshape gives one image."""
    before = (IMAGES, *flow.index.shape)
    asked = tuple(sizes)
    if not node.attributes.get("allowzero", 0):
        sizes = [before[i] if size == 0 and i < len(before) else size for i, size in enumerate(sizes)]
    first, rest = (sizes[0], sizes[1:]) if sizes else (0, [])
    if -1 in rest and first in (IMAGES, graph.batch):
        known = math.prod(size for size in rest if size != -1)
        rest = [flow.units // known if size == -1 and known > 0 else size for size in rest]
    whole = first in (IMAGES, -1, graph.batch)
    if not whole or min(rest, default=1) < 1 or math.prod(rest) != flow.units:
        told = tuple("n" if size == IMAGES else size for size in asked)
        raise node.refuse(
            f"gives (n, {', '.join(map(str, before[1:]))}) the shape {told}",
            f"shapes that keep n as the first axis and {flow.units} numbers an image are allowed",
        )
    return tuple(rest)
