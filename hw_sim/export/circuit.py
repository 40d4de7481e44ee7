"""The sizes, constants and memories of a sequential circuit that runs an integer network.

The circuit (rtl/network.sv) takes one state a cycle and multiplies it with the weights of `macs` maps at once. Such
a *group* reads every plane that one of its maps sees; the other maps then have the weight 0, which changes no
sum, not even one that is cast after every product.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import signed_bits, span
from hw_sim.export.steps import Steps, biased_bound, reach_of, steps_of
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from retronet.connections import tap_coordinates
from retronet.errors import InputError
from retronet.network import Conv, Dense, Subsample

Words = NDArray[Any]
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

    ``group_taps`` are the taps of each group, ``tables`` the staircases (none where the activation is a cast),
    ``table`` and ``scale`` the first of them and of its multipliers in the memories.
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
    tables: tuple[Steps, ...]
    table: int
    scale: int


@dataclass(frozen=True)
class Memory:
    """A memory that is filled before the circuit starts: words of so many bits."""

    bits: int
    words: tuple[int, ...]


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
        found = {name: memory.bits * len(memory.words) for name, memory in self.memories.items()}
        return {"states": self.sizes["STATE_BITS"] * self.sizes["STATE_WORDS"], **found}


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
            "numbers; conv, subsample and dense layers are allowed. Export a network that ends in one of those, "
            "such as lenet5-softmax."
        )
    layers: list[CircuitLayer] = []
    weights: list[Words] = []
    biases: list[Words] = []
    planes: list[int] = []
    sizes = [int(np.prod(network.network.input)), *(layer.sized.units for layer in network.layers)]
    state_words = max(below + above for below, above in zip(sizes, sizes[1:], strict=False))
    address_bits = max((state_words - 1).bit_length(), 1)
    unit = table = scale = 0
    for index, layer in enumerate(network.layers):
        geometry = _geometry(layer)
        words, lists = _weights(layer, geometry, network.plan.tap_order, macs)
        weights += words
        shared = all(listed == lists[0] for listed in lists)
        for listed in lists[:1] if shared else lists:
            offsets = [plane * geometry.rows * geometry.columns for plane in listed]
            planes += offsets[:-1] + [offsets[-1] + (1 << address_bits)]
        per_unit, order = _biases(layer, macs)
        biases.append(order)
        reach = reach_of(layer)
        tables = tuple(steps_of(stairs, reach) for stairs in layer.step_functions)
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
        "weights": _packed(np.concatenate(weights)),
        "biases": Memory(span(np.concatenate(biases)), tuple(map(int, np.concatenate(biases)))),
        "planes": Memory(address_bits + 1, tuple(planes)),
        **_scales(network),
    }
    steps = [each for layer in layers for each in layer.tables]
    threshold_bits, depth, searched = _search(steps, state_bits(network))
    memories |= searched
    widths = _widths(network, memories, threshold_bits)
    found = _sizes(network, layers, memories, macs, state_words, depth, max(len(steps), 1)) | widths
    return Circuit(network, macs, tuple(layers), found, memories, _cycles(layers, macs, depth))


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


def _weights(
    layer: IntegerLayer, geometry: Geometry, order: str, macs: int
) -> tuple[list[Words], list[list[int]]]:
    """Return the weights of each group, shape (taps, macs), and the planes that it reads."""
    per_plane = geometry.kernel[0] * geometry.kernel[1]
    fastest = order == "plane_fastest"
    sees = layer.sized.sees if geometry.planes > 1 else ((0,),) * layer.sized.output[0]
    words, lists = [], []
    for start in range(0, len(sees), macs):
        maps = range(start, min(start + macs, len(sees)))
        planes = sorted({plane for number in maps for plane in sees[number]})
        full = np.zeros((macs, len(planes), per_plane), np.int64)
        for lane, number in enumerate(maps):
            own = layer.weights[number, : len(sees[number]) * per_plane]
            shaped = own.reshape(per_plane, -1).T if fastest else own.reshape(-1, per_plane)
            full[lane, [planes.index(plane) for plane in sees[number]]] = shaped
        taps = full.transpose(0, 2, 1) if fastest else full
        words.append(taps.reshape(macs, -1).T)
        lists.append(planes)
    return words, lists


def _biases(layer: IntegerLayer, macs: int) -> tuple[bool, Words]:
    """Return whether units of a map differ in their bias, and the biases in the order of the circuit."""
    maps = layer.sized.output[0]
    given = layer.ends if layer.plan.bias_at == "end" else layer.starts
    rows = given.reshape(maps, layer.sized.positions)
    per_unit = bool((rows != rows[:, :1]).any())
    if not per_unit:
        return False, rows[:, 0]
    groups = [rows[start : start + macs].T.ravel() for start in range(0, maps, macs)]
    return True, np.concatenate(groups)


def _packed(words: Words) -> Memory:
    """Return words (taps, macs) side by side, the first map in the lowest bits."""
    bits = span(words)
    mask = (1 << bits) - 1
    packed = (sum((int(value) & mask) << (bits * lane) for lane, value in enumerate(row)) for row in words)
    return Memory(bits * words.shape[1], tuple(packed))


def _scales(network: IntegerNetwork) -> dict[str, Memory]:
    """Return multipliers of 31 bits, shifts to the left before them and to the right after them."""
    words = []
    for layer in network.layers:
        for multiplier, shift in layer.multipliers:
            if layer.plan.requantise == "single":
                left, right = 0, 31 - shift
            else:
                left, right = max(shift, 0), max(-shift, 0)
            words.append(multiplier | left << 31 | right << 36)
    return {"scales": Memory(42, tuple(words or [0]))}


def _search(steps: list[Steps], state_bits: int) -> tuple[int, int, dict[str, Memory]]:
    """Return the bits of a threshold, the depth of the search and its memories, a level of the trees each."""
    if not steps:
        return 2, 0, {}
    every = np.concatenate([each.thresholds for each in steps])
    low, high = int(every.min(initial=0)), int(every.max(initial=0))
    bits = max(signed_bits(low - 1, high + 2), 3)
    never = (1 << (bits - 1)) - 1
    depth = max(len(each.thresholds) for each in steps).bit_length()
    trees = np.full((len(steps), (1 << depth) - 1), never, np.int64)
    for tree, each in zip(trees, steps, strict=True):
        tree[: len(each.thresholds)] = each.thresholds
    memories = {}
    for level in range(depth):
        half = 1 << (depth - 1 - level)
        words = trees[:, half - 1 :: 2 * half]
        memories[f"thresholds_{chr(ord('a') + level)}"] = Memory(bits, tuple(map(int, words.ravel())))
    if any((np.diff(each.levels) != 1).any() for each in steps):
        listed = np.zeros((len(steps), 1 << depth), np.int64)
        for row, each in zip(listed, steps, strict=True):
            row[: len(each.levels)] = each.levels
        memories["levels"] = Memory(state_bits, tuple(map(int, listed.ravel())))
    return bits, depth, memories


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

    As few as let all memories fit the blocks of the smallest device in view, the iCE40 UP5K; where they do not fit
    anyway, what is never worth a block.
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
    """Return the iCE40 memory blocks that a memory takes: 256 words of 16 bits, 512 of 8, 1024 of 4, 2048 of 2."""
    return min(-(-words // depth) * -(-bits // (4096 // depth)) for depth in (256, 512, 1024, 2048))


def _cycles(layers: list[CircuitLayer], macs: int, depth: int) -> int:
    """Return the cycles from `start` until `busy` falls; see the README that goes with the circuit."""
    # The first biases are on their way while the first layer is set up.
    total = min(macs, layers[0].layer.sized.output[0]) + 1
    for index, layer in enumerate(layers):
        positions, waits = layer.layer.sized.positions, []
        for group, taps in enumerate(layer.group_taps):
            lanes = layer.tail if group == layer.groups - 1 else macs
            above = layer.tail if group >= layer.groups - 2 else macs
            inside = max(taps, macs, SHORTEST, (FETCH + lanes + 1) if layer.bias_per_unit else 0)
            last = group == layer.groups - 1
            waits.append((positions - 1) * inside)
            waits.append(taps if last else max(taps, macs, SHORTEST, FETCH + above + 1))
        total += sum(waits) + macs + 2 * depth + 10 + (1 if index < len(layers) - 1 else 0)
    return total
