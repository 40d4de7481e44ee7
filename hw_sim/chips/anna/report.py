"""A trained network on simulated ANNA chips: in floating point, on the chip, and retrained beside it."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.drawn_chips import Chip, ChipScore, ChipSpread, States, run_drawn
from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.analog.layers import run_analog
from hw_sim.chips.anna.network import AnnaNetwork, anna_network, layers_on_chip
from hw_sim.chips.anna.options import AnnaOptions, anna_options
from hw_sim.chips.spec import ChipSpec
from retronet.datasets import DigitSets
from retronet.evaluate import Score
from retronet.trained import Trained

ASSUMPTIONS = (
    "Levels, law of the scale factor, step of the converter, biases: not in any text that was reached "
    "(papers' §5.5); options with assumed defaults.",
    "Noise, offset, mismatch, droop: normal numbers with assumed sizes; droop uniform between two refreshes.",
    "The last layer in floating point, and that retraining means it: from memory (papers' §5.3).",
    "Retraining: stochastic gradient descent on the chip's own states of the training digits; assumed.",
)


class PublishedChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of ANNA-B's table 1: percent, with the plus-or-minus printed there, if any.

    It was measured on another network and other digits, and stands beside the simulation, not in it.
    """

    what: str
    error_percent: float
    reject_percent_at_1_percent_error: float
    error_plus_minus: float | None = None
    reject_plus_minus: float | None = None
    source: str = "ANNA-B table 1"


HOST_RETRAINING = HostRetraining(passes=20, rate=1e-4)
PUBLISHED = (
    PublishedChain("full precision", 4.9, 9.1),
    PublishedChain("ANNA/DSP", 5.3, 13.5, 0.2, 0.8),
    PublishedChain("ANNA/DSP after retraining", 4.9, 11.5, 0.2, 0.8),
)


class AnnaLayerReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layer on the chip: steps in the network's own numbers, factors of its neurons, clipped weights."""

    layer: str
    state_step: float
    least_weight_step: float
    largest_weight_step: float
    scale_factors: tuple[int, ...]
    clipped_weights: int


class AnnaReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network on simulated chips.

    ``ideal`` is the chip without analog errors. ``converter_step`` is in products of one step of weight and
    one of state, at a scale factor of 1. ``published`` is another network's, measured.
    """

    network: str
    options: AnnaOptions
    retraining: HostRetraining | None
    seed: int
    images: int
    converter_step: int
    layers: tuple[AnnaLayerReport, ...]
    reference: Score
    ideal: ChipScore
    chips: tuple[ChipScore, ...]
    mapped: ChipSpread
    retrained: ChipSpread | None
    published: tuple[PublishedChain, ...] = PUBLISHED
    assumptions: tuple[str, ...] = ASSUMPTIONS


def run_anna(
    chip: ChipSpec,
    trained: Trained,
    digits: DigitSets,
    options: AnnaOptions | None = None,
    *,
    chips: int = 20,
    seed: int = 0,
    retraining: HostRetraining | None = HOST_RETRAINING,
    threads: int = 1,
) -> AnnaReport:
    """Run a trained network on simulated chips, the last layers beside them.

    Parameters
    ----------
    chip
        Its sizes are taken from its description.
    trained
        The trained network.
    digits
        Steps are fitted, and last layers retrained, on the training digits alone; scores are on the test set.
    options
        What the description leaves open; the documented defaults if absent.
    chips, seed, retraining, threads
        As for `hw_sim.chips.analog.drawn_chips.run_drawn`.

    Raises
    ------
    InputError
        If the parts do not fit each other, a layer can not run on the chip, or the arithmetic can not take a
        size of the chip.
    """
    options = options or anna_options(chip)
    host = HostLayers(trained, len(trained.network.layers) - options.float_layers)
    mapped = anna_network(chip, trained, digits.train.images, options)
    states = anna_states(mapped)
    return AnnaReport(
        options=options,
        converter_step=mapped.converter_step,
        layers=tuple(
            AnnaLayerReport(
                layer.sized.name, layer.state_step, float(layer.weight_steps.min()),
                float(layer.weight_steps.max()), tuple(map(int, layer.factors)), layer.clipped,
            )
            for layer in mapped.layers
        ),
        **run_drawn(
            states, host, trained, digits, chips=chips, seed=seed, retraining=retraining, threads=threads
        ),
    )  # fmt: skip


def anna_states(mapped: AnnaNetwork) -> States:
    """Return what gives the last layer's real states on a chip: see `hw_sim.chips.analog.drawn_chips`."""
    step = np.float32(mapped.layers[-1].state_step)
    # Fixed errors are drawn from seed and chip, noise from these and the half of the digits besides.

    def states(
        drawn: Chip | None, images: NDArray[np.float32], half: int, before: int = 0
    ) -> NDArray[np.float32]:
        layers = layers_on_chip(mapped, drawn)
        seed = (*(drawn or (0, 0)), half)
        return run_analog(layers, mapped.pixels(images), seed, before=before)[0] * step

    return states
