"""The sizes, constants and memories of a sequential circuit that runs an integer network.

The circuit (rtl/network.sv) takes one state a cycle and multiplies it with the weights of `macs` maps at
once. Such a *group* reads every plane that one of its maps sees; the other maps then have the weight 0, which
changes no sum, not even one that is cast after every product.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hw_sim.export.files import signed_bits, span
from hw_sim.export.memories import Memory, Words, biases_of, packed, scales_of, search_of, weights_of
from hw_sim.export.steps import ThresholdTable, biased_bound, reach_of, threshold_table
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from retronet.connections import tap_coordinates
from retronet.errors import InputError
from retronet.network import Conv, Dense, Subsample

SHORTEST = 5
"""Cycles from one unit to the next at least: the pipeline holds what belongs to one unit that long."""
UP5K_BLOCKS = 30
LOGIC_LIMITS = (64, 128, 256, 512, 1024)
FETCH = 4
"""Cycles from the first tap of a unit until its biases are taken."""


@dataclass(frozen=True)
class Geometry:
    """How a layer's taps walk over the planes below: counters that the circuit has."""

    planes: int
    rows: int
    columns: int
    outputs: tuple[int, int]
    kernel: tuple[int, int]
    first: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class CircuitLayer:
    """A layer in the circuit: its geometry, groups of maps, places in the memories and first table.

    ``group_taps`` are the taps of each group, ``tables`` the staircases (none where the activation is a
    cast), ``table`` and ``scale`` the first of them and of its multipliers in the memories.
    """

    layer: IntegerLayer
    geometry: Geometry
    groups: int
    tail: int
    group_taps: tuple[int, ...]
    own_planes: bool
    bias_per_unit: bool
    bias_at_end: bool
    first_unit: int
    input_place: int
    output_place: int
    tables: tuple[ThresholdTable, ...]
    table: int
    scale: int


@dataclass(frozen=True)
class Circuit:
    """All layers, the sizes (parameters of the modules) and the memories, by the names of their files."""

    network: IntegerNetwork
    macs: int
    layers: tuple[CircuitLayer, ...]
    sizes: dict[str, int]
    memories: dict[str, Memory]
    cycles: int

    @property
    def memory_bits(self) -> dict[str, int]:
        """Bits of each memory, that of the states included."""
        bits = {name: memory.bits * len(memory.words) for name, memory in self.memories.items()}
        return {"states": self.sizes["STATE_BITS"] * self.sizes["STATE_WORDS"], **bits}


