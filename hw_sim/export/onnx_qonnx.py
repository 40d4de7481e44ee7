"""A network as a QONNX graph: real numbers, with a Quant node for every tensor that has a format.

QONNX is what Brevitas writes and FINN and hls4ml read. Those pad convolutions with zeros alone, so the planes
are shifted by the border before them, and the bias makes up for it: ``Σ w·x = Σ w·(x − b) + b·Σ w``.
"""

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Origin
from hw_sim.export.onnx_float import activated, as_states, check_quantisers, layer_weights
from hw_sim.export.onnx_graph import Graph, add_pool, as_planes, flatten, geometry_of
from hw_sim.export.onnx_integer import check_codes, facts_of
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from retronet.connections import TapOrder
from retronet.network import AveragePool, Dense, MaxPool

DOMAIN = "qonnx.custom_op.general"
MODES = {Rounding.RND_CONV: "ROUND", Rounding.RND_INF: "HALF_UP", Rounding.RND_ZERO: "HALF_DOWN"}
"""QONNX's names; of the modes that it lacks, which take all halves up or down, ROUND is the nearest."""


def onnx_qonnx(network: IntegerNetwork, origin: Origin, *, every: bool = False) -> bytes:
    """Return `network` as a QONNX graph.

    Parameters
    ----------
    network
        The network of integers: exact sums, and the network's own activations.
    origin
        Where it comes from, for the metadata.
    every
        Whether all sums (``LAYER.sums``) and states (``LAYER.states``), real numbers, are outputs too.

    Returns
    -------
    bytes
        An .onnx file. It reads ``image`` (n, planes, rows, columns) as float32 and makes ``output`` (n,
        classes).

    Raises
    ------
    InputError
        If the graph can not say what a layer does; the message names the layer.
    """
    check_codes(network, "QONNX graph")
    graph, plan = Graph(network.network.name), network.plan
    image = graph.input("image", "float32", network.network.input)
    for layer in network.layers:
        check_quantisers(layer, "QONNX")
    step = plan.input.step * plan.input_scale
    below = _quant(graph, "_input.states", image, np.array(step), plan.input)
    for index, layer in enumerate(network.layers):
        sized, formats, name = layer.sized, layer.plan, layer.sized.name
        if isinstance(sized.layer, MaxPool | AveragePool):
            sums = add_pool(graph, sized, below, f"{name}.sums")
        else:
            sums = _sums(graph, layer, plan.tap_order, below, plan.input_scale_of(index))
        real = activated(graph, name, formats.activation, sums)
        step = formats.state.step * formats.state_scale
        below = _quant(graph, f"{name}.states", real, np.array(step), formats.state)
        if every:
            shape = (sized.units,) if isinstance(sized.layer, Dense) else sized.output
            graph.output(sums, "float32", shape)
            graph.output(below, "float32", shape)
    # hls4ml wants a quantiser last, so the outputs are quantised once more, which changes nothing.
    last = network.layers[-1].plan
    step = last.state.step * last.state_scale
    _quant(graph, "output", flatten(graph, below, "_output"), np.array(step), last.state)
    graph.output("output", "float32", (network.layers[-1].sized.units,))
    return graph.model(origin, facts_of(network, "qonnx"))


def _sums(graph: Graph, layer: IntegerLayer, order: TapOrder, below: str, input_scale: float) -> str:
    """Add a layer's products and biases; return the name of its sums."""
    sized, formats, name = layer.sized, layer.plan, layer.sized.name
    dense = isinstance(sized.layer, Dense)
    integers = layer_weights(sized, layer.weights >> layer.prescale, order)
    scales = np.broadcast_to(np.array(formats.weight_scale) * formats.weight.step, sized.output[0])
    step = scales.reshape(1, -1) if dense else scales.reshape(-1, 1, 1, 1)
    real = graph.constant(f"{name}.weights.real", (integers * step).astype(np.float32))
    weights = _quant(graph, f"{name}.weights", real, step, formats.weight)
    given = layer.ends if formats.bias_at == "end" else layer.starts
    if dense:
        product = graph.node("MatMul", [flatten(graph, below, name), weights], f"{name}.products")
    else:
        below = as_planes(graph, sized, below)
        if layer.border:
            border = np.array(layer.border * layer.input.step * input_scale, np.float32)
            shift = graph.constant(f"{name}.border", border)
            below = graph.node("Sub", [below, shift], f"{name}.shifted")
        product = graph.node("Conv", [below, weights], f"{name}.products", **geometry_of(sized))
    frac_bits = layer.biased_frac_bits
    lifted = given << (0 if formats.bias_at == "end" else layer.biased_frac_bits - layer.sum_frac_bits)
    if not dense:
        totals = integers.reshape(sized.output[0], -1).sum(axis=1).repeat(sized.positions)
        product_bits = layer.input.frac_bits + formats.weight.frac_bits
        lifted = lifted + (layer.border * totals << (frac_bits - product_bits))
    shaped = as_states(sized, lifted)
    steps = (
        np.broadcast_to(np.array(formats.weight_scale), sized.output[0]) * input_scale * 2.0**-frac_bits
    ).reshape(1, -1, *[1] * (shaped.ndim - 2))
    biases = graph.constant(f"{name}.biases.real", (shaped * steps).astype(np.float32))
    quantised = _quant(graph, f"{name}.biases", biases, steps, Fixed(32, 0))
    return graph.node("Add", [product, quantised], f"{name}.sums")


def _quant(graph: Graph, name: str, real: str, step: NDArray[np.float64], form: Format) -> str:
    """Return real numbers brought to a format."""
    narrow = isinstance(form, Fixed) and form.overflow is Overflow.SAT_SYM
    signed = form.low < 0
    bits = (
        form.bits
        if isinstance(form, Fixed)
        else max(form.high.bit_length() + signed, (~form.low).bit_length() + 1)
    )
    inputs = [
        real,
        graph.constant(f"{name}.step", step.astype(np.float32)),
        graph.constant(f"{name}.zero", np.array(0, np.float32)),
        graph.constant(f"{name}.bits", np.array(bits, np.float32)),
    ]
    mode = MODES.get(form.rounding, "ROUND") if isinstance(form, Fixed) else "ROUND"
    return graph.node(
        "Quant", inputs, name, domain=DOMAIN, signed=int(signed), narrow=int(narrow), rounding_mode=mode
    )
