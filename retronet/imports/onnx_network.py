"""A network and its parameters from an ONNX file: what frameworks export, said in layers.

The nodes of the graph are followed from the image to the output. What they say is a network here, or the
file is
refused with the node, its operator and what is allowed; nothing in it is executed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.imports.onnx_constants import IMAGES, constant_of
from retronet.imports.onnx_file import OnnxGraph, OnnxNode, read_onnx
from retronet.imports.onnx_flow import Flow
from retronet.imports.onnx_planes import check_image
from retronet.imports.onnx_steps import CODES, follow
from retronet.network import Conv, HardTanh, Layer, NetworkSpec, Tanh, parameter_shapes
from retronet.refusals import said_by, shown

ENDINGS = ("Softmax", "LogSoftmax")
PASSED = ("Identity", "Dropout", "Cast", "Flatten", "Reshape", "Squeeze")
"""What may follow a softmax."""


@dataclass(frozen=True)
class OnnxNetwork:
    """What an ONNX file says.

    Attributes
    ----------
    network, parameters
        The network, and its arrays as double precision has them.
    ending
        ``Softmax`` or ``LogSoftmax`` where the file ends in one, which the network leaves out; else nothing.
    graph
        The file's graph.
    pixels, answers : ndarray of int64
        Of which pixel, in planes, rows and columns, each element of the file's input is; of which unit of the
        network each element of its output is.
    notes
        What was resolved, a sentence each.
    """

    network: NetworkSpec
    parameters: dict[str, NDArray[np.float64]]
    ending: str
    graph: OnnxGraph
    pixels: NDArray[np.int64]
    answers: NDArray[np.int64]
    notes: tuple[str, ...]

    def inputs(self, images: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return images (n, rows, columns), or (n, planes, rows, columns), as the file reads them."""
        flat = images.reshape(len(images), -1)[:, self.pixels.ravel()]
        arranged: NDArray[np.floating] = flat.reshape(len(images), *self.pixels.shape)
        return arranged.astype(self.graph.precision)

    def ended(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the network's outputs (n, classes) as the file has them: in its order, its softmax taken."""
        values: NDArray[np.float64] = outputs[:, self.answers.ravel()].astype(np.float64)
        if not self.ending:
            return values
        values -= values.max(1, keepdims=True)
        logarithms = values - np.log(np.exp(values).sum(1, keepdims=True))
        ended: NDArray[np.float64] = logarithms if self.ending == "LogSoftmax" else np.exp(logarithms)
        return ended


def import_onnx(path: Path, name: str | None = None) -> OnnxNetwork:
    """Return the network that the ONNX file `path` describes.

    Parameters
    ----------
    path
        The file; see :func:`retronet.imports.onnx_file.read_onnx`.
    name
        What to call the network; absent: after the file.

    Raises
    ------
    InputError
        If the file can not be read, or a node says what no layer can; the message names node, operator and
        what
        is allowed.
    """
    graph = read_onnx(path)
    called = name or _called(path)
    try:
        return _followed(graph, called, path.name)
    except InputError as error:
        raise InputError(
            f"The file {path} can not be imported: {said_by(error)}. Export a network of these alone."
        ) from error


def _called(path: Path) -> str:
    """Return the name of a network after its file."""
    letters = "".join(mark if mark.isalnum() or mark in "_.+-" else "-" for mark in path.stem)[:60]
    return letters if letters[:1].isalnum() else "imported"


def _followed(graph: OnnxGraph, name: str, file: str) -> OnnxNetwork:
    image, pixels = check_image(graph.input_shape)
    flow = Flow(name, image, pixels)
    constants: dict[str, NDArray[Any]] = {name: value for name, value in graph.constants.items() if name}
    nodes = _with_codes(graph.nodes, constants)
    shapes: dict[str, tuple[int, ...]] = {graph.input: pixels.shape}
    at_hand, ending = graph.input, ""
    for node in nodes:
        states = [each for each in node.inputs if each and each not in constants]
        if not states or node.op == "Shape":
            constants[node.outputs[0]] = _worked_out(node, states, constants, shapes)
            continue
        if states != [at_hand]:
            raise _two_paths(node, states, at_hand)
        if ending and node.op not in PASSED:
            raise node.refuse(f"follows a {ending}", "it may only be the last")
        if node.op in ENDINGS:
            ending = _ending(flow, node, graph.opset)
        else:
            given = [constants.get(each) if each else None for each in node.inputs]
            _tried(node, lambda node=node, given=given: follow(flow, node, given, graph))  # type: ignore[misc]
        at_hand = node.outputs[0]
        shapes[at_hand] = flow.index.shape
    if at_hand != graph.output:
        raise InputError(f"its output {shown(graph.output)} does not depend on its input")
    return _finished(flow, graph, ending, pixels, image, file)


def _worked_out(
    node: OnnxNode,
    states: list[str],
    constants: Mapping[str, NDArray[Any]],
    shapes: Mapping[str, tuple[int, ...]],
) -> NDArray[Any]:
    """Return what a node makes of constants, or of the shape of states."""
    if states:
        if states[0] not in shapes:
            raise node.refuse(
                f"reads {shown(states[0])}, which nothing before it makes", "an ordered graph is"
            )
        full = np.array((IMAGES, *shapes[states[0]]), np.int64)
        return full[node.attributes.get("start", 0) : node.attributes.get("end", len(full))]
    values = [constants[each] for each in node.inputs if each]
    worked_out: NDArray[Any] = _tried(node, lambda: constant_of(node, values))
    return worked_out


def _tried(node: OnnxNode, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work gives
    """Do `work`; what does not fit together in a damaged file is said of its node."""
    try:
        return work()
    except InputError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise node.refuse(f"does not hold together ({said_by(error)})", "a graph that is valid is") from error


def _two_paths(node: OnnxNode, states: list[str], at_hand: str) -> InputError:
    others = [each for each in states if each != at_hand]
    told = shown(others[0]) if others else shown(at_hand)
    return node.refuse(
        f"reads {'the states' if others else 'twice the states'} {told} where {shown(at_hand)} is next",
        "one path from the image to the output is allowed, without branches",
    )


def _ending(flow: Flow, node: OnnxNode, opset: int) -> str:
    axis = node.attributes.get("axis", -1 if opset >= 13 else 1)
    if flow.index.ndim != 1 or axis not in (1, -1):
        raise node.refuse(
            f"works along axis {axis} of (n, {flow.index.shape})", "the axis of classes is allowed"
        )
    flow.note("Left out, since the largest output is the answer without it:", f"{node.op} {node.name}")
    return node.op


def _finished(
    flow: Flow,
    graph: OnnxGraph,
    ending: str,
    pixels: NDArray[np.int64],
    image: tuple[int, int, int],
    file: str,
) -> OnnxNetwork:
    flow.close()
    if flow.border_width:
        raise InputError("its output is padded, and no convolution follows")
    answers = flow.index
    if flow.scaled:
        flow.settle(graph.nodes[-1], "output")
        flow.close()
    if not flow.layers:
        raise InputError("it has no layer: nothing in it has weights")
    layers = tuple(_brief(layer) if graph.precision == "float32" else layer for layer in flow.layers)
    network = NetworkSpec(
        flow.name, f"Imported from {file}", image, layers, f"The ONNX file {file}, opset {graph.opset}"
    )
    parameters = {
        key: np.ascontiguousarray(flow.parameters[key]).reshape(shape)
        for key, shape in parameter_shapes(network).items()
    }
    notes = [f"{what} {', '.join(names)}." for what, names in flow.notes.items()]
    if graph.beside:
        notes.append(f"Read numbers from {', '.join(graph.beside)} beside it.")
    return OnnxNetwork(network, parameters, ending, graph, pixels, answers, tuple(notes))


def _brief(layer: Layer) -> Layer:
    """Return a layer whose border and activation have the shortest numbers of the same single precision."""

    def brief(value: float) -> float:
        return float(str(np.float32(value)))

    if isinstance(layer, Conv):
        layer = structs.replace(layer, border=brief(layer.border))
    squashed = getattr(layer, "activation", None)
    match squashed:
        case Tanh(amplitude=amplitude, slope=slope):
            changed: Layer = structs.replace(layer, activation=Tanh(brief(amplitude), brief(slope)))
        case HardTanh(low=low, high=high):
            changed = structs.replace(layer, activation=HardTanh(brief(low), brief(high)))
        case _:
            changed = layer
    return changed


def _with_codes(nodes: tuple[OnnxNode, ...], constants: dict[str, NDArray[Any]]) -> list[OnnxNode]:
    """Return the nodes with those that measure distances to ±1 codes, ``2 x·c − (Σ x² + units)``, as one."""
    made = {output: node for node in nodes for output in node.outputs}
    coded: list[OnnxNode] = []
    dropped: set[tuple[str, ...]] = set()
    for node in nodes:
        product, known = _maker(made, node, 0, "MatMul"), _maker(made, node, 1, "Add")
        if node.op != "Sub" or product is None or known is None or len(product.inputs) != 2:
            continue
        total = _maker(made, known, 0, "ReduceSum")
        squares = None if total is None else _maker(made, total, 0, "Mul")
        twice, units = constants.get(product.inputs[1]), constants.get(known.inputs[-1])
        if total is None or squares is None or twice is None or units is None or twice.ndim != 2:
            continue
        if (
            squares.inputs == product.inputs[:1] * 2
            and (np.abs(twice) == 2).all()
            and units.shape in ((), (1,))
            and float(units.ravel()[0]) == len(twice)
        ):
            codes = f"{node.name}.codes"
            constants[codes] = twice / 2
            coded.append(replace(node, op=CODES, inputs=(product.inputs[0], codes)))
            dropped |= {each.outputs for each in (product, known, total, squares)}
    ends = {node.outputs: node for node in coded}
    return [ends.get(node.outputs, node) for node in nodes if node.outputs not in dropped]


def _maker(made: Mapping[str, OnnxNode], node: OnnxNode, place: int, op: str) -> OnnxNode | None:
    """Return the node that makes an input of another, if it is an `op`."""
    maker = made.get(node.inputs[place]) if len(node.inputs) > place else None
    return maker if maker is not None and maker.op == op and maker.inputs else None


def largest_difference(theirs: NDArray[np.floating], ours: NDArray[np.floating]) -> float:
    """Return the largest absolute difference of two sets of outputs; infinity where one is no number."""
    gap = np.abs(theirs.astype(np.float64).reshape(ours.shape) - ours)
    return float(gap.max(initial=0.0)) if np.isfinite(gap).all() else math.inf
