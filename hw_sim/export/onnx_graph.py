"""An ONNX graph that grows node by node, and its bytes: the same for the same graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Origin
from retronet.connections import TapOrder, tap_coordinates
from retronet.errors import InputError
from retronet.network import AveragePool, Conv, Dense, MaxPool, SizedLayer, Subsample

OPSET = 17
IR_VERSION = 8
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
"""ONNX's numbers of the types in use."""


def load_onnx() -> Any:  # noqa: ANN401 - the module, which may be absent
    """Return the module onnx.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            "An ONNX file can not be written: the package onnx is not installed. Install it with pip install "
            "'retronet[onnx]'."
        ) from error
    return onnx


class Graph:
    """The nodes, constants and outputs of a graph that reads one tensor."""

    def __init__(self, name: str) -> None:
        self._onnx = load_onnx()
        self._name = name
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, kind: str, shape: tuple[int, ...]) -> str:
        """Declare the input: any number of tensors of `shape`."""
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, TYPES[kind], ["n", *shape]))
        return name

    def output(self, name: str, kind: str, shape: tuple[int, ...]) -> None:
        """Declare a tensor as an output."""
        self._outputs.append(self._onnx.helper.make_tensor_value_info(name, TYPES[kind], ["n", *shape]))

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant of that name."""
        array = np.ascontiguousarray(values).reshape(np.shape(values))
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node; return the name of what it makes."""
        made = self._onnx.helper.make_node(kind, inputs, [output], name=output, **attributes)
        self._nodes.append(made)
        return output

    def model(self, origin: Origin, facts: dict[str, str]) -> bytes:
        """Return the graph as the bytes of an .onnx file, checked, with `facts` as its metadata."""
        helper = self._onnx.helper
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, constants)
        model = helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid("", OPSET),
                *(
                    helper.make_opsetid(domain, 1)
                    for domain in sorted({node.domain for node in self._nodes} - {""})
                ),
            ],
            ir_version=IR_VERSION,
            producer_name="retronet",
            producer_version=origin.program.removeprefix("retronet "),
        )
        helper.set_model_props(model, {"run": origin.run, **facts})
        self._onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def kernels_of(sized: SizedLayer, rows: NDArray[Any], order: TapOrder) -> NDArray[Any]:
    """Return rows of taps as the weights of an ONNX convolution, 0 where a map does not see a plane.

    Returns
    -------
    ndarray of the type of `rows`, shape (maps, planes, kernel rows, kernel columns)
        Of a subsampling layer or a pool each map has its own plane alone, as a group of one.

    Raises
    ------
    InputError
        If the layer is of another kind.
    """
    if not isinstance(sized.layer, Conv | Subsample | AveragePool | Dense):
        kind = sized.layer.__struct_config__.tag
        raise InputError(
            f"Layer '{sized.name}' can not be put in the ONNX graph as products: it is of kind {kind}; conv, "
            f"subsample, average_pool and dense layers are allowed. Export another network."
        )
    kernel = tap_coordinates(sized)[0].shape[2:]
    per_plane, alone = kernel[0] * kernel[1], isinstance(sized.layer, Subsample | AveragePool)
    full = np.zeros((sized.output[0], 1 if alone else sized.input[0], per_plane), rows.dtype)
    for number, seen in enumerate(sized.sees):
        taps = rows[number, : len(seen) * per_plane]
        shaped = taps.reshape(per_plane, -1).T if order == "plane_fastest" else taps.reshape(-1, per_plane)
        full[number, [0] if alone else list(seen)] = shaped
    return full.reshape(*full.shape[:2], *kernel)


def geometry_of(sized: SizedLayer) -> dict[str, Any]:
    """Return stride, borders and groups of a convolution, as attributes of its node."""
    row, column = tap_coordinates(sized)

    def axis(index: NDArray[np.int64], size: int) -> tuple[int, int, int]:
        before, after = -int(index[0, 0]), max(int(index.max()) + 1 - size, 0)
        # A layer with one position takes a step that leaves no room for a second.
        stride = int(index[1, 0] - index[0, 0]) if len(index) > 1 else size + before + after
        return stride, before, after

    stride_row, top, bottom = axis(row[:, 0, :, 0], sized.input[1])
    stride_column, left, right = axis(column[0, :, 0, :], sized.input[2])
    apart = isinstance(sized.layer, Subsample | MaxPool | AveragePool)
    group = sized.input[0] if apart else 1
    return {
        "kernel_shape": list(row.shape[2:]),
        "strides": [stride_row, stride_column],
        "dilations": [1, 1],
        "pads": [top, left, bottom, right],
        "group": group,
    }


def as_planes(graph: Graph, sized: SizedLayer, below: str) -> str:
    """Return what a layer reads as planes: units of a dense layer come as rows, and become planes of one."""
    if sized.input[1:] != (1, 1):
        return below
    shape = graph.constant(f"{sized.name}.planes_shape", np.array([-1, *sized.input], np.int64))
    return graph.node("Reshape", [below, shape], f"{sized.name}.planes")


def add_pool(graph: Graph, sized: SizedLayer, below: str, name: str) -> str:
    """Add the node of a pool; return the name of what it makes: the largest inputs, or their means."""
    geometry = geometry_of(sized)
    shared = {key: geometry[key] for key in ("kernel_shape", "strides", "pads")}
    planes = as_planes(graph, sized, below)
    if isinstance(sized.layer, MaxPool):
        return graph.node("MaxPool", [planes], name, **shared)
    if not any(shared["pads"]):
        return graph.node("AveragePool", [planes], name, **shared)
    # Zeros are put around the planes by a node of their own: runtimes differ in what they count else.
    top, left, bottom, right = shared.pop("pads")
    pads = graph.constant(f"{name}.pads", np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    padded = graph.node("Pad", [planes, pads], f"{name}.padded")
    return graph.node("AveragePool", [padded], name, **shared)


def flatten(graph: Graph, below: str, name: str) -> str:
    """Return a tensor as rows of units."""
    shape = graph.constant(f"{name}.flat_shape", np.array([0, -1], np.int64))
    return graph.node("Reshape", [below, shape], f"{name}.flat")
