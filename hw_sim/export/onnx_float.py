"""A network as an ONNX graph of real numbers, plain or with quantisers around each layer.

The plain form is the trained network. In the other, QuantizeLinear and DequantizeLinear carry the plan's
formats, as runtimes for 8-bit inference read them: weights and states are the simulator's, the sums between
them are real numbers, so that a state next to a threshold may come out as its neighbour. QuantizeLinear takes
halves to the even neighbour, which matters for pixels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Origin
from hw_sim.export.onnx_graph import Graph, add_pool, as_planes, flatten, geometry_of, kernels_of
from hw_sim.export.onnx_integer import INT8, WORD, check_codes, facts_of, kind_of
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.activations import HardwareActivation
from retronet.connections import weight_rows
from retronet.errors import InputError
from retronet.network import (
    AveragePool,
    Conv,
    Dense,
    HardTanh,
    Identity,
    MaxPool,
    NetworkSpec,
    Rbf,
    Relu,
    Sigmoid,
    SizedLayer,
    Tanh,
    code_matrix,
    sized_layers,
)


def onnx_float(network: NetworkSpec, parameters: Mapping[str, NDArray[Any]], origin: Origin) -> bytes:
    """Return a trained network as an ONNX graph in float32.

    Parameters
    ----------
    network, parameters
        The trained network.
    origin
        Where it comes from, for the metadata.

    Returns
    -------
    bytes
        An .onnx file. It reads ``image`` (n, planes, rows, columns) and makes ``output`` (n, classes).

    Raises
    ------
    InputError
        If a layer or its activation is of a kind that the graph does not have.
    """
    graph = Graph(network.name)
    below = graph.input("image", "float32", network.input)
    layers = sized_layers(network)
    for sized in layers:
        if isinstance(sized.layer, Rbf):
            below = _distances(graph, sized.layer, below)
            continue
        if isinstance(sized.layer, MaxPool | AveragePool):
            pooled = add_pool(graph, sized, below, f"{sized.name}.sums")
            below = activated(graph, sized.name, sized.activation, pooled)
            continue
        rows = weight_rows(sized, np.asarray(parameters[f"{sized.name}.weight"], np.float32))
        weights = graph.constant(f"{sized.name}.weights", layer_weights(sized, rows, "plane_slowest"))
        bias = np.asarray(parameters[f"{sized.name}.bias"], np.float32)
        biases = graph.constant(f"{sized.name}.biases", as_states(sized, bias))
        border = float(sized.layer.border) if isinstance(sized.layer, Conv) else 0.0
        sums = sums_of(graph, sized, below, weights, biases, border)
        below = activated(graph, sized.name, sized.activation, sums)
    graph.node("Identity", [flatten(graph, below, "_output")], "output")
    graph.output("output", "float32", (layers[-1].units,))
    return graph.model(origin, {"form": "float", "network": network.name})


def onnx_qdq(network: IntegerNetwork, origin: Origin, *, every: bool = False) -> bytes:
    """Return `network` as an ONNX graph with quantisers: integer weights and states, real sums.

    Parameters
    ----------
    network
        The network of integers: exact sums, and the network's own activations.
    origin
        Where it comes from, for the metadata.
    every
        Whether all states (``LAYER.states``, integers) are outputs too.

    Returns
    -------
    bytes
        An .onnx file. It reads ``image`` (n, planes, rows, columns), real numbers as float32, and makes
        ``output`` (n, classes).

    Raises
    ------
    InputError
        If the graph can not say what a layer does; the message names the layer.
    """
    check_codes(network, "ONNX graph")
    graph, plan = Graph(network.network.name), network.plan
    image = graph.input("image", "float32", network.network.input)
    below, _ = _quantised(graph, "_input", image, plan.input, plan.input_scale)
    for index, layer in enumerate(network.layers):
        sized, formats = layer.sized, layer.plan
        check_quantisers(layer, "QDQ")
        if isinstance(sized.layer, MaxPool | AveragePool):
            sums = add_pool(graph, sized, below, f"{sized.name}.sums")
        else:
            sums = _quantised_sums(graph, network, index, below)
        real = activated(graph, sized.name, formats.activation, sums)
        below, states = _quantised(graph, sized.name, real, formats.state, formats.state_scale)
        if every:
            shape = (sized.units,) if isinstance(sized.layer, Dense) else sized.output
            graph.output(states, kind_of(sized.name, formats.state, "states"), shape)
    graph.node("Identity", [flatten(graph, below, "_output")], "output")
    graph.output("output", "float32", (network.layers[-1].sized.units,))
    return graph.model(origin, facts_of(network, "qdq"))


def _quantised_sums(graph: Graph, network: IntegerNetwork, index: int, below: str) -> str:
    """Add products and biases of a layer, from integer weights with a scale; return the name of its sums."""
    layer, plan = network.layers[index], network.plan
    sized, formats = layer.sized, layer.plan
    scales = np.array(formats.weight_scale, np.float64) * formats.weight.step
    scales = np.broadcast_to(scales, sized.output[0])
    integers = layer_weights(sized, layer.weights >> layer.prescale, plan.tap_order)
    axis = 1 if isinstance(sized.layer, Dense) else 0
    weights = _dequantised(graph, f"{sized.name}.weights", integers.astype(np.int8), scales, axis)
    biases = _quantised_biases(graph, layer, plan.input_scale_of(index))
    border = layer.border * layer.input.step * plan.input_scale_of(index)
    return sums_of(graph, sized, below, weights, biases, border)


def _quantised_biases(graph: Graph, layer: IntegerLayer, input_scale: float) -> str:
    """Return the biases of a layer as real numbers: from int32 where they have the step of a product.

    Runtimes take it for granted that a quantised bias has that step, so others are real numbers from the
    start.
    """
    sized, formats, at_end = layer.sized, layer.plan, layer.plan.bias_at == "end"
    given = layer.ends if at_end else layer.starts
    frac_bits = layer.biased_frac_bits if at_end else layer.sum_frac_bits
    scales = np.array(formats.weight_scale) * input_scale * 2.0**-frac_bits
    steps = np.broadcast_to(scales, sized.output[0])
    integers = as_states(sized, given)
    name = f"{sized.name}.biases"
    if frac_bits == layer.input.frac_bits + formats.weight.frac_bits and np.abs(given).max(initial=0) <= WORD:
        return _dequantised(graph, name, integers.astype(np.int32), steps, 1)
    real = integers * steps.reshape(1, -1, *[1] * (integers.ndim - 2))
    return graph.constant(name, real.astype(np.float32))


def check_quantisers(layer: IntegerLayer, graph: str) -> None:
    """Refuse what quantisers around a layer can not say."""
    formats, name = layer.plan, layer.sized.name
    rows = layer.weights >> layer.prescale
    low, high = int(rows.min(initial=0)), int(rows.max(initial=0))
    if formats.accumulator is not None:
        what = f"its sums are cast to {formats.accumulator.form.text}, and sums are real numbers there"
    elif formats.preactivation is not None:
        what = f"its pre-activations are cast to {formats.preactivation.text}, which has no place there"
    elif low < INT8[0] or high > INT8[1]:
        what = f"its weights reach from {low} to {high}, and int8 from −128 to 127"
    elif reason := _unsaid(layer.input):
        what = f"its inputs are {layer.input.text}, {reason}"
    elif reason := _unsaid(formats.state):
        what = f"its states are {formats.state.text}, {reason}"
    else:
        return
    raise InputError(
        f"Layer '{name}' can not be put in a {graph} graph: {what}. Choose another plan, or export the "
        f"integer form."
    )


def _unsaid(form: Format) -> str:
    """Return why a quantiser can not cast to a format, or nothing."""
    if not isinstance(form, Fixed):
        return "levels, which a quantiser does not have"
    if form.rounding in (Rounding.TRN, Rounding.TRN_ZERO):
        return "and a quantiser takes the nearest"
    if form.overflow not in (Overflow.SAT, Overflow.SAT_SYM):
        return "and a quantiser takes the nearest end of a range"
    return ""


def layer_weights(sized: SizedLayer, rows: NDArray[Any], order: Any) -> NDArray[Any]:  # noqa: ANN401 - TapOrder
    """Return rows of taps as the weights of a convolution, or of a matrix product (units below, units)."""
    full = kernels_of(sized, rows, order)
    return full.reshape(sized.units, -1).T if isinstance(sized.layer, Dense) else full


def as_states(sized: SizedLayer, values: NDArray[Any]) -> NDArray[Any]:
    """Return biases, one a map or one a unit, in the shape of the states of one image."""
    shape = (sized.units,) if isinstance(sized.layer, Dense) else sized.output
    if values.size == sized.units:
        return values.reshape(1, *shape)
    return values.reshape(1, -1, *[1] * (len(shape) - 1))


def sums_of(graph: Graph, sized: SizedLayer, below: str, weights: str, biases: str, border: float) -> str:
    """Add a layer's products and biases; return the name of its sums."""
    name = sized.name
    if isinstance(sized.layer, Dense):
        product = graph.node("MatMul", [flatten(graph, below, name), weights], f"{name}.products")
    else:
        geometry = geometry_of(sized)
        top, left, bottom, right = geometry.pop("pads")
        below = as_planes(graph, sized, below)
        if any((top, left, bottom, right)):
            pads = graph.constant(f"{name}.pads", np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
            value = graph.constant(f"{name}.border", np.array(border, np.float32))
            below = graph.node("Pad", [below, pads, value], f"{name}.padded")
        product = graph.node("Conv", [below, weights], f"{name}.products", **geometry)
    return graph.node("Add", [product, biases], f"{name}.sums")


def activated(graph: Graph, name: str, activation: HardwareActivation, sums: str) -> str:
    """Return the real states of a layer."""
    match activation:
        case Identity():
            return sums
        case Relu():
            return graph.node("Relu", [sums], f"{name}.real_states")
        case Sigmoid():
            return graph.node("Sigmoid", [sums], f"{name}.real_states")
        case HardTanh(low=low, high=high):
            least = graph.constant(f"{name}.low", np.array(low, np.float32))
            most = graph.constant(f"{name}.high", np.array(high, np.float32))
            return graph.node("Clip", [sums, least, most], f"{name}.real_states")
        case Tanh(amplitude=amplitude, slope=slope):
            steep = graph.constant(f"{name}.slope", np.array(slope, np.float32))
            tall = graph.constant(f"{name}.amplitude", np.array(amplitude, np.float32))
            squashed = graph.node(
                "Tanh", [graph.node("Mul", [sums, steep], f"{name}.scaled")], f"{name}.tanh"
            )
            return graph.node("Mul", [squashed, tall], f"{name}.real_states")
        case _:
            kind = activation.__struct_config__.tag
            raise InputError(
                f"Layer '{name}' can not be put in the ONNX graph: its activation is of kind {kind}; tanh, "
                "relu, identity, sigmoid and hard_tanh are allowed. Export the integer form, which looks "
                "activations up."
            )


def _quantised(graph: Graph, name: str, real: str, form: Format, scale: float) -> tuple[str, str]:
    """Return real numbers brought to a format and back, and the integers between."""
    kind = kind_of(name, form, "states")
    step = graph.constant(f"{name}.step", np.array(form.step * scale, np.float32))
    zero = graph.constant(f"{name}.zero", np.array(0, kind))
    whole = (form.low, form.high) == (np.iinfo(kind).min, np.iinfo(kind).max)
    states = graph.node(
        "QuantizeLinear", [real, step, zero], f"{name}.states" if whole else f"{name}.rounded"
    )
    if not whole:
        low = graph.constant(f"{name}.lowest", np.array(form.low, kind))
        high = graph.constant(f"{name}.highest", np.array(form.high, kind))
        states = graph.node("Clip", [states, low, high], f"{name}.states")
    return graph.node("DequantizeLinear", [states, step, zero], f"{name}.values"), states


def _dequantised(graph: Graph, name: str, integers: NDArray[Any], scales: NDArray[Any], axis: int) -> str:
    """Return integers with a scale a map as real numbers."""
    values = graph.constant(f"{name}.integers", integers)
    scale = graph.constant(f"{name}.scales", scales.astype(np.float32))
    zero = graph.constant(f"{name}.zeros", np.zeros(scales.shape, integers.dtype))
    return graph.node("DequantizeLinear", [values, scale, zero], name, axis=axis)


def _distances(graph: Graph, layer: Rbf, below: str) -> str:
    """Return minus the squared distances to ±1 codes, ``2 x·c − Σ x² − units``."""
    codes = code_matrix(layer)
    flat = flatten(graph, below, layer.name)
    twice = graph.constant(f"{layer.name}.codes", (2 * codes.T).astype(np.float32))
    products = graph.node("MatMul", [flat, twice], f"{layer.name}.products")
    squares = graph.node("Mul", [flat, flat], f"{layer.name}.squares")
    axes = graph.constant(f"{layer.name}.axes", np.array([1], np.int64))
    total = graph.node("ReduceSum", [squares, axes], f"{layer.name}.total", keepdims=1)
    size = graph.constant(f"{layer.name}.units", np.array(codes.shape[1], np.float32))
    known = graph.node("Add", [total, size], f"{layer.name}.known")
    return graph.node("Sub", [products, known], f"{layer.name}.distances")
