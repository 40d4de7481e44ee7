"""A trained network whose first layers run on simulated NET32K chips."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.analog.drawn_chips import Chip, ChipScore, ChipScorer, Spread, spreads
from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.analog.layers import AnalogLayer, run_analog
from hw_sim.chips.net32k.errors import on_chip
from hw_sim.chips.net32k.network import Net32kNetwork, Net32kOptions, net32k_network
from retronet.datasets import DigitSets
from retronet.engines.forward import outputs
from retronet.engines.workspace import Workspace
from retronet.evaluate import Score, score
from retronet.network import NetworkSpec
from retronet.recipe import Targets

__all__ = ["Net32kOptions", "Net32kReport", "run_net32k"]

HOST_RETRAINING = HostRetraining(passes=20, rate=1e-3)
ASSUMPTIONS = (
    "Law of the mismatch, and that 4–5 % and 1 % are standard deviations: not in any text that was reached.",
    "Bits of each layer in INNC90: not in any text that was reached; here as many as you give.",
    "Weights, thresholds and steps are fitted to a network trained in floating point; how the group did it "
    "is not known.",
    "Sums of more than 1,024 one-bit products: parts that leave the chip with 3 bits and are added outside; "
    "assumed.",
)
Floats = NDArray[np.float32]


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
    mapped: Spread
    retrained: Spread | None
    assumptions: tuple[str, ...] = ASSUMPTIONS


def run_net32k(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    digits: DigitSets,
    options: Net32kOptions | None = None,
    chips: int = 20,
    seed: int = 0,
    retraining: HostRetraining | None = HOST_RETRAINING,
    threads: int = 1,
    targets: Targets | None = None,
) -> Net32kReport:
    """Run a trained network on simulated chips, the last layers beside them.

    Parameters
    ----------
    network, parameters
        The trained network.
    digits
        Thresholds are fitted, and last layers retrained, on the training digits alone; scores are on the
        test set.
    options
        Layers, bits and the chip; the documented defaults if absent.
    chips, seed
        How many chips to draw, and from what: the same seed gives the same bytes.
    retraining
        How the last layers learn again on each chip; None to leave that out.
    threads
        Threads that share the chips; they never change a result.
    targets
        What the squared error is measured from; ±1 if absent.

    Raises
    ------
    InputError
        If the parts do not fit each other, or a layer can not run on the chip.
    """
    options = options or Net32kOptions()
    host = HostLayers(network, parameters, options.layers)
    mapped = net32k_network(network, parameters, digits.train.images, options)
    step = np.float32(mapped.layers[-1].state_step)

    def states(chip: Chip | None, images: Floats, half: int) -> Floats:  # noqa: ARG001 (nothing is noisy)
        return run_chip(mapped, on_chip(mapped, chip), mapped.pixels(images)) * step

    scorer = ChipScorer(states, host, digits, retraining, targets)
    found = scorer.scores(chips, seed, threads)
    of_mapped, of_retrained = spreads(found)
    workspace = Workspace(network)
    workspace.load(parameters)
    return Net32kReport(
        network=network.name,
        options=options,
        retraining=retraining,
        seed=seed,
        images=len(digits.test.images),
        layers=tuple(
            Net32kLayerReport(
                layer.sized.name, max(layer.sized.fan_in), layer.blocks, len(layer.parts),
                layer.parts[0].references.shape[1], layer.state_step,
            )
            for layer in mapped.layers
        ),
        reference=score(outputs(workspace, digits.test.images), digits.test.labels, targets),
        ideal=scorer.score(None),
        chips=found,
        mapped=of_mapped,
        retrained=of_retrained,
    )  # fmt: skip


def run_chip(network: Net32kNetwork, chip: tuple[tuple[AnalogLayer, ...], ...], pixels: Floats) -> Floats:
    """Return the states (n, units) of the last layer on a chip that `on_chip` made, in whole numbers."""
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


Weights = Literal["1-bit", "2-bit", "3-bit", "4-bit", "ternary"]


class PrecisionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left of a network at some precision of its first layers, without analog errors."""

    weights: Weights
    state_bits: int
    input_bits: int
    parts: tuple[int, ...]
    mapped: Score
    retrained: Score | None


def precision_rows(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    digits: DigitSets,
    choices: tuple[Net32kOptions, ...],
    retraining: HostRetraining | None = HOST_RETRAINING,
    targets: Targets | None = None,
) -> Iterator[PrecisionRow]:
    """Yield how far a little precision in the first layers goes: a row for each of `choices`.

    Raises
    ------
    InputError
        As for `run_net32k`.
    """
    for options in choices:
        found = run_net32k(
            network, parameters, digits, replace(options, accuracy=0.0), 1, 0, retraining, 1, targets
        )
        yield PrecisionRow(
            options.weights, options.state_bits, options.input_bits,
            tuple(layer.parts for layer in found.layers), found.ideal.mapped, found.ideal.retrained,
        )  # fmt: skip
