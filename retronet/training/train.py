"""Trains a network as a recipe says, one pass after the other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset, DigitSets
from retronet.engines.batches import (
    Batches,
    batch_size,
    batches_of_pass,
    dropped_units,
    paper_of,
    pictures,
    pieces,
    presentation_order,
    presentations,
    split,
)
from retronet.engines.engine import Parameters, make_engine
from retronet.engines.forward import check_images
from retronet.errors import DivergedError, InputError
from retronet.evaluate import Score, score
from retronet.initial import initial_parameters
from retronet.network import NetworkSpec, Rbf, load_network
from retronet.recipe import MaximumPosterior, Recipe, SdlmBatch, SdlmRunning, load_recipe, override
from retronet.trained import Trained
from retronet.training.snapshots import Snapshot, snapshot

SNAPSHOT_DIGITS = 32
"""Digits, the last ones learnt, whose activations and gradient a snapshot holds."""


class PassRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One pass, counted from 1.

    ``rate`` is that of its first step. ``running_loss`` is the mean loss of the patterns as they were learnt,
    in the recipe's unit; the scores are taken after the pass, that of ``validation`` on the held-out digits.
    """

    number: int
    presentations: int
    rate: float
    running_loss: float
    train: Score
    test: Score
    validation: Score | None = None


@dataclass(frozen=True)
class Progress:
    """How far a pass has come."""

    number: int
    presented: int
    of: int


