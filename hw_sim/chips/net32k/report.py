"""A trained network whose first layers run on simulated NET32K chips."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.drawn_chips import Chip, ChipScore, ChipSpread, States, run_drawn
from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.analog.layers import AnalogLayer, run_analog
from hw_sim.chips.net32k.errors import parts_on_chip
from hw_sim.chips.net32k.network import Net32kNetwork, net32k_network
from hw_sim.chips.net32k.options import Net32kOptions, net32k_options, net32k_sizes
from hw_sim.chips.spec import ChipSpec
from retronet.datasets import DigitSets
from retronet.evaluate import Score
from retronet.trained import Trained

HOST_RETRAINING = HostRetraining(passes=20, rate=1e-3)
Floats = NDArray[np.float32]


def assumptions(chip: ChipSpec) -> tuple[str, ...]:
    """Return what a simulation of `chip` assumes."""
    longest = net32k_sizes(chip).connections
    return (
        "Law of the mismatch, and that 4–5 % and 1 % are standard deviations: not in any text that was "
        "reached.",
        "Bits of each layer in INNC90: not in any text that was reached; here as many as you give.",
        "Weights, thresholds and steps are fitted to a network trained in floating point; how the group did "
        "it is not known.",
        f"Sums of more than {longest:,} one-bit products: parts that leave the chip with 3 bits and are "
        "added outside; assumed.",
    )


class Net32kLayerReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer on the chip: blocks that one sum joins, and parts that it is split into."""

    layer: str
    products: int
    blocks: int
    parts: int
    comparators: int
    state_step: float


class Net32kReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network on simulated chips, its last layers in floating point; ``ideal`` has no analog errors."""

    network: str
    options: Net32kOptions
    retraining: HostRetraining | None
    seed: int
    images: int
    layers: tuple[Net32kLayerReport, ...]
    reference: Score
    ideal: ChipScore
    chips: tuple[ChipScore, ...]
    mapped: ChipSpread
    retrained: ChipSpread | None
    assumptions: tuple[str, ...]


def run_net32k(
    chip: ChipSpec,
    trained: Trained,
    digits: DigitSets,
    options: Net32kOptions | None = None,
    *,
    chips: int = 20,
    seed: int = 0,
    retraining: HostRetraining | None = HOST_RETRAINING,
    threads: int = 1,
) -> Net32kReport:
    """Run a trained network on simulated chips, the last layers beside them.

    Parameters
    ----------
    chip
        Its sizes are taken from its description.
    trained
        The trained network.
    digits
        Thresholds are fitted, and last layers retrained, on the training digits alone; scores are on the
        test set.
    options
        Layers, bits, and what the description leaves open; the documented defaults if absent.
    chips, seed, retraining, threads
        As for `hw_sim.chips.analog.drawn_chips.run_drawn`.

    Raises
    ------
    InputError
        If the parts do not fit each other, a layer can not run on the chip, or the arithmetic can not take a
        size of the chip.
    """
    options = options or net32k_options(chip)
    host = HostLayers(trained, options.layers)
    mapped = net32k_network(chip, trained, digits.train.images, options)
    states = net32k_states(mapped)
    return Net32kReport(
        options=options,
        layers=tuple(
            Net32kLayerReport(
                layer.sized.name, max(layer.sized.fan_in), layer.blocks, len(layer.parts),
                layer.parts[0].references.shape[1], layer.state_step,
            )
            for layer in mapped.layers
        ),
        assumptions=assumptions(chip),
        **run_drawn(
            states, host, trained, digits, chips=chips, seed=seed, retraining=retraining, threads=threads
        ),
    )  # fmt: skip


def net32k_states(mapped: Net32kNetwork) -> States:
    """Return what gives the last layer's real states on a chip: see `hw_sim.chips.analog.drawn_chips`."""
    step = np.float32(mapped.layers[-1].state_step)

    def states(drawn: Chip | None, images: Floats, half: int, before: int = 0) -> Floats:  # noqa: ARG001
        # Nothing is noisy.
        return run_chip(mapped, parts_on_chip(mapped, drawn), mapped.pixels(images)) * step

    return states


def run_chip(network: Net32kNetwork, chip: tuple[tuple[AnalogLayer, ...], ...], pixels: Floats) -> Floats:
    """Return the last layer's states (n, units), whole numbers, on a chip that `parts_on_chip` made."""
    states = pixels
    for layer, parts in zip(network.layers, chip, strict=True):
        if len(parts) == 1:
            states = run_analog(parts, states, (0,))[0]
            continue
        total = np.add.reduce([run_analog((part,), states, (0,))[0] for part in parts])
        passed = np.zeros(total.shape, np.int64)
        for thresholds in layer.thresholds.T:
            passed += total >= thresholds
        states = layer.levels.astype(np.float32)[passed]
    return states
