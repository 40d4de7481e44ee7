"""A trained network on simulated ANNA chips: floating point, chip, and chip with the last layers retrained."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.analog import run_analog
from hw_sim.anna_map import AnnaNetwork, AnnaOptions, anna_network, on_chip
from hw_sim.host_layers import HostLayers, Retraining
from retronet.datasets import Dataset, DigitSets
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.forward import outputs
from retronet.machine import Workspace
from retronet.network import NetworkSpec
from retronet.recipe import Targets

__all__ = ["AnnaOptions", "AnnaReport", "run_anna"]

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


PUBLISHED = (
    PublishedChain("full precision", 4.9, 9.1),
    PublishedChain("ANNA/DSP", 5.3, 13.5, 0.2, 0.8),
    PublishedChain("ANNA/DSP after retraining", 4.9, 11.5, 0.2, 0.8),
)


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean and standard deviation over the simulated chips (n − 1); no deviation for a single one."""

    error_percent: float
    error_deviation: float | None
    reject_percent_at_1_percent_error: float
    reject_deviation: float | None


class ChipScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated chip, on the test digits: as mapped, and with the last layers retrained on it."""

    chip: int
    mapped: Score
    retrained: Score | None


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
    retraining: Retraining | None
    seed: int
    images: int
    converter_step: int
    layers: tuple[AnnaLayerReport, ...]
    reference: Score
    ideal: ChipScore
    chips: tuple[ChipScore, ...]
    mapped: Spread
    retrained: Spread | None
    published: tuple[PublishedChain, ...] = PUBLISHED
    assumptions: tuple[str, ...] = ASSUMPTIONS


def run_anna(
    network: NetworkSpec,
    parameters: Mapping[str, NDArray[Any]],
    digits: DigitSets,
    options: AnnaOptions | None = None,
    chips: int = 20,
    seed: int = 0,
    retraining: Retraining | None = Retraining(),
    threads: int = 1,
    targets: Targets | None = None,
) -> AnnaReport:
    """Run a trained network on simulated chips, the last layers beside them.

    Parameters
    ----------
    network, parameters
        The trained network.
    digits
        Steps are fitted, and last layers retrained, on the training digits alone; scores are on the test set.
    options
        The chip; its documented defaults if absent.
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
    if chips < 1:
        raise InputError(f"{chips} chips can not be simulated: 1 or more are allowed. Give another number.")
    options = options or AnnaOptions()
    host = HostLayers(network, parameters, len(network.layers) - options.float_layers)
    mapped = anna_network(network, parameters, digits.train.images, options)
    bench = _Bench(mapped, host, digits, retraining, targets)
    with ThreadPoolExecutor(threads) as pool:
        found = tuple(pool.map(lambda chip: bench.chip(chip, (seed, chip)), range(chips)))
    workspace = Workspace(network)
    workspace.load(parameters)
    return AnnaReport(
        network=network.name,
        options=options,
        retraining=retraining,
        seed=seed,
        images=len(digits.test.images),
        converter_step=mapped.converter_step,
        layers=tuple(
            AnnaLayerReport(
                layer.place.name, layer.state_step, float(layer.weight_steps.min()),
                float(layer.weight_steps.max()), tuple(map(int, layer.factors)), layer.clipped,
            )
            for layer in mapped.layers
        ),
        reference=score(outputs(workspace, digits.test.images), digits.test.labels, targets),
        ideal=bench.chip(-1, None),
        chips=found,
        mapped=spread([chip.mapped for chip in found]),
        retrained=spread([chip.retrained for chip in found if chip.retrained]) if retraining else None,
    )  # fmt: skip


class _Bench:
    """What every chip of a run is tried on."""

    def __init__(
        self,
        network: AnnaNetwork,
        host: HostLayers,
        digits: DigitSets,
        retraining: Retraining | None,
        targets: Targets | None,
    ) -> None:
        self._network, self._host, self._digits = network, host, digits
        self._retraining, self._targets = retraining, targets
        self._step = np.float32(network.layers[-1].state_step)

    def chip(self, number: int, seed: tuple[int, int] | None) -> ChipScore:
        """Return the scores of one chip; without a seed of one that has no errors."""
        layers = on_chip(self._network, seed)

        def states(data: Dataset, half: int) -> NDArray[np.float32]:
            noise = (*(seed or (0, 0)), half)
            return run_analog(layers, self._network.pixels(data.images), noise)[0] * self._step

        tested, test = states(self._digits.test, 0), self._digits.test
        mapped = score(self._host.outputs(tested), test.labels, self._targets)
        if self._retraining is None:
            return ChipScore(number, mapped, None)
        train = self._digits.train
        learnt = self._host.retrained(states(train, 1), train.labels, self._retraining, self._targets)
        return ChipScore(
            number, mapped, score(self._host.outputs(tested, learnt), test.labels, self._targets)
        )


def spread(scores: list[Score]) -> Spread:
    """Return mean and standard deviation of errors and rejection."""
    errors = [found.error_percent for found in scores]
    rejects = [found.reject_percent_at_1_percent_error for found in scores]
    several = len(scores) > 1
    return Spread(
        float(np.mean(errors)),
        float(np.std(errors, ddof=1)) if several else None,
        float(np.mean(rejects)),
        float(np.std(rejects, ddof=1)) if several else None,
    )
