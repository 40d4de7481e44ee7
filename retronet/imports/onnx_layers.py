"""What nodes that hold weights become: convolutions, dense layers, codes."""

from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from retronet.imports.onnx_file import OnnxNode
from retronet.imports.onnx_flow import Floats, Flow
from retronet.network import Conv, Dense, Identity, Padding, Rbf, Subsample, padding_of

Array = NDArray[Any]
Given = list[Array | None]
"""The constants that a node reads, in the place of each; None is the tensor at hand, or nothing."""

Pads = tuple[int, int, int, int]
"""Rows and columns around a plane: top, left, bottom, right."""


def dense(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Put a dense layer on top: a product with a matrix of constants, as MatMul or Gemm has it."""
    weights = given[1] if len(given) > 1 else None
    bias = given[2] if len(given) > 2 else None
    if given[0] is not None or weights is None or weights.ndim != 2:
        raise node.refuse(
            "is no product of the tensor at hand with a matrix of constants", "that alone is allowed"
        )
    matrix = np.asarray(weights, np.float64)
    attributes = node.attributes if node.op == "Gemm" else {}
    if attributes.get("transA", 0):
        raise node.refuse("turns the tensor at hand (transA = 1)", "transA = 0 is allowed")
    if attributes.get("transB", 0):
        matrix = matrix.T
    matrix = matrix * float(attributes.get("alpha", 1.0))
    if flow.index.ndim != 1 or len(flow.index) != len(matrix):
        told = ", ".join(map(str, flow.index.shape))
        raise node.refuse(
            f"multiplies a tensor (n, {told}) with a matrix {matrix.shape}",
            f"rows of units (n, {flow.units}) and {flow.units} rows of weights are allowed",
        )
    flow.close()
    units = matrix.shape[1]
    rows = np.empty((units, flow.units))
    rows[:, flow.index] = matrix.T
    biases = np.zeros(units)
    if bias is not None:
        if bias.size not in (1, units):
            raise node.refuse(f"adds {bias.size} biases", f"one, or one a unit, {units}, is allowed")
        biases = biases + np.asarray(bias, np.float64).ravel() * float(attributes.get("beta", 1.0))
    biases = biases + rows @ flow.shift
    layer = Dense(flow.fresh(*names_of(node), "dense"), units, Identity())
    flow.begin(node, layer, rows * flow.scale, biases)


def convolution(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Put a convolution on top; one that adds up blocks of each plane, equally weighted, is a subsampling."""
    weights = given[1] if len(given) > 1 else None
    if given[0] is not None or weights is None or weights.ndim != 4:
        raise node.refuse("has no kernels of constants over planes", "weights (maps, planes, k, k) are")
    planes, rows, columns = flow.planes(node)
    maps, seen, *kernel = weights.shape
    group = int(node.attributes.get("group", 1))
    steps = tuple(node.attributes.get("strides") or (1, 1))
    if kernel[0] != kernel[1] or both_ways(node, "kernel_shape", kernel) != kernel[0]:
        raise node.refuse(f"has kernels of {kernel[0]}×{kernel[1]}", "square ones, as it states, are allowed")
    check_dilations(node)
    if group < 1 or maps % group or seen * group != planes:
        raise node.refuse(
            f"reads {seen} planes a map in {group} groups, of {planes} planes", f"{planes} in all are allowed"
        )
    flow.close()
    pads = with_border(flow, node, pads_of(node, (rows, columns), kernel[0], steps))
    stride = stride_of(node, steps, (rows + pads[0] + pads[2], columns + pads[1] + pads[3]), kernel[0])
    values = np.asarray(weights, np.float64)
    bias = np.zeros(maps) if len(given) < 3 or given[2] is None else np.asarray(given[2], np.float64).ravel()
    if len(bias) != maps:
        raise node.refuse(f"adds {len(bias)} biases", f"one a map, {maps}, is allowed")
    name = flow.fresh(*names_of(node), "conv")
    border, flow.pads, flow.border = flow.border, (0, 0, 0, 0), 0.0
    blocks = values.reshape(maps, -1)
    if (
        group == planes == maps and stride == kernel[0] > 1 and not any(pads)
        and not rows % stride and not columns % stride and (blocks == blocks[:, :1]).all()
    ):  # fmt: skip
        flow.note("Took for a layer of averages", node.name)
        _on_planes(flow, node, Subsample(name, stride, Identity()), blocks[:, 0], bias)
        return
    sees = tuple(
        tuple(range(m // (maps // group) * seen, (m // (maps // group) + 1) * seen)) for m in range(maps)
    )
    plain = Conv(name, maps, kernel[0], Identity(), stride, border=border, sees=None if group == 1 else sees)
    layer = padded(plain, pads, (rows, columns))
    _on_planes(flow, node, layer, values, bias)


def _on_planes(flow: Flow, node: OnnxNode, layer: Conv | Subsample, weights: Floats, bias: Floats) -> None:
    """Put a layer on top that takes what is done to its planes into its weights."""
    if flow.scaled:
        folded = _folded(flow, layer, weights, bias)
        if folded is None:
            flow.settle(node, f"{layer.name[:50]}_below")
            flow.close()
        else:
            layer, weights, bias = folded
    flow.begin(node, layer, weights, bias)


def _folded(
    flow: Flow, layer: Conv | Subsample, weights: Floats, bias: Floats
) -> tuple[Conv | Subsample, Floats, Floats] | None:
    """Return layer, weights and biases that do with plain planes what those given do with scaled ones.

    None where that is not exact: a border is scaled back, and is one for all planes.
    """
    scale, shift = flow.by_plane(flow.scale), flow.by_plane(flow.shift)
    if scale is None or shift is None:
        return None
    if isinstance(layer, Subsample):
        return layer, weights * scale, bias + weights * layer.size**2 * shift
    if padding_of(layer) != Padding():
        if (scale == 0).any():
            return None
        borders = (layer.border - shift) / scale
        if (borders != borders[0]).any():
            return None
        layer = structs.replace(layer, border=float(borders[0]))
    sees = np.array(layer.sees or (range(flow.shape[0]),) * layer.maps)
    bias = bias + (weights.sum((2, 3)) * shift[sees]).sum(1)
    return layer, weights * scale[sees][:, :, np.newaxis, np.newaxis], bias


def distances(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Put fixed codes on top: minus the squared distances to them, as `retronet export` writes them."""
    codes = given[1]
    assert codes is not None
    flow.close()
    if flow.index.ndim != 1 or len(flow.index) != len(codes):
        raise node.refuse(f"compares codes of {len(codes)} numbers", f"{flow.units} are allowed")
    if flow.scaled:
        flow.settle(node, "below_codes")
        flow.close()
    rows = np.empty_like(codes.T)
    rows[:, flow.index] = codes.T
    marks = tuple(("".join("#" if value > 0 else "." for value in row),) for row in rows)
    flow.add(node, Rbf(flow.fresh(*names_of(node), "codes"), marks))
    flow.index = flow.index.ravel()


def both_ways(node: OnnxNode, key: str, default: tuple[int, ...] | list[int]) -> int:
    """Return the one number of an attribute that has one for rows and one for columns."""
    values = tuple(node.attributes.get(key) or default)
    if len(values) != 2 or values[0] != values[1] or not 1 <= values[0] < 1 << 31:
        raise node.refuse(f"has {key} {values}", "the same for rows and columns, from 1 on, is allowed")
    return int(values[0])


def check_dilations(node: OnnxNode) -> None:
    """Refuse windows with holes."""
    if any(step != 1 for step in node.attributes.get("dilations", ())):
        raise node.refuse(f"has dilations {node.attributes['dilations']}", "1 is allowed")


def stride_of(node: OnnxNode, steps: tuple[int, ...], plane: tuple[int, int], kernel: int) -> int:
    """Return the stride of both axes; on one with room for a single position it does not matter."""
    if len(steps) == 2 and min(steps) >= 1:
        moving = [step for step, size in zip(steps, plane, strict=True) if size >= kernel + step]
        alone = 1 if max(plane) <= kernel else max(steps)
        steps = (max(moving, default=alone), min(moving, default=alone))
    return both_ways(replace(node, attributes={"strides": steps}), "strides", (1, 1))


def pads_of(node: OnnxNode, plane: tuple[int, int], kernel: int, strides: tuple[int, ...]) -> Pads:
    """Return the rows and columns that a node puts around planes of the size `plane`."""
    auto = node.attributes.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        ends = []
        for size, stride in zip(plane, strides, strict=True):
            total = max((-(-size // max(stride, 1)) - 1) * stride + kernel - size, 0)
            less, more = total // 2, total - total // 2
            ends.append((less, more) if auto == "SAME_UPPER" else (more, less))
        return ends[0][0], ends[1][0], ends[0][1], ends[1][1]
    pads = node.attributes.get("pads") or (0, 0, 0, 0)
    if auto == "VALID":
        pads = (0, 0, 0, 0)
    if len(pads) != 4 or min(pads) < 0 or max(pads) >= 1 << 31:
        raise node.refuse(f"has pads {tuple(pads)}", "four numbers from 0 on are allowed")
    top, left, bottom, right = (int(pad) for pad in pads)
    return top, left, bottom, right


def with_border(flow: Flow, node: OnnxNode, own: Pads) -> Pads:
    """Return the pads of a convolution, zeros, and those of a Pad before it together."""
    if not any(own):
        return flow.pads
    if any(flow.pads) and flow.border != 0:
        raise node.refuse(
            f"pads with 0 what is padded with {flow.border:g} already", "one border of one number is allowed"
        )
    top, left, bottom, right = (mine + given for mine, given in zip(own, flow.pads, strict=True))
    return top, left, bottom, right


def padded(layer: Conv, pads: Pads, plane: tuple[int, int]) -> Conv:
    """Return `layer` with these pads: equal ones where what they add more is not read."""
    top, left, bottom, right = pads

    def outputs(size: int, less: int, more: int) -> int:
        return (size + less + more - layer.kernel) // layer.stride

    ends = ((plane[0], top, bottom), (plane[1], left, right))
    if top == left and all(outputs(size, top, top) == outputs(size, top, more) for size, _, more in ends):
        return structs.replace(layer, pad=top)
    return structs.replace(layer, pad=Padding(top, bottom, left, right))


def names_of(node: OnnxNode) -> list[str]:
    """Return what a layer may be called: after its weights, then after its node."""
    weights = node.inputs[1] if len(node.inputs) > 1 else ""
    stem, dot, end = weights.replace("/", ".").rpartition(".")
    names = [stem.rpartition(".")[2]] if dot and end in ("weight", "weights", "kernel", "codes") else []
    parts = [part for part in node.name.split("/") if part]
    own, _, what = node.name.partition(".")
    return names + (parts[-2:-1] if len(parts) > 1 else []) + ([own] if what and "/" not in own else [])
