"""Reads the graph of an ONNX file: nothing in it is executed, and no number is built before it is bounded.

A tensor states its shape before it gives numbers, and twenty bytes can state gigabytes: every shape is
compared
with the bytes that are there. Numbers that stand in a file beside it are read from the same folder alone.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.errors import ChoiceError, InputError
from retronet.imports.array_files import BFLOAT16, check_bytes, numbers
from retronet.refusals import said_by, shown

SUFFIX = ".onnx"
MOST_NODES = 10_000
OLDEST_OPSET = 7
"""Before it, broadcasting was an attribute of each node."""

FORMS = {
    "FLOAT": "<f4", "DOUBLE": "<f8", "FLOAT16": "<f2", "BFLOAT16": BFLOAT16, "INT64": "<i8", "INT32": "<i4",
    "INT16": "<i2", "INT8": "i1", "UINT8": "u1", "BOOL": "?",
}  # fmt: skip
TYPED = {"FLOAT": "float_data", "DOUBLE": "double_data", "INT64": "int64_data"}
"""The field of numbers that are not raw bytes; of all others ``int32_data``."""

Array = NDArray[Any]


@dataclass(frozen=True)
class OnnxNode:
    """One node: its operator, the tensors it reads and makes, and its attributes as plain values.

    ``name`` is the file's, or where it has none the name of its first output.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def refuse(self, found: str, allowed: str) -> InputError:
        """Return the error for what the node does, half a sentence for the caller to complete."""
        return InputError(f"its node {shown(self.name)} ({self.op}) {found}; {allowed}")


@dataclass(frozen=True)
class OnnxGraph:
    """A graph that reads one tensor and makes one.

    ``input_shape`` is without the first axis, that of images, whose size is ``batch`` where the file fixes
    it;
    ``beside`` names the files that hold some of its numbers.
    """

    nodes: tuple[OnnxNode, ...]
    constants: dict[str, Array]
    input: str
    input_shape: tuple[int, ...]
    batch: int | None
    precision: str
    output: str
    opset: int
    beside: tuple[str, ...]


def onnx_package() -> Any:  # noqa: ANN401 - the module, which may be absent
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
            "An ONNX file can not be read: the package onnx is not installed. Install it with pip install "
            "'retronet[onnx]'."
        ) from error
    return onnx


def read_onnx(path: Path) -> OnnxGraph:
    """Return the graph of the .onnx file `path`, its constants read, its nodes not yet understood.

    Raises
    ------
    InputError
        If the file is missing, damaged, asks for more than there is, or its graph has other than one input
        and
        one output; one sentence.
    """
    if not path.is_file():
        raise ChoiceError(f"There is no file {path}. Give the .onnx file of a network.")
    onnx = onnx_package()
    try:
        check_bytes("it has", path.stat().st_size)
        model = onnx.ModelProto()
        model.ParseFromString(path.read_bytes())
        return _Reader(onnx, path.resolve().parent).graph(model)
    except OSError:
        raise
    except Exception as error:
        # Protobuf's own errors have no common class with those of this module.
        raise InputError(
            f"The file {path} can not be read as ONNX: {said_by(error)}. Export the network again."
        ) from error


