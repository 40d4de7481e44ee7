"""What a simulation of a chip is going to compile, for a process that does it ahead of the simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec.structs import replace

from hw_sim.chips.anna.options import anna_options
from hw_sim.chips.graf54.classifier import classifier, classifier_recipe
from hw_sim.chips.graf54.features import BLOCKS, FRAME
from hw_sim.chips.net32k.options import net32k_options
from hw_sim.chips.spec import ChipSpec
from hw_sim.kernels.analog import run_analog_layer
from hw_sim.kernels.dsp32c import fill_scales, run_double_layer, run_dsp_layer
from hw_sim.kernels.graf import find_features, place_digits, thin_frames
from retronet.engines.ahead import Job, to_answer, to_learn_beside, to_train
from retronet.engines.workspace import Workspace
from retronet.kernels.separate import address_of
from retronet.kernels.units import squash_identity
from retronet.network import NetworkSpec, sized_layers
from retronet.trained import Trained


def to_simulate_on(chip: ChipSpec, trained: Trained) -> tuple[Any, Callable[[], list[Job]]]:
    """Return a loop of the chip's own, None if it has none, and what says what a simulation compiles."""
    network = trained.network
    match chip.arithmetic:
        case "dsp32c":
            return run_dsp_layer, lambda: _dsp32c(to_answer(Workspace(network)))
        case "anna":
            return run_analog_layer, lambda: _analog(
                network, len(network.layers) - anna_options(chip).float_layers
            )
        case "net32k":
            return run_analog_layer, lambda: _analog(network, net32k_options(chip).layers)
        case "graf":
            return find_features, _graf
        case _:
            return None, list


def _dsp32c(between: list[Job]) -> list[Job]:
    rows, table, three = np.zeros((1, 1)), np.zeros(1, np.int32), np.zeros((1, 1, 1), np.int32)
    biases, unit = np.zeros(1), (0, 1.0, 1.0)
    return [
        lambda: address_of(fill_scales, rows, rows),
        lambda: address_of(run_double_layer, rows, table, three, biases, *unit, rows, rows),
        *between,
        lambda: address_of(run_dsp_layer, rows, rows, table, three, biases, *unit, rows, rows, rows, rows),
    ]


def _analog(network: NetworkSpec, first: int) -> list[Job]:
    """Return what is compiled where the layers from the number `first` on learn again beside the chip."""
    rows, one, table = np.zeros((1, 1), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int32)
    sources = np.zeros((1, 1, 1), np.int32)
    rest = replace(network, input=sized_layers(network)[first].input, layers=network.layers[first:])
    return [
        *to_answer(Workspace(network)),
        # Converters are fitted to sums that nothing has squashed.
        lambda: address_of(squash_identity, np.float32(1), np.float32(1), one, 1, 1, 1),
        lambda: address_of(
            run_analog_layer, rows, table, table, sources, one, rows, one, one, rows, rows, rows
        ),
        *to_learn_beside(Workspace(rest)),
    ]


def _graf() -> list[Job]:
    digits, frames = np.zeros((1, 1, 1), np.float32), np.zeros((1, *FRAME), np.uint8)
    currents, words = (np.zeros(1), np.zeros(1)), np.zeros((1, 1), np.uint64)
    numbers, blocks = np.zeros(1, np.int64), np.zeros((1, 1), np.int64)
    search = words, numbers, blocks, frames, words, words[0], words[0], True
    return [
        lambda: address_of(place_digits, digits, 0.0, frames),
        lambda: address_of(thin_frames, frames, *currents, numbers, words, words[0], words),
        lambda: address_of(find_features, frames, *currents, *search),
        *to_train(classifier_recipe(1, 0), classifier(1, BLOCKS[0] * BLOCKS[1])),
    ]
