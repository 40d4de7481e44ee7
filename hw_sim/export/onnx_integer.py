"""An integer network as an ONNX graph of integers: what any runtime makes of it is what the simulator makes.

Inputs and states are 8-bit integers, weights int8, sums int32. ConvInteger pads with its zero point, and
takes it off every state, so the border is the zero point and the bias makes up for it:
``Σ w·x = Σ w·(x − b) + b·Σ w``. A state is looked up in a table of all sums between the first and the last
threshold; where that would be too long, in two tables: the cell of a sum, and whether it has reached the
threshold inside.
"""

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import Origin, network_digest
from hw_sim.export.onnx_graph import TYPES, Graph, add_pool, as_planes, flatten, geometry_of, kernels_of
from hw_sim.export.steps import ThresholdTable, biased_bound, threshold_table_of_sums
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow
from hw_sim.plan.plan import Accumulator
from hw_sim.plan.plan_file import plan_toml
from retronet.connections import TapOrder
from retronet.errors import InputError
from retronet.network import Dense, MaxPool

WORD = (1 << 31) - 1
MOST_ENTRIES = 1 << 20
"""Entries of a table of states; beyond, a staircase in two tables takes its place."""
INT8 = (-128, 127)
UINT8 = (0, 255)


def onnx_integer(
    network: IntegerNetwork, origin: Origin, *, every: bool = False, most_entries: int = MOST_ENTRIES
) -> bytes:
    """Return `network` as an ONNX graph of integers.

    Parameters
    ----------
    network
        The network of integers: exact sums, or sums that wrap and are never rounded.
    origin
        Where it comes from, for the metadata.
    every
        Whether all sums (``LAYER.sums``, biases included) and states (``LAYER.states``) are outputs too.
    most_entries
        How many entries the table of a layer may have.

    Returns
    -------
    bytes
        An .onnx file. It reads ``pixels``: integers in the format of the plan's input, int8 or uint8, of
        shape (n, planes, rows, columns); it makes ``output``, real numbers as float32 of shape (n, classes).

    Raises
    ------
    InputError
        If the graph can not compute exactly what a layer does; the message names the layer.
    """
    check_codes(network, "ONNX graph")
    graph = Graph(network.network.name)
    kind = kind_of("input", network.plan.input, "pixels")
    below = graph.input("pixels", kind, network.network.input)
    for layer in network.layers:
        below = _layer(graph, layer, network.plan.tap_order, below, every, most_entries)
    last = network.layers[-1]
    classes = last.sized.units
    flat = flatten(graph, below, "_output")
    real = graph.node("Cast", [flat], "_output.cast", to=1)
    step = graph.constant("_output.step", np.array(last.plan.state.step * last.plan.state_scale, np.float32))
    graph.node("Mul", [real, step], "output")
    graph.output("output", "float32", (classes,))
    return graph.model(origin, facts_of(network, "integer"))


def facts_of(network: IntegerNetwork, form: str) -> dict[str, str]:
    """Return what the metadata of a graph say of the network in it."""
    plan = network.plan
    return {
        "form": form,
        "network": network.network.name,
        "digest": network_digest(network),
        "input_format": plan.input.text,
        "input_scale": repr(plan.input_scale),
        "plan": plan_toml(plan),
    }


def check_codes(network: IntegerNetwork, target: str) -> None:
    """Refuse an RBF output layer, whose distances are real numbers."""
    if network.codes is not None:
        name = network.network.layers[-1].name
        raise InputError(
            f"Layer '{name}' can not be put in the {target}: it is an RBF layer, whose distances are real "
            f"numbers; all other kinds of layers are allowed. Export a network that ends in one of "
            f"those, such as lenet5-softmax, or golden vectors."
        )


def kind_of(layer: str, form: Format, what: str) -> str:
    """Return the 8-bit type that holds a format."""
    for kind, (low, high) in (("int8", INT8), ("uint8", UINT8)):
        if low <= form.low and form.high <= high:
            return kind
    raise InputError(
        f"The {what} of layer '{layer}' can not be put in the ONNX graph: {form.text} does not fit 8 bits. "
        f"Give inputs, weights and states 8 bits or fewer."
    )