def circuit(network: IntegerNetwork, macs: int = 1) -> Circuit:
    """Lay `network` out as a circuit with `macs` multipliers.

    Raises
    ------
    InputError
        If a layer is of a kind that the circuit does not have.
    """
    if network.codes is not None:
        name = network.network.layers[-1].name
        raise InputError(
            f"Layer '{name}' can not be put in the circuit: it is an RBF layer, whose distances are real "
            "numbers; conv, subsample and dense layers are allowed. Export a network that ends in one of "
            "those, such as lenet5-softmax."
        )
    layers: list[CircuitLayer] = []
    weights: list[Words] = []
    biases: list[Words] = []
    planes: list[int] = []
    sizes = [int(np.prod(network.network.input)), *(layer.sized.units for layer in network.layers)]
    state_words = max(below + above for below, above in pairwise(sizes))
    address_bits = max((state_words - 1).bit_length(), 1)
    unit = table = scale = 0
    for index, layer in enumerate(network.layers):
        geometry = _geometry(layer)
        words, lists = weights_of(
            layer, geometry.kernel[0] * geometry.kernel[1], network.plan.tap_order, macs
        )
        weights += words
        shared = all(listed == lists[0] for listed in lists)
        for listed in lists[:1] if shared else lists:
            offsets = [plane * geometry.rows * geometry.columns for plane in listed]
            planes += [*offsets[:-1], offsets[-1] + (1 << address_bits)]
        per_unit, order = biases_of(layer, macs)
        biases.append(order)
        reach = reach_of(layer)
        tables = tuple(threshold_table(stairs, reach) for stairs in layer.step_functions)
        maps = layer.sized.output[0]
        places = [0 if number % 2 == 0 else state_words - sizes[number] for number in (index, index + 1)]
        layers.append(
            CircuitLayer(
                layer, geometry, -(-maps // macs), maps - (-(-maps // macs) - 1) * macs,
                tuple(len(word) for word in words), not shared, per_unit, layer.plan.bias_at == "end", unit,
                places[0], places[1], tables, table, scale,
            )
        )  # fmt: skip
        unit, table, scale = unit + sizes[index + 1], table + len(tables), scale + len(layer.multipliers)
    memories = {
        "weights": packed(np.concatenate(weights)),
        "biases": Memory(span(np.concatenate(biases)), tuple(map(int, np.concatenate(biases)))),
        "planes": Memory(address_bits + 1, tuple(planes)),
        **scales_of(network),
    }
    steps = [each for layer in layers for each in layer.tables]
    threshold_bits, depth, searched = search_of(steps, state_bits(network))
    memories |= searched
    widths = _widths(network, memories, threshold_bits)
    all_sizes = _sizes(network, layers, memories, macs, state_words, depth, max(len(steps), 1)) | widths
    return Circuit(network, macs, tuple(layers), all_sizes, memories, _cycles(layers, macs, depth))


def state_bits(network: IntegerNetwork) -> int:
    """Return the bits of a word that holds every input and every state."""
    forms = [network.plan.input, *(layer.plan.state for layer in network.layers)]
    return signed_bits(min(form.low for form in forms), max(form.high for form in forms))


def _geometry(layer: IntegerLayer) -> Geometry:
    sized = layer.sized
    if not isinstance(sized.layer, Conv | Subsample | Dense):
        kind = type(sized.layer).__name__.lower()
        raise InputError(
            f"Layer '{sized.name}' can not be put in the circuit: it is of kind {kind}; conv, subsample and "
            "dense layers are allowed. Export another network."
        )
    planes, rows, columns = sized.input
    row, column = tap_coordinates(sized)
    outputs, kernel = (row.shape[0], row.shape[1]), (row.shape[2], row.shape[3])
    if rows == columns == 1 and outputs == kernel == (1, 1) and not row.any() and not column.any():
        everything = all(len(seen) == planes for seen in sized.sees)
        if everything:  # a row of units is a plane: one counter instead of a list of planes
            return Geometry(1, 1, planes, (1, 1), (1, planes), (0, 0), (1, 1))
    stride = (
        int(row[-1, 0, 0, 0] - row[0, 0, 0, 0]) // max(outputs[0] - 1, 1),
        int(column[0, -1, 0, 0] - column[0, 0, 0, 0]) // max(outputs[1] - 1, 1),
    )
    first = int(row[0, 0, 0, 0]), int(column[0, 0, 0, 0])
    return Geometry(planes, rows, columns, outputs, kernel, first, stride)


def _widths(network: IntegerNetwork, memories: dict[str, Memory], threshold_bits: int) -> dict[str, int]:
    """Return the bits of every word of the datapath, from the proved bounds."""
    sums, biased, prepared = [], [], []
    for layer in network.layers:
        accumulator, pre = layer.plan.accumulator, layer.plan.preactivation
        low, high = -layer.sum_bound, layer.sum_bound
        if accumulator is not None:
            low, high = accumulator.form.low, accumulator.form.high
        sums.append(signed_bits(low, high))
        most = biased_bound(layer)
        biased.append(signed_bits(-most, most))
        prepared.append(signed_bits(pre.low, pre.high) if pre is not None else biased[-1])
    return {
        "STATE_BITS": state_bits(network),
        "SUM_BITS": max(*sums, memories["biases"].bits),
        "BIASED_BITS": max(biased),
        "PREACTIVATION_BITS": max(*prepared, threshold_bits),
        "THRESHOLD_BITS": threshold_bits,
        "LEAST_VALUE": -(1 << (threshold_bits - 1)),
        "MOST_VALUE": (1 << (threshold_bits - 1)) - 2,
    }


def _sizes(
    network: IntegerNetwork,
    layers: list[CircuitLayer],
    memories: dict[str, Memory],
    macs: int,
    state_words: int,
    depth: int,
    tables: int,
) -> dict[str, int]:
    """Return the other parameters: how many, and the bits that count them."""
    weight_bits = memories["weights"].bits // macs
    state = state_bits(network)
    units = sum(layer.layer.sized.units for layer in layers)
    counts, reach, maps = [1], [1], [1]
    for layer in layers:
        shape = layer.geometry
        counts += [*shape.outputs, *shape.kernel]
        for axis, size in ((0, shape.rows), (1, shape.columns)):
            most = shape.first[axis] + shape.outputs[axis] * shape.stride[axis] + shape.kernel[axis]
            reach += [size + 1, most, -shape.first[axis]]
        maps.append(layer.layer.sized.output[0] + macs)
    pixels = int(np.prod(network.network.input))

    def address(words: int) -> int:
        return max((words - 1).bit_length(), 1)

    return {
        "MACS": macs, "LAYERS": len(layers), "LAYER_BITS": address(len(layers)),
        "PLANE_FASTEST": int(network.plan.tap_order == "plane_fastest"),
        "WEIGHT_BITS": weight_bits, "PRODUCT_BITS": weight_bits + state,
        "BIAS_BITS": memories["biases"].bits,
        "PIXELS": pixels, "PIXEL_BITS": address(pixels),
        "STATE_WORDS": state_words, "ADDRESS_BITS": address(state_words),
        "WEIGHT_WORDS": len(memories["weights"].words),
        "WEIGHT_ADDRESS_BITS": address(len(memories["weights"].words) + 1),
        "BIAS_WORDS": len(memories["biases"].words),
        "BIAS_ADDRESS_BITS": address(len(memories["biases"].words) + 1),
        "PLANE_WORDS": len(memories["planes"].words),
        "PLANE_ADDRESS_BITS": address(len(memories["planes"].words) + 1),
        "SCALE_BITS": 42, "SCALE_WORDS": len(memories["scales"].words),
        "SCALE_ADDRESS_BITS": address(len(memories["scales"].words)),
        "TABLES": tables, "TABLE_BITS": address(tables), "DEPTH": depth,
        "LEVEL_WORDS": len(memories["levels"].words) if "levels" in memories else 0,
        "LOGIC_WORDS": _logic_words(memories, state, state_words),
        "UNITS": units, "UNIT_BITS": address(units + 1),
        "MAP_BITS": address(max(maps) + 1), "GROUP_BITS": address(max(layer.groups for layer in layers) + 1),
        "COUNT_BITS": address(max(counts) + 1), "ROW_BITS": max(reach).bit_length() + 1,
        "LANE_BITS": macs.bit_length(), "FIRST_LANES": min(macs, layers[0].layer.sized.output[0]),
        "SPACING": max(macs, SHORTEST), "SPACE_BITS": max(macs, SHORTEST).bit_length(),
        "FLUSH": macs + 2 * depth + 10, "FLUSH_BITS": (macs + 2 * depth + 10).bit_length(),
        "ANSWER_BITS": address(layers[-1].layer.sized.units),
    }  # fmt: skip


def _logic_words(memories: dict[str, Memory], state_bits: int, state_words: int) -> int:
    """Return up to how many words a level of the search is built of logic cells.

    As few as let all memories fit the blocks of the smallest device in view, the iCE40 UP5K; where they do
    not fit anyway, what is never worth a block.
    """
    kept = ("weights", "biases", "levels")
    fixed = _blocks(state_words, state_bits)
    fixed += sum(_blocks(len(memories[name].words), memories[name].bits) for name in kept if name in memories)
    levels = [memory for name, memory in memories.items() if name.startswith("thresholds")]
    for limit in LOGIC_LIMITS:
        taken = sum(_blocks(len(each.words), each.bits) for each in levels if len(each.words) > limit)
        if fixed + taken <= UP5K_BLOCKS:
            return limit
    return LOGIC_LIMITS[0]


def _blocks(words: int, bits: int) -> int:
    """Return the iCE40 blocks that a memory takes: 256 words of 16 bits, 512 of 8, 1024 of 4, 2048 of 2."""
    return min(-(-words // depth) * -(-bits // (4096 // depth)) for depth in (256, 512, 1024, 2048))


def _cycles(layers: list[CircuitLayer], macs: int, depth: int) -> int:
    """Return the cycles from `start` until `busy` falls; see the README that goes with the circuit."""
    # The first biases are on their way while the first layer is set up.
    total = min(macs, layers[0].layer.sized.output[0]) + 1
    for layer in layers:
        total += _issued(layer, macs) + macs + 2 * depth + 10
    return total + len(layers) - 1


def _issued(layer: CircuitLayer, macs: int) -> int:
    """Return the cycles from the first tap of a layer to its last one."""
    free, end = 0, -max(macs, SHORTEST)
    last_group, last = layer.groups - 1, layer.layer.sized.positions - 1
    for group, taps in enumerate(layer.group_taps):
        lanes = layer.tail if group == last_group else macs
        above = layer.tail if group >= last_group - 1 else macs
        for position in range(last + 1):
            start = max(end + 1, free, 0)
            end = max(start + taps - 1, end + max(macs, SHORTEST))
            loaded = above if position == last else lanes if layer.bias_per_unit else 0
            free = start + max(SHORTEST, FETCH + loaded + 1 if loaded else 0)
    return end + 1