@dataclass(frozen=True)
class TrainingState:
    """All that the next pass depends on besides the recipe: arrays by name, and the passes done.

    `optimiser` holds, per quantity, what the rule remembers, such as ``"curvature"``, in arrays named like
    the parameters; and under ``"patience"`` the least validation loss so far and the passes since.
    """

    passes: int
    parameters: Parameters
    optimiser: dict[str, Parameters]


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
        If the digits, the loss or the dropout do not fit the network.
    """

    def __init__(self, recipe: Recipe, network: NetworkSpec, digits: DigitSets) -> None:
        check_images(network, digits.train.images)
        if isinstance(recipe.loss, MaximumPosterior) != isinstance(network.layers[-1], Rbf):
            raise InputError(
                f"The loss of recipe '{recipe.name}' does not go with network '{network.name}': "
                "maximum-posterior is for outputs at fixed codes, and they for it. "
                "Change the loss or the network."
            )
        self.recipe = recipe
        self.network = network
        self.digits = digits
        self.passes = 0
        self._learnt, self._held_out = split(digits.train, recipe.take, recipe.holdout)
        self._dropped = dropped_units(network, recipe.dropout)
        self._engine = make_engine(recipe, network)
        self._engine.load(initial_parameters(network, recipe.initial, recipe.seed), {}, steps=0)
        self._images = np.ascontiguousarray(self._learnt.images, recipe.precision)
        self._least_loss, self._since_least = np.inf, 0

    @property
    def trained(self) -> Trained:
        """The network as it now is."""
        return Trained(self.network, self._engine.parameters(), self.recipe)

    def state(self) -> TrainingState:
        """Return a copy of all that the next pass depends on."""
        optimiser = self._engine.optimiser()
        if self.recipe.patience:
            optimiser["patience"] = {
                "least_loss": np.array([self._least_loss]),
                "passes_since": np.array([float(self._since_least)]),
            }
        return TrainingState(self.passes, self._engine.parameters(), optimiser)

    def restore(self, state: TrainingState) -> None:
        """Go back to `state`.

        Raises
        ------
        InputError
            If its arrays are not those of the network.
        """
        self._engine.load(state.parameters, state.optimiser, state.passes * self._steps_a_pass)
        watched = state.optimiser.get("patience")
        if watched:
            self._least_loss = float(watched["least_loss"][0])
            self._since_least = int(watched["passes_since"][0])
        self.passes = state.passes

    @property
    def _presentations_a_pass(self) -> int:
        return presentations(self.recipe, len(self._images))

    @property
    def _steps_a_pass(self) -> int:
        return -(-self._presentations_a_pass // batch_size(self.recipe))

    @property
    def finished(self) -> bool:
        """Whether no pass is left: all are done, or patience is at its end."""
        tired = self.recipe.patience is not None and self._since_least >= self.recipe.patience
        return tired or self.passes >= self.recipe.passes

    def run(
        self, watch: int | None = None, *, only_last: bool = False
    ) -> Iterator[Progress | PassRecord | Snapshot]:
        """Train the passes that are left; tell progress within a pass, and each pass when it is done.

        Parameters
        ----------
        watch
            Yield a snapshot of the network whenever that many steps more are done. It changes no parameter;
            the running loss is summed in other parts, so its last digit may differ.
        only_last
            Score and tell the last pass alone, where no digits are held out.

        Raises
        ------
        DivergedError
            If the loss or a parameter leaves the range of finite numbers.
        """
        while not self.finished:
            number, count = self.passes + 1, self._presentations_a_pass
            self._prepare(number)
            total, done, rate = 0.0, 0, None
            steps = self.passes * self._steps_a_pass
            for batches in batches_of_pass(
                self.recipe, self._images, self._learnt.labels, number, self._dropped, self.recipe.precision
            ):
                rate = float(batches.rates[0]) if rate is None else rate
                for piece in (batches,) if watch is None else pieces(batches, watch, steps):
                    total += self._engine.learn(piece)
                    steps += len(piece.rates)
                    if watch is not None and steps % watch == 0:
                        yield self._snapshot(number, steps, piece)
                # A squashing function may turn a sum that is not a number into a state that is.
                if not (np.isfinite(total) and self._has_finite_parameters()):
                    raise self._diverged(number, rate)
                done += len(batches.labels)
                yield Progress(number, done, count)
            self.passes = number
            if not all(np.isfinite(array).all() for array in self._remembered()):
                raise self._diverged(number, rate or 0.0)
            if self.finished or self._held_out is not None or not only_last:
                yield self._record(number, total / count, rate or 0.0)

    def _has_finite_parameters(self) -> bool:
        return all(np.isfinite(array).all() for array in self._engine.parameters().values())

    def _remembered(self) -> Iterator[NDArray[np.floating]]:
        return (array for named in self._engine.optimiser().values() for array in named.values())

    def _prepare(self, number: int) -> None:
        """Measure the curvature before a pass, if the rule wants it."""
        if isinstance(self.recipe.rule, SdlmBatch):
            count, paper = len(self._images), paper_of(self.recipe, self._images)
            order = presentation_order(self.recipe, count, number)[: self.recipe.rule.patterns]
            shown = pictures(self.recipe, self._images, order, paper)
            self._engine.measure_curvature(shown, self._learnt.labels[order % count])

    def _record(self, number: int, running_loss: float, rate: float) -> PassRecord:
        validation = None
        if self._held_out is not None:
            validation = self._score(self._held_out)
            loss = np.inf if validation.loss is None else validation.loss
            self._since_least = 0 if loss < self._least_loss else self._since_least + 1
            self._least_loss = min(loss, self._least_loss)
        return PassRecord(
            number=number,
            presentations=number * self._presentations_a_pass,
            rate=rate,
            running_loss=running_loss,
            train=self._score(self._learnt),
            test=self._score(self.digits.test),
            validation=validation,
        )

    def _snapshot(self, number: int, steps: int, piece: Batches) -> Snapshot:
        images, labels = piece.images[-SNAPSHOT_DIGITS:], piece.labels[-SNAPSHOT_DIGITS:]
        return snapshot(number, steps, self._engine, self.network, images, labels)

    def _diverged(self, number: int, rate: float) -> DivergedError:
        sdlm = isinstance(self.recipe.rule, SdlmRunning | SdlmBatch)
        return DivergedError(
            f"Training diverged in pass {number}: its numbers are no longer finite at rate {rate:g}. "
            "Lower the rate (--set schedule.rate=…)" + (" or raise mu (--set rule.mu=…)." if sdlm else ".")
        )

    def _score(self, digits: Dataset) -> Score:
        outputs = self._engine.outputs(digits.images)
        return score(outputs, digits.labels, self.recipe.targets, self.recipe.loss)


def train(
    recipe: Recipe | str,
    digits: DigitSets,
    *,
    seed: int | None = None,
    passes: int | None = None,
    changes: Mapping[str, Any] | None = None,
    tell: Callable[[Progress | PassRecord | Snapshot], None] | None = None,
) -> Trained:
    """Train a network in memory and return it; `retronet.runs.run` does the same on disk.

    Parameters
    ----------
    recipe
        A recipe, or the name or file of one.
    digits
        What to learn and what to be scored on; they take the place of the recipe's data.
    seed, passes
        In place of the recipe's.
    changes
        Further values of the recipe, each by its dotted path: see `retronet.recipe.override`.
    tell
        Called with progress and with each pass's record as they come.

    Raises
    ------
    InputError
        If recipe, network and digits do not fit each other.
    DivergedError
        If the loss or a parameter leaves the range of finite numbers.
    """
    chosen = load_recipe(recipe) if isinstance(recipe, str) else recipe
    given = {"data": digits.train.provenance.name, "seed": seed, "passes": passes}
    chosen = override(chosen, {key: value for key, value in given.items() if value is not None})
    chosen = override(chosen, dict(changes or {}))
    training = Training(chosen, load_network(chosen.network), digits)
    for step in training.run():
        if tell is not None:
            tell(step)
    return training.trained