def _layer(
    graph: Graph, layer: IntegerLayer, order: TapOrder, below: str, every: bool, most_entries: int
) -> str:
    """Add a layer; return the name of its states."""
    sized, name = layer.sized, layer.sized.name
    if isinstance(sized.layer, MaxPool):
        kind_of(name, layer.input, "input")
        largest = add_pool(graph, sized, below, f"{name}.largest")
        sums = graph.node("Cast", [largest], f"{name}.sums", to=TYPES["int32"])
        return _finished(graph, layer, sums, sized.output, every, most_entries)
    weights = _weights(layer, order)
    if isinstance(sized.layer, Dense):
        flat = flatten(graph, below, name)
        matrix = graph.constant(f"{name}.weights", weights.reshape(sized.units, -1).T.astype(np.int8))
        product = graph.node("MatMulInteger", [flat, matrix], f"{name}.products")
        shape: tuple[int, ...] = (sized.units,)
        offset = np.zeros(1, np.int64)
    else:
        kind = kind_of(name, layer.input, "input")
        kernels = graph.constant(f"{name}.weights", weights.astype(np.int8))
        zero = graph.constant(f"{name}.border", np.array(layer.border, kind))
        planes = as_planes(graph, sized, below)
        product = graph.node("ConvInteger", [planes, kernels, zero], f"{name}.products", **geometry_of(sized))
        shape = sized.output
        offset = layer.border * weights.reshape(sized.output[0], -1).sum(axis=1).repeat(sized.positions)
    sums = _add(graph, layer, product, shape, offset)
    return _finished(graph, layer, sums, shape, every, most_entries)


def _finished(
    graph: Graph, layer: IntegerLayer, sums: str, shape: tuple[int, ...], every: bool, most_entries: int
) -> str:
    """Make states of sums, and outputs of both where `every` integer is wanted; return the states' name."""
    name = layer.sized.name
    if every:
        graph.output(sums, "int32", shape)
    states = _activation(graph, layer, sums, shape, most_entries)
    if every:
        graph.output(states, kind_of(name, layer.plan.state, "states"), shape)
    return states


def _weights(layer: IntegerLayer, order: TapOrder) -> NDArray[np.int64]:
    """Return the weights as ONNX has them: see `kernels_of`."""
    sized = layer.sized
    own = layer.weights.astype(np.int64) >> layer.prescale
    low, high = int(own.min(initial=0)), int(own.max(initial=0))
    if low < INT8[0] or high > INT8[1]:
        raise InputError(
            f"The weights of layer '{sized.name}' can not be put in the ONNX graph: they reach from {low} to "
            f"{high}, and int8 from −128 to 127. Give the weights 8 bits or fewer."
        )
    return kernels_of(sized, own, order)


def _add(
    graph: Graph, layer: IntegerLayer, product: str, shape: tuple[int, ...], offset: NDArray[np.int64]
) -> str:
    """Add biases, and wrap where the accumulator does; return the name of the sums."""
    name, accumulator = layer.sized.name, layer.plan.accumulator
    lift = layer.biased_frac_bits - layer.sum_frac_bits
    sums_reach = np.abs(layer.weights.astype(np.int64)).sum(axis=1).max(initial=0) * layer.input.magnitude
    reach = int(sums_reach) + int(np.abs(layer.starts).max(initial=0))
    wraps = accumulator is not None and _wraps(layer, accumulator, reach)
    most = max(2 * reach, biased_bound(layer)) + (int(np.abs(offset).max()) << layer.prescale)
    if most > WORD:
        raise InputError(
            f"The sums of layer '{name}' can not be put in the ONNX graph: they could leave 32 bits. Give "
            f"weights or inputs fewer bits."
        )
    if layer.prescale:
        factor = graph.constant(f"{name}.shift", np.array(1 << layer.prescale, np.int32))
        product = graph.node("Mul", [product, factor], f"{name}.shifted")
    start = (layer.starts + (offset << layer.prescale)).reshape(1, *shape)
    bias = graph.constant(f"{name}.biases", start.astype(np.int32))
    sums = graph.node(
        "Add", [product, bias], f"{name}.whole" if wraps or lift or layer.ends.any() else f"{name}.sums"
    )
    if wraps and accumulator is not None:
        low = graph.constant(f"{name}.low", np.array(accumulator.form.low, np.int32))
        span = graph.constant(f"{name}.span", np.array(1 << accumulator.form.bits, np.int32))
        upward = graph.node(
            "Mod", [graph.node("Sub", [sums, low], f"{name}.from_low"), span], f"{name}.wrapped"
        )
        sums = graph.node(
            "Add", [upward, low], f"{name}.held" if lift or layer.ends.any() else f"{name}.sums"
        )
    if lift or layer.ends.any():
        factor = graph.constant(f"{name}.lift", np.array(1 << lift, np.int32))
        lifted = graph.node("Mul", [sums, factor], f"{name}.lifted")
        ends = graph.constant(f"{name}.last_biases", layer.ends.reshape(1, *shape).astype(np.int32))
        sums = graph.node("Add", [lifted, ends], f"{name}.sums")
    return sums