class _Reader:
    def __init__(self, onnx: Any, folder: Path) -> None:  # noqa: ANN401
        self.onnx = onnx
        self.folder = folder
        self.beside: dict[str, int] = {}
        self.bytes = 0

    def graph(self, model: Any) -> OnnxGraph:  # noqa: ANN401
        graph = model.graph
        if not graph.node:
            raise InputError("it has no nodes: it is empty, or no ONNX file")
        if len(graph.node) > MOST_NODES:
            raise InputError(f"it has {len(graph.node):,} nodes, at most {MOST_NODES:,} are allowed")
        opset = max(
            (each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0
        )
        if opset < OLDEST_OPSET:
            raise InputError(f"it is of opset {opset}; {OLDEST_OPSET} and later ones are read")
        if graph.sparse_initializer:
            raise InputError("it has sparse constants, dense ones are allowed")
        constants = {tensor.name: self.tensor(tensor) for tensor in graph.initializer}
        inputs = [each for each in graph.input if each.name not in constants]
        for what, listed in (("inputs", inputs), ("outputs", graph.output)):
            if len(listed) != 1:
                names = ", ".join(shown(each.name) for each in list(listed)[:8])
                raise InputError(f"it has {len(listed)} {what} ({names}), one is allowed")
        batch, shape, precision = self.input(inputs[0])
        nodes = [self.node(node) for node in graph.node]
        return OnnxGraph(
            nodes=_needed(nodes, graph.output[0].name),
            constants=constants,
            input=inputs[0].name,
            input_shape=shape,
            batch=batch,
            precision=precision,
            output=graph.output[0].name,
            opset=opset,
            beside=tuple(sorted(self.beside)),
        )

    def input(self, value: Any) -> tuple[int | None, tuple[int, ...], str]:  # noqa: ANN401
        what = f"its input {shown(value.name)}"
        tensor = value.type.tensor_type
        kind = self.kind(tensor.elem_type)
        if kind not in ("FLOAT", "DOUBLE"):
            raise InputError(f"{what} takes {kind.lower()}; float and double are allowed")
        sizes = [each.dim_value if each.HasField("dim_value") else None for each in tensor.shape.dim]
        if not 2 <= len(sizes) <= 4 or any(size is None or size < 1 for size in sizes[1:]):
            told = ", ".join("?" if size is None else str(size) for size in sizes)
            raise InputError(
                f"{what} has the shape ({told}); images are allowed as (n, planes, rows, columns), "
                "(n, rows, columns) or (n, pixels), all but n known"
            )
        batch = sizes[0] if sizes[0] and sizes[0] > 0 else None
        shape = tuple(int(size) for size in sizes[1:] if size is not None)
        return batch, shape, "float32" if kind == "FLOAT" else "float64"

    def kind(self, number: int) -> str:
        kinds = self.onnx.TensorProto.DataType
        return str(kinds.Name(number)) if number in kinds.values() else f"type {number}"

    def node(self, node: Any) -> OnnxNode:  # noqa: ANN401
        name = node.name or next(iter(node.output), "") or node.op_type
        op = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        attributes = {each.name: self.attribute(each) for each in node.attribute}
        return OnnxNode(name, op, tuple(node.input), tuple(node.output), attributes)

    def attribute(self, attribute: Any) -> Any:  # noqa: ANN401
        kinds = self.onnx.AttributeProto
        match attribute.type:
            case kinds.INT:
                return attribute.i
            case kinds.FLOAT:
                return attribute.f
            case kinds.STRING:
                return attribute.s.decode("utf-8", "replace")
            case kinds.INTS:
                return tuple(attribute.ints)
            case kinds.FLOATS:
                return tuple(attribute.floats)
            case kinds.TENSOR:
                return self.tensor(attribute.t)
            case _:
                return None  # graphs, types and texts: no operator that is read here has any

    def tensor(self, tensor: Any) -> Array:  # noqa: ANN401
        """Return a constant, after comparing the shape that it states with the bytes that are there."""
        what = f"its constant {shown(tensor.name)}"
        kind, shape = self.kind(tensor.data_type), tuple(tensor.dims)
        if kind not in FORMS:
            raise InputError(f"{what} holds {kind.lower()}; {', '.join(FORMS).lower()} are allowed")
        if min(shape, default=0) < 0 or len(shape) > 8:
            raise InputError(f"{what} states the shape {shape}; up to 8 axes, none below 0, are allowed")
        count, form = math.prod(shape), FORMS[kind]
        size = 2 if form == BFLOAT16 else np.dtype(form).itemsize
        self.bytes += count * 8
        check_bytes("its constants have", self.bytes)
        external = tensor.data_location == self.onnx.TensorProto.EXTERNAL
        if external or tensor.HasField("raw_data"):
            raw: bytes = self.external(tensor, what, count * size) if external else tensor.raw_data
            if len(raw) != count * size:
                raise InputError(
                    f"{what} states the shape {shape}, {count * size:,} bytes; {len(raw):,} are there"
                )
            return numbers(raw, form).reshape(shape)
        given = getattr(tensor, TYPED.get(kind, "int32_data"))
        if len(given) != count:
            raise InputError(f"{what} states the shape {shape}, {count:,} numbers; {len(given):,} are there")
        if kind in ("FLOAT16", "BFLOAT16"):  # their bits stand in 32-bit integers
            return numbers(np.array(given, np.int64).astype("<u2").tobytes(), form).reshape(shape)
        return np.array(given, form).reshape(shape)

    def external(self, tensor: Any, what: str, size: int) -> bytes:  # noqa: ANN401
        """Return the bytes of a constant that stands in another file of the same folder."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        path = self.folder / location
        if Path(location).name != location or location in ("", ".", "..") or path.is_symlink():
            raise InputError(
                f"{what} stands in the file {shown(location)}; only a plain file of the same folder is read"
            )
        if not path.is_file():
            raise InputError(
                f"{what} stands in the file {shown(location)}, which is not beside it: copy that file "
                "too, or export with the numbers inside (torch: external_data=False)"
            )
        try:
            offset, length = int(entries.get("offset", "0")), int(entries.get("length", str(size)))
        except ValueError:
            raise InputError(f"{what} states no usable place in the file {shown(location)}") from None
        there = path.stat().st_size
        if offset < 0 or length != size or offset + length > there:
            raise InputError(
                f"{what} states {length:,} bytes from {offset:,} on in the file {shown(location)}; "
                f"{size:,} are needed, and it has {there:,}"
            )
        self.beside[location] = there
        with path.open("rb") as file:
            file.seek(offset)
            content: bytes = file.read(length)
            return content


def _needed(nodes: list[OnnxNode], output: str) -> tuple[OnnxNode, ...]:
    """Return the nodes that the output depends on, in the order of the file."""
    needed, kept = {output}, []
    for node in reversed(nodes):
        if needed & set(node.outputs):
            needed |= set(node.inputs) - {""}
            kept.append(node)
    return tuple(reversed(kept))
