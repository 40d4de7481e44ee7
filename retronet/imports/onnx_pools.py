"""What nodes that pool become: largest and mean values of windows of each plane."""

import math

import numpy as np

from retronet.imports.onnx_constants import axes_of
from retronet.imports.onnx_file import OnnxNode
from retronet.imports.onnx_flow import Flow
from retronet.imports.onnx_layers import (
    Given,
    Pads,
    both_ways,
    check_dilations,
    names_of,
    pads_of,
    stride_of,
    with_border,
)
from retronet.network import AveragePool, MaxPool, Padding


def pool(flow: Flow, node: OnnxNode) -> None:
    """Put a MaxPool or an AveragePool on top."""
    _, rows, columns = flow.planes(node)
    largest = node.op == "MaxPool"
    size = both_ways(node, "kernel_shape", ())
    check_dilations(node)
    flow.close()
    steps = tuple(node.attributes.get("strides") or (1, 1))
    pads = pads_of(node, (rows, columns), size, steps)
    if not largest:
        if any(pads) and not node.attributes.get("count_include_pad", 0):
            raise node.refuse(
                "pads and leaves what it adds out of the mean", "count_include_pad = 1 is allowed"
            )
        if not any(flow.pads) or flow.border == 0:
            pads, flow.pads = with_border(flow, node, pads), (0, 0, 0, 0)
    stride = stride_of(node, steps, (rows + pads[0] + pads[2], columns + pads[1] + pads[3]), size)
    if node.attributes.get("ceil_mode", 0):
        pads = _filled(node, pads, (rows, columns), size, stride)
    _place(flow, node, size, stride, pads)


def pool_all(flow: Flow, node: OnnxNode, given: Given) -> None:
    """Put the largest, or the mean, of whole planes on top."""
    if node.op == "ReduceMean":
        known = [np.zeros(0) if value is None else value for value in given]
        rank = flow.index.ndim + 1
        axes = sorted(axis % rank for axis in axes_of(node, known))
        if rank != 4 or axes != [2, 3]:
            raise node.refuse(f"means over the axes {tuple(axes)}", "rows and columns, (2, 3), are allowed")
    _, rows, columns = flow.planes(node)
    if rows != columns:
        raise node.refuse(f"pools whole planes of {rows}×{columns}", "square planes are allowed")
    flow.close()
    _place(flow, node, rows, rows, (0, 0, 0, 0))
    if not node.attributes.get("keepdims", 1):
        flow.index = flow.index.ravel()


def _place(flow: Flow, node: OnnxNode, size: int, stride: int, pads: Pads) -> None:
    largest = node.op in ("MaxPool", "GlobalMaxPool")
    by_plane = flow.by_plane(flow.scale) is not None and flow.by_plane(flow.shift) is not None
    passes = (flow.scale > 0).all() if largest else not any(pads) or not (flow.shift != 0).any()
    if flow.scaled and not (by_plane and passes):
        flow.settle(node, "below_pool")
        flow.close()
    top, left, bottom, right = pads
    pad = top if len(set(pads)) == 1 else Padding(top, bottom, left, right)
    kind = MaxPool if largest else AveragePool
    step = None if stride == size else stride
    flow.add(node, kind(flow.fresh(*names_of(node), "pool"), size, step, pad))


def _filled(node: OnnxNode, pads: Pads, plane: tuple[int, int], size: int, stride: int) -> Pads:
    """Return pads that let the last window, of which only a part lies in the plane, be read."""
    top, left, bottom, right = pads
    ends = []
    for length, less, more in ((plane[0], top, bottom), (plane[1], left, right)):
        span = length + less + more
        count = math.ceil((span - size) / stride) + 1
        if (count - 1) * stride >= length + less:  # a window that would begin behind the plane is none
            count -= 1
        ends.append(more + max(0, (count - 1) * stride + size - span))
    if (ends[0], ends[1]) != (bottom, right) and node.op != "MaxPool":
        raise node.refuse(
            "has windows that are cut off at the end (ceil_mode = 1)", "ceil_mode = 0 is allowed"
        )
    return top, left, ends[0], ends[1]