def _wraps(layer: IntegerLayer, accumulator: Accumulator, reach: int) -> bool:
    """Return whether sums wrap that would reach so far; refuse those that each product changes otherwise."""
    form = accumulator.form
    product_bits = layer.input.frac_bits + layer.plan.weight.frac_bits + layer.prescale
    if accumulator.product is None and product_bits == form.frac_bits:
        if form.low <= -reach and reach <= form.high:
            return False
        if form.overflow is Overflow.WRAP:
            return True
    raise InputError(
        f"The sums of layer '{layer.sized.name}' can not be put in the ONNX graph: {form.text} is cast after "
        f"every product, and a node adds all of them at once; exact sums, and sums that wrap and are not "
        f"rounded, are allowed. Leave the accumulator out, or export rtl."
    )


def _activation(
    graph: Graph, layer: IntegerLayer, sums: str, shape: tuple[int, ...], most_entries: int
) -> str:
    """Look the states up; return their name."""
    name = layer.sized.name
    kind = kind_of(name, layer.plan.state, "states")
    alike = len(layer.step_functions) <= 1 and len(layer.multipliers) <= 1
    maps = [threshold_table_of_sums(layer, number) for number in range(1 if alike else layer.sized.output[0])]
    edges = np.concatenate([steps.thresholds for steps in maps])
    first, last = (int(edges.min()) - 1, int(edges.max())) if edges.size else (0, 0)
    spread = last - first + 1
    place = _clamped(graph, name, sums, first, last)
    if spread * len(maps) <= most_entries:
        every = np.arange(first, last + 1)
        tables = [steps.levels[np.searchsorted(steps.thresholds, every, "right")] for steps in maps]
        place = _of_map(graph, layer, place, spread, len(maps), shape)
        table = graph.constant(f"{name}.table", np.concatenate(tables).astype(kind))
        return graph.node("Gather", [table, place], f"{name}.states")
    gaps = [int(np.diff(steps.thresholds).min()) for steps in maps if steps.thresholds.size > 1]
    shift = max(min(gaps, default=spread).bit_length() - 1, 0)
    cells = (spread - 1 >> shift) + 1
    size = graph.constant(f"{name}.cell_size", np.array(1 << shift, np.int32))
    cell = graph.node("Div", [place, size], f"{name}.cell")
    cell = _of_map(graph, layer, cell, cells + 1, len(maps), shape)
    parts = [_cells(steps, first, shift, cells) for steps in maps]
    edge = graph.constant(f"{name}.thresholds", np.concatenate([part[0] for part in parts]).astype(np.int32))
    table = graph.constant(f"{name}.table", np.concatenate([part[1] for part in parts]).astype(kind))
    reached = graph.node(
        "GreaterOrEqual", [sums, graph.node("Gather", [edge, cell], f"{name}.threshold")], f"{name}.reached"
    )
    one = graph.node("Cast", [reached], f"{name}.next", to=6)
    return graph.node("Gather", [table, graph.node("Add", [cell, one], f"{name}.place")], f"{name}.states")


def _clamped(graph: Graph, name: str, sums: str, first: int, last: int) -> str:
    """Return sums brought between `first` and `last`, counted from `first`."""
    low = graph.constant(f"{name}.first", np.array(first, np.int32))
    high = graph.constant(f"{name}.last", np.array(last, np.int32))
    held = graph.node("Min", [graph.node("Max", [sums, low], f"{name}.from_first"), high], f"{name}.in_table")
    return graph.node("Sub", [held, low], f"{name}.index")


def _of_map(
    graph: Graph, layer: IntegerLayer, place: str, size: int, maps: int, shape: tuple[int, ...]
) -> str:
    """Return places in the table of each map."""
    if maps == 1:
        return place
    offsets = (np.arange(maps) * size).reshape(1, maps, *[1] * (len(shape) - 1)).astype(np.int32)
    name = layer.sized.name
    return graph.node("Add", [place, graph.constant(f"{name}.maps", offsets)], f"{name}.own_index")


def _cells(
    steps: ThresholdTable, first: int, shift: int, cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the threshold in each cell of ``2^shift`` sums, if any, and the state where it begins."""
    starts = first + (np.arange(cells + 2, dtype=np.int64) << shift)
    reached = np.searchsorted(steps.thresholds, starts, side="right")
    inside = reached[1:] > reached[:-1]
    padded = np.append(steps.thresholds, WORD)
    return np.where(inside, padded[reached[:-1]], WORD), steps.levels[reached[:-1]]
