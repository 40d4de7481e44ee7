"""What the errors of one NET32K make of a network on it."""

import numpy as np
from msgspec.structs import replace

from hw_sim.chips.analog.layers import AnalogLayer
from hw_sim.chips.analog.normal import normal
from hw_sim.chips.net32k.network import Doubles, Net32kLayer, Net32kNetwork, Part
from hw_sim.chips.net32k.options import Net32kOptions, Whole


def parts_on_chip(
    network: Net32kNetwork, seed: tuple[int, ...] | None
) -> tuple[tuple[AnalogLayer, ...], ...]:
    """Return, layer by layer, the parts as they lie on one chip.

    Parameters
    ----------
    network
        What was meant.
    seed
        Decides the fixed errors of this chip; none are drawn without it.

    Notes
    -----
    The comparators, blocks and cells of a map are the same ones at all its positions. The blocks that take
    the bits of a state share one error.
    """
    options = network.options if seed is not None else replace(network.options, accuracy=0.0)
    generator = np.random.default_rng(seed if seed is not None else 0)
    block = network.sizes.block
    return tuple(
        tuple(_analog(layer, part, block, options, generator) for part in layer.parts)
        for layer in network.layers
    )


def _analog(
    layer: Net32kLayer, part: Part, block: int, options: Net32kOptions, generator: np.random.Generator
) -> AnalogLayer:
    weights, references = part.weights.astype(np.float64), part.references.astype(np.float64)
    maps, taps = part.weights.shape
    if options.law in ("reference", "count"):
        errors = options.accuracy * normal(generator, (maps, references.shape[1]))
        share = np.repeat(1 + errors, layer.sized.positions, axis=0)
        zero = 0.0
        if options.law == "count":
            zero = float(np.abs(options.weight_levels).max() * taps)
        references = (references + zero) * share - zero
    else:
        cells = cell_signs(part.weights, options)
        drawn = -(-taps // block) if options.law == "block" else taps
        errors = normal(generator, (maps, len(options.cell_factors), drawn))
        if options.law == "block":
            errors = np.repeat(errors, block, axis=2)[:, :, :taps]
        currents = cells * (1 + options.accuracy * errors)
        used = np.arange(taps) < part.connections.fan_in[:, np.newaxis]
        weights = np.where(used, _sums(options.cell_factors, currents), 0.0)
    return AnalogLayer(
        layer.sized, part.connections, weights.astype(np.float32), np.zeros(layer.sized.units, np.float32),
        references.astype(np.float32), part.values.astype(np.float32), float(layer.border),
        np.zeros(maps, np.float32),
    )  # fmt: skip


def _sums(factors: Whole, currents: Doubles) -> Doubles:
    """Return the sums over cells of currents (maps, cells, taps), one cell after the other."""
    total = np.zeros((len(currents), currents.shape[2]))
    for cell, factor in enumerate(factors.tolist()):
        total += factor * currents[:, cell]
    return total


def cell_signs(weights: Whole, options: Net32kOptions) -> Whole:
    """Return the cells ±1 of weights (maps, taps), shape (maps, cells, taps)."""
    if options.weights == "ternary":
        return np.stack([np.where(weights >= 0, 1, -1), np.where(weights > 0, 1, -1)], axis=1)
    bits = len(options.cell_factors)
    code = (weights + 2**bits - 1) // 2
    return np.stack([2 * (code >> bit & 1) - 1 for bit in range(bits)], axis=1)
