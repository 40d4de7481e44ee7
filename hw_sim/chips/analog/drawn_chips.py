"""Scores of simulated chips, each with errors of its own, and their spread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from retronet.datasets import Dataset, DigitSets
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.recipe import Targets

Chip = tuple[int, int]
"""What decides the errors of a chip: a seed and the chip's number."""


class ChipScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated chip on the test digits: as mapped, and with the last layers retrained on it.

    The chip without errors has the number −1.
    """

    chip: int
    mapped: Score
    retrained: Score | None


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean and standard deviation over simulated chips (of a sample, n − 1); none for a single one."""

    error_percent: float
    error_deviation: float | None
    reject_percent_at_1_percent_error: float
    reject_deviation: float | None


def spread(scores: Sequence[Score]) -> Spread:
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


@dataclass(frozen=True)
class ChipScorer:
    """What every simulated chip is tried on.

    Attributes
    ----------
    states
        Given a chip (None for one without errors), images and whether they are the training half, returns
        the real states (n, units) that the chip hands to the layers beside it.
    """

    states: Callable[[Chip | None, NDArray[np.float32], int], NDArray[np.float32]]
    host: HostLayers
    digits: DigitSets
    retraining: HostRetraining | None
    targets: Targets | None

    def score(self, chip: Chip | None) -> ChipScore:
        """Return the scores of one chip."""
        test, train = self.digits.test, self.digits.train
        tested = self.states(chip, test.images, 0)
        number = -1 if chip is None else chip[1]
        mapped = self._score(test, self.host.outputs(tested))
        if self.retraining is None:
            return ChipScore(number, mapped, None)
        seen = self.states(chip, train.images, 1)
        learnt = self.host.retrained(seen, train.labels, self.retraining, self.targets)
        return ChipScore(number, mapped, self._score(test, self.host.outputs(tested, learnt)))

    def scores(self, chips: int, seed: int, threads: int) -> tuple[ChipScore, ...]:
        """Return the scores of as many chips, drawn from `seed`; threads share them and change nothing.

        Raises
        ------
        InputError
            If there are no chips.
        """
        if chips < 1:
            raise InputError(f"{chips} chips can not be simulated. Give 1 or more.")
        with ThreadPoolExecutor(threads) as pool:
            return tuple(pool.map(lambda number: self.score((seed, number)), range(chips)))

    def _score(self, data: Dataset, outputs: NDArray[np.float32]) -> Score:
        return score(outputs, data.labels, self.targets)


def spreads(chips: Sequence[ChipScore]) -> tuple[Spread, Spread | None]:
    """Return the spread of chips as mapped and, if they were, as retrained."""
    retrained = [chip.retrained for chip in chips if chip.retrained is not None]
    return spread([chip.mapped for chip in chips]), spread(retrained) if retrained else None
