"""Trains a network as a recipe says, one pass after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset, DigitSets
from retronet.errors import DivergedError
from retronet.evaluate import Score, score, target_matrix
from retronet.forward import check_images, outputs
from retronet.initial import initial_parameters
from retronet.kernels.losses import SOFTMAX, SQUARED
from retronet.kernels.passes import Goal, measure_curvature, train_sdlm, train_sgd
from retronet.machine import Workspace
from retronet.network import NetworkSpec
from retronet.recipe import CrossEntropy, Recipe, SdlmBatch, SdlmRunning, Sgd, SquaredError, rate_of_pass

CHUNK = 1024
"""Presentations in one compiled call. It sets how often progress is told, and changes no result."""


class PassRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One pass, counted from 1.

    ``running_loss`` is the mean loss of the patterns as they were learnt, in the recipe's unit; the scores
    are taken after the pass.
    """

    number: int
    presentations: int
    rate: float
    running_loss: float
    train: Score
    test: Score


@dataclass(frozen=True)
class Progress:
    """How far a pass has come."""

    number: int
    presented: int
    of: int


@dataclass(frozen=True)
class TrainingState:
    """All that the next pass depends on besides the recipe: arrays by name, and the passes done."""

    passes: int
    parameters: dict[str, NDArray[np.floating]]
    curvature: dict[str, NDArray[np.floating]]


class Training:
    """A training run in memory.

    Parameters
    ----------
    recipe
        What to do.
    network
        The network that the recipe names.
    digits
        Training and test digits, of the network's input size.

    Raises
    ------
    InputError
        If the digits do not fit the network.
    """

    def __init__(self, recipe: Recipe, network: NetworkSpec, digits: DigitSets) -> None:
        check_images(network, digits.train.images)
        self.recipe = recipe
        self.network = network
        self.digits = digits
        self.passes = 0
        self._workspace = Workspace(network, recipe.precision)
        self._workspace.load(initial_parameters(network, recipe.initial, recipe.seed))
        self._images = np.ascontiguousarray(digits.train.images, self._workspace.dtype)
        self._goal = self._make_goal()

    def _make_goal(self) -> Goal:
        classes = self._workspace.places[-1].output[0]
        matrix = target_matrix(self.recipe.targets, classes).astype(self._workspace.dtype)
        match self.recipe.loss:
            case SquaredError(form="half-sum"):
                return Goal(matrix, SQUARED, 1.0)
            case SquaredError():
                return Goal(matrix, SQUARED, 2.0 / classes)
            case CrossEntropy():
                return Goal(matrix, SOFTMAX, 1.0)

    def state(self) -> TrainingState:
        """Return a copy of all that the next pass depends on."""
        flat = self._workspace.machine.flat
        return TrainingState(self.passes, self._workspace.read(), self._workspace.read(flat.curvature))

    def restore(self, state: TrainingState) -> None:
        """Go back to `state`.

        Raises
        ------
        InputError
            If its arrays are not those of the network.
        """
        self._workspace.load(state.parameters)
        self._workspace.load(state.curvature, self._workspace.machine.flat.curvature)
        self.passes = state.passes

    def run(self) -> Iterator[Progress | PassRecord]:
        """Train the passes that are left; tell progress within a pass, and each pass when it is done.

        Raises
        ------
        DivergedError
            If the loss leaves the range of finite numbers.
        """
        while self.passes < self.recipe.passes:
            number = self.passes + 1
            order = self._order(number)
            rate = rate_of_pass(self.recipe.schedule, number)
            if isinstance(self.recipe.rule, SdlmBatch):
                self._measure_curvature(order[: self.recipe.rule.patterns])
            total = 0.0
            for start in range(0, len(order), CHUNK):
                total += self._learn(order[start : start + CHUNK], rate)
                if not np.isfinite(total):
                    raise DivergedError(
                        f"Training diverged in pass {number}: the loss is no longer finite at rate {rate:g}. "
                        "Lower the rate (--set schedule.rate=…) or raise mu (--set rule.mu=…)."
                    )
                yield Progress(number, min(start + CHUNK, len(order)), len(order))
            self.passes = number
            yield PassRecord(
                number=number,
                presentations=number * len(order),
                rate=rate,
                running_loss=total / len(order),
                train=self._score(self.digits.train),
                test=self._score(self.digits.test),
            )

    def _order(self, number: int) -> NDArray[np.int64]:
        """Return the order of presentation; a shuffle depends on seed and pass alone: resuming repeats it."""
        count = len(self._images)
        if self.recipe.order == "shuffled":
            return np.random.default_rng([self.recipe.seed, number]).permutation(count)
        return np.arange(count)

    def _measure_curvature(self, order: NDArray[np.int64]) -> None:
        measure_curvature(self._workspace.machine, self._images, self.digits.train.labels, order, self._goal)

    def _learn(self, order: NDArray[np.int64], rate: float) -> float:
        machine, labels = self._workspace.machine, self.digits.train.labels
        match self.recipe.rule:
            case Sgd():
                total = train_sgd(machine, self._images, labels, order, self._goal, rate)
            case SdlmRunning(mu=mu, gamma=gamma):
                total = train_sdlm(machine, self._images, labels, order, self._goal, rate, mu, gamma)
            case SdlmBatch(mu=mu):
                total = train_sdlm(machine, self._images, labels, order, self._goal, rate, mu, 0.0)
        return float(total)

    def _score(self, digits: Dataset) -> Score:
        return score(outputs(self._workspace, digits.images), digits.labels, self.recipe.targets)
