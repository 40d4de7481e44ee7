"""Scores of simulated chips, each with errors of its own, and their spread."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypedDict

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from retronet.datasets import Dataset, DigitSets
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.trained import Trained

Floats = NDArray[np.float32]
Chip = tuple[int, int]
"""What decides the errors of a chip: a seed and the chip's number."""


class ChipScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated chip on the test digits: as mapped, and with the last layers retrained on it.

    The chip without errors has the number −1.
    """

    chip: int
    mapped: Score
    retrained: Score | None


class ChipSpread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean and standard deviation over simulated chips (of a sample, n − 1); none for a single one."""

    error_percent: float
    error_deviation: float | None
    reject_percent_at_1_percent_error: float
    reject_deviation: float | None


def chip_spread(scores: Sequence[Score]) -> ChipSpread:
    """Return mean and standard deviation of errors and rejection."""
    errors = [each.error_percent for each in scores]
    rejects = [each.reject_percent_at_1_percent_error for each in scores]
    several = len(scores) > 1
    return ChipSpread(
        float(np.mean(errors)),
        float(np.std(errors, ddof=1)) if several else None,
        float(np.mean(rejects)),
        float(np.std(rejects, ddof=1)) if several else None,
    )


class States(Protocol):
    """What a chip hands to the layers beside it."""

    def __call__(self, chip: Chip | None, images: Floats, half: int, /, before: int = 0) -> Floats:
        """Return real states (n, units) of images on a chip, None being one without errors.

        Noise is drawn from `half`, which is 1 for the training half and 0 for the test half, and from the
        place of an image among its half: `before` of these were run before, a multiple of `ANALOG_LANES`.
        """


class DrawnScores(TypedDict):
    """What the reports on all analog chips say alike; `run_drawn` fills it."""

    network: str
    retraining: HostRetraining | None
    seed: int
    images: int
    reference: Score
    ideal: ChipScore
    chips: tuple[ChipScore, ...]
    mapped: ChipSpread
    retrained: ChipSpread | None


def run_drawn(
    states: States,
    host: HostLayers,
    trained: Trained,
    digits: DigitSets,
    *,
    chips: int,
    seed: int,
    retraining: HostRetraining | None,
    threads: int,
) -> DrawnScores:
    """Score a network in floating point, on a chip without errors, and on chips drawn from a seed.

    Parameters
    ----------
    states
        The layers on the chip.
    host
        The layers beside it.
    trained, digits
        The network, and its digits: last layers learn again on the training digits alone; scores are on the
        test set.
    chips, seed
        How many chips to draw, and from what: the same seed gives the same bytes.
    retraining
        How the last layers learn again on each chip; None to leave that out.
    threads
        Threads that share the chips; they never change a result.

    Raises
    ------
    InputError
        If there are no chips.
    """
    if chips < 1:
        raise InputError(f"{chips} chips can not be simulated. Give 1 or more.")
    scorer = _Scorer(states, host, trained, digits, retraining)
    with ThreadPoolExecutor(threads) as pool:
        drawn = tuple(pool.map(lambda number: scorer.score((seed, number)), range(chips)))
    retrained = [chip.retrained for chip in drawn if chip.retrained is not None]
    return DrawnScores(
        network=trained.network.name,
        retraining=retraining,
        seed=seed,
        images=len(digits.test.images),
        reference=scorer.score_of(digits.test, trained.outputs(digits.test.images)),
        ideal=scorer.score(None),
        chips=drawn,
        mapped=chip_spread([chip.mapped for chip in drawn]),
        retrained=chip_spread(retrained) if retrained else None,
    )


@dataclass(frozen=True)
class _Scorer:
    """What every simulated chip is tried on."""

    states: States
    host: HostLayers
    trained: Trained
    digits: DigitSets
    retraining: HostRetraining | None

    def score(self, chip: Chip | None) -> ChipScore:
        """Return the scores of one chip."""
        test, train = self.digits.test, self.digits.train
        tested = self.states(chip, test.images, 0)
        number = -1 if chip is None else chip[1]
        mapped = self.score_of(test, self.host.outputs(tested))
        if self.retraining is None:
            return ChipScore(number, mapped, None)
        seen = self.states(chip, train.images, 1)
        learnt = self.host.retrained(seen, train.labels, self.retraining)
        return ChipScore(number, mapped, self.score_of(test, self.host.outputs(tested, learnt)))

    def score_of(self, data: Dataset, outputs: NDArray[np.floating]) -> Score:
        """Return the score of outputs, measured from the recipe's targets."""
        return score(outputs, data.labels, self.trained.recipe.targets)
