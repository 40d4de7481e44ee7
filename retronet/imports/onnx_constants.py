"""What the nodes of an ONNX graph make of constants alone: shapes put together, weights turned or scaled.

Exporters leave such nodes behind. The shape of a tensor is a constant too, but for the number of images:
`IMAGES`
stands for it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.imports.onnx_file import FORMS, OnnxNode
from retronet.network import MOST_WEIGHTS

Array = NDArray[Any]

IMAGES = -(1 << 40)
"""The number of images, as a shape has it: no size is so."""

CASTS = {1: "FLOAT", 6: "INT32", 7: "INT64", 11: "DOUBLE"}
"""ONNX's numbers of the types that constants are cast to."""

BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}
UNARY = {"Sqrt": np.sqrt, "Neg": np.negative, "Reciprocal": np.reciprocal, "Exp": np.exp}


def constant_of(node: OnnxNode, values: list[Array]) -> Array:
    """Return what `node` makes of the constants `values`.

    Raises
    ------
    InputError
        If it is of a kind that constants do not go through, or would make too many numbers.
    """
    match node.op:
        case "Constant":
            return _stated(node)
        case "Identity" | "Dropout":
            return values[0]
        case "Cast":
            kind = CASTS.get(node.attributes.get("to", 0))
            if kind is None:
                raise node.refuse(
                    "casts a constant to another type", "float, double, int32, int64 are allowed"
                )
            return values[0].astype(FORMS[kind])
        case "Transpose":
            axes = node.attributes.get("perm") or range(values[0].ndim)[::-1]
            if sorted(axes) != list(range(values[0].ndim)):
                raise node.refuse(f"has the axes {tuple(axes)}", f"an order of {values[0].ndim} is allowed")
            return values[0].transpose(axes)
        case "Reshape" if len(values) == 2:
            return _reshaped(node, *values)
        case "Flatten":
            axis = int(node.attributes.get("axis", 1))
            return values[0].reshape(math.prod(values[0].shape[:axis]), -1)
        case "Unsqueeze":
            axes = axes_of(node, values)
            return np.expand_dims(values[0], axes)
        case "Squeeze":
            axes = axes_of(node, values)
            return np.squeeze(values[0], axes or None)
        case "Concat":
            return np.concatenate([np.atleast_1d(value) for value in values], int(node.attributes["axis"]))
        case "Gather":
            return np.take(values[0], values[1], int(node.attributes.get("axis", 0)))
        case "Slice":
            return _sliced(node, values)
        case op if op in BINARY and len(values) == 2:
            return _combined(node, *values)
        case op if op in UNARY:
            with np.errstate(all="ignore"):
                return np.asarray(UNARY[op](values[0]))
        case "Shape":
            return np.array(values[0].shape, np.int64)
        case _:
            known = ", ".join(
                ("Constant", "Cast", "Transpose", "Reshape", "Gather", "Concat", *BINARY, *UNARY)
            )
            raise node.refuse("has constants alone, and is not worked out", f"{known} and the like are")


def axes_of(node: OnnxNode, values: list[Array]) -> tuple[int, ...]:
    """Return the axes of a node that takes them as an attribute (before opset 13) or as its second input."""
    given = values[1].ravel().tolist() if len(values) > 1 else node.attributes.get("axes") or ()
    return tuple(int(axis) for axis in given)


def _stated(node: OnnxNode) -> Array:
    for key, kind in (
        ("value_float", "f4"),
        ("value_floats", "f4"),
        ("value_int", "i8"),
        ("value_ints", "i8"),
    ):
        if key in node.attributes:
            return np.array(node.attributes[key], kind)
    if isinstance(node.attributes.get("value"), np.ndarray):
        stated: Array = node.attributes["value"]
        return stated
    raise node.refuse("states no numbers", "a tensor, floats or whole numbers are allowed")


def _reshaped(node: OnnxNode, value: Array, shape: Array) -> Array:
    sizes = [int(size) for size in shape.ravel()]
    if not node.attributes.get("allowzero", 0):
        sizes = [value.shape[i] if size == 0 and i < value.ndim else size for i, size in enumerate(sizes)]
    known = math.prod(size for size in sizes if size != -1)
    fits = known == value.size if -1 not in sizes else known and value.size % known == 0
    if not fits or sizes.count(-1) > 1 or min(sizes, default=0) < -1:
        raise node.refuse(f"gives {value.shape} the shape {tuple(sizes)}", "as many numbers are needed")
    return value.reshape(sizes)


def _sliced(node: OnnxNode, values: list[Array]) -> Array:
    if len(values) > 1:
        starts, ends, *rest = ([int(each) for each in value.ravel()] for value in values[1:])
        axes = rest[0] if rest else list(range(len(starts)))
        steps = rest[1] if len(rest) > 1 else [1] * len(starts)
    else:
        starts, ends = list(node.attributes["starts"]), list(node.attributes["ends"])
        axes, steps = list(node.attributes.get("axes") or range(len(starts))), [1] * len(starts)
    where = [slice(None)] * values[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        where[axis] = slice(start, end, step)
    return values[0][tuple(where)]


def _combined(node: OnnxNode, one: Array, two: Array) -> Array:
    shape = np.broadcast_shapes(one.shape, two.shape)
    if math.prod(shape) > MOST_WEIGHTS:
        raise node.refuse(f"makes {math.prod(shape):,} numbers", f"at most {MOST_WEIGHTS:,} are allowed")
    if (one.dtype.kind in "iu" and (one == IMAGES).any()) or (
        two.dtype.kind in "iu" and (two == IMAGES).any()
    ):
        raise node.refuse("computes with the number of images", "it may only be passed on")
    if node.op == "Div" and one.dtype.kind in "iu":
        return np.asarray(one // np.where(two == 0, 1, two))
    with np.errstate(all="ignore"):
        return np.asarray(BINARY[node.op](one, two))
