"""Small ONNX files, written as frameworks write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]
Node = Any


def drawn(*shape: int, seed: int = 0, spread: float = 0.5) -> NDArray[np.float32]:
    """Return numbers drawn evenly from ±spread."""
    rng = np.random.default_rng([seed, *shape])
    return rng.uniform(-spread, spread, shape).astype(np.float32)


def whole(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def node(op: str, inputs: str, output: str, **attributes: Any) -> Node:
    """Return a node that reads the tensors named in `inputs`, between blanks; `-` is none."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, output.split(), name=f"{output.split()[0]}_node", **attributes)


def model_of(
    nodes: Sequence[Node],
    constants: dict[str, NDArray[Any]],
    shape: Shape = ("n", 1, 6, 6),
    *,
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
    as_nodes: bool = False,
) -> onnx.ModelProto:
    """Return a model that reads ``x`` of `shape` and makes ``y``.

    With `as_nodes` its constants are Constant nodes, as some exporters have them.
    """
    given = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    first = [helper.make_node("Constant", [], [each.name], value=each) for each in given] if as_nodes else []
    graph = helper.make_graph(
        [*first, *nodes],
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)],
        [] if as_nodes else given,
    )
    ir = 3 if opset < 9 else 8
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def write(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path
