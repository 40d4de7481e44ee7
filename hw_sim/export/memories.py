"""The memories of a circuit: weights, biases, multipliers and the trees in which thresholds are searched."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_sim.export.files import signed_bits, span
from hw_sim.export.steps import ThresholdTable
from hw_sim.fixed_point.quantize import IntegerLayer, IntegerNetwork
from retronet.connections import TapOrder

Words = NDArray[Any]


@dataclass(frozen=True)
class Memory:
    """A memory that is filled before the circuit starts: words of so many bits."""

    bits: int
    words: tuple[int, ...]


def weights_of(
    layer: IntegerLayer, per_plane: int, order: TapOrder, macs: int
) -> tuple[list[Words], list[list[int]]]:
    """Return the weights of each group of maps, shape (taps, macs), and the planes that it reads.

    `per_plane` are the taps of a unit in each plane; where they are all its taps, there is one plane.
    """
    fastest = order == "plane_fastest"
    single = per_plane == max(layer.sized.fan_in) and layer.sized.taps_per_plane != per_plane
    sees = ((0,),) * layer.sized.output[0] if single else layer.sized.sees
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


def biases_of(layer: IntegerLayer, macs: int) -> tuple[bool, Words]:
    """Return whether units of a map differ in their bias, and the biases in the order of the circuit."""
    maps = layer.sized.output[0]
    given = layer.ends if layer.plan.bias_at == "end" else layer.starts
    rows = given.reshape(maps, layer.sized.positions)
    per_unit = bool((rows != rows[:, :1]).any())
    if not per_unit:
        return False, rows[:, 0]
    groups = [rows[start : start + macs].T.ravel() for start in range(0, maps, macs)]
    return True, np.concatenate(groups)


def packed(words: Words) -> Memory:
    """Return words (taps, macs) side by side, the first map in the lowest bits."""
    bits = span(words)
    mask = (1 << bits) - 1
    packed = (sum((int(value) & mask) << (bits * lane) for lane, value in enumerate(row)) for row in words)
    return Memory(bits * words.shape[1], tuple(packed))


def scales_of(network: IntegerNetwork) -> dict[str, Memory]:
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


def search_of(steps: list[ThresholdTable], state_bits: int) -> tuple[int, int, dict[str, Memory]]:
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
