"""Trains on with the quantiser in the loop, so that the network learns to live with its formats.

Parameters and states are cast in every forward pass; derivatives pass the casts straight through, and steps
go into master weights in floating point. The rule is stochastic diagonal Levenberg–Marquardt with curvatures
taken before each pass (PIEEE98 App. C). Sums are taken as exact, and an activation as the network's own.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Rounding
from hw_sim.kernels.quantised_training import train_quantised
from hw_sim.plan.plan import PrecisionPlan
from hw_sim.studies.cast_tables import cast_tables, cast_values, quantised_parameters, with_cast_borders
from retronet.curvature import goal_of
from retronet.datasets import Dataset, DigitSets
from retronet.engines.workspace import Parameters, Workspace
from retronet.errors import DivergedError, InputError
from retronet.evaluate import Score, score
from retronet.kernels.passes import measure_curvature
from retronet.network import NetworkSpec, Rbf
from retronet.recipe import Recipe, SdlmBatch
from retronet.schedule import Steps
from retronet.trained import Trained
from retronet.training.pruning import deleted_places


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to train on.

    The rate halves from pass to pass. ``patterns`` training digits give the curvatures of each pass.
    """

    layers: Literal["all", "last"] = "all"
    passes: Annotated[int, msgspec.Meta(ge=1)] = 5
    rate: Annotated[float, msgspec.Meta(gt=0)] = 0.0005
    mu: Annotated[float, msgspec.Meta(gt=0)] = 0.02
    patterns: Annotated[int, msgspec.Meta(ge=1)] = 500
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def rate_of(self, number: int) -> float:
        """Return the rate of a pass, counted from 1."""
        return self.rate * 0.5 ** (number - 1)


class RetrainRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """One pass, 0 before the first; the scores are those of the network on integers."""

    number: int
    rate: float | None
    running_loss: float | None
    train: Score
    test: Score


class Retraining:
    """A network that is trained on within its formats.

    Parameters
    ----------
    trained
        The trained network; its recipe says the loss and the targets.
    digits
        Training and test digits.
    plan
        Formats and scales; they stay as they are.
    settings
        How to train on.
    passes
        The passes that the parameters have behind them.

    Attributes
    ----------
    warnings : tuple of str
        What a reader should know of the cast, such as clipped weights.

    Raises
    ------
    InputError
        If parts do not fit each other, weights are rounded stochastically, or the output layer is of fixed
        codes.
    """

    def __init__(
        self,
        trained: Trained,
        digits: DigitSets,
        plan: PrecisionPlan,
        settings: Settings | None = None,
        passes: int = 0,
    ) -> None:
        self.warnings = quantize(trained, plan).warnings
        _check(trained.network, plan)
        self.origin, self.digits, self.plan, self.settings = trained, digits, plan, settings or Settings()
        self.passes = passes
        self._workspace = Workspace(with_cast_borders(trained.network, plan))
        self._workspace.load(trained.parameters)
        self._master = self._workspace.machine.flat.parameters.copy()
        self._deleted = deleted_places(self._workspace, trained.mask)
        classes = self._workspace.sized_layers[-1].output[0]
        self._goal = goal_of(trained.recipe, classes, self._workspace.dtype)
        images = cast_values(digits.train.images, plan.input, plan.input_scale)
        self._images = np.ascontiguousarray(images, self._workspace.dtype)

    @property
    def trained(self) -> Trained:
        """The network as it stands: its master weights, which the plan casts, and a recipe that says so."""
        recipe = retrained_recipe(self.origin.recipe, self.settings)
        return Trained(self.origin.network, self._parameters(), recipe, self.origin.mask)

    def float_scores(self) -> tuple[Score, Score]:
        """Return the scores of the master weights in floating point, on training and test digits."""
        trained, targets = self.trained, self.origin.recipe.targets
        halves = (self.digits.train, self.digits.test)
        train, test = (score(trained.outputs(half.images), half.labels, targets) for half in halves)
        return train, test

    def run(self) -> Iterator[RetrainRecord]:
        """Yield the scores before training, unless passes are done already, and after each pass.

        Raises
        ------
        DivergedError
            If the loss leaves the range of finite numbers.
        """
        if not self.passes:
            yield self._record(0, None, None)
        workspace, labels = self._workspace, self.digits.train.labels
        tables = cast_tables(workspace, self.plan)
        for number in range(self.passes + 1, self.settings.passes + 1):
            order = np.random.default_rng([self.settings.seed, number]).permutation(len(self._images))
            rate = self.settings.rate_of(number)
            workspace.load(quantised_parameters(self._parameters(), workspace.sized_layers, self.plan))
            arguments = workspace.machine, self._images, labels
            measure_curvature(*arguments, order[: self.settings.patterns], self._goal)
            workspace.machine.flat.curvature[self._deleted] = np.inf
            total = train_quantised(
                workspace.machine, tables, self._master, self._images, labels, order, self._goal,
                self._first(), rate, self.settings.mu,
            )  # fmt: skip
            if not np.isfinite(total):
                raise DivergedError(
                    f"Retraining diverged in pass {number}: the loss is no longer finite at rate {rate:g}. "
                    "Lower the rate."
                )
            self.passes = number
            yield self._record(number, rate, total / len(order))

    def _parameters(self) -> Parameters:
        return self._workspace.read(self._master)

    def _first(self) -> int:
        """Return the place from which on parameters are trained."""
        last = self._workspace.sized_layers[-1].name
        return 0 if self.settings.layers == "all" else self._workspace.vector.starts[f"{last}.weight"]

    def _record(self, number: int, rate: float | None, running_loss: float | None) -> RetrainRecord:
        integers, targets = quantize(self.trained, self.plan), self.origin.recipe.targets

        def scored(digits: Dataset) -> Score:
            return score(run_integers(integers, digits.images).outputs, digits.labels, targets)

        return RetrainRecord(number, rate, running_loss, scored(self.digits.train), scored(self.digits.test))


def retrain(
    trained: Trained, digits: DigitSets, plan: PrecisionPlan, settings: Settings | None = None
) -> Trained:
    """Return `trained` after training on within the formats of `plan`, for that plan.

    Parameters
    ----------
    trained
        The trained network.
    digits
        It learns from the training digits; the test digits are only scored.
    plan
        Formats and scales; they stay as they are.
    settings
        How to train on; the defaults if absent. `Retraining` gives the scores of every pass.

    Raises
    ------
    InputError
        As for `Retraining`.
    DivergedError
        If the loss leaves the range of finite numbers.
    """
    retraining = Retraining(trained, digits, plan, settings)
    for _ in retraining.run():
        pass
    return retraining.trained


def retrained_recipe(recipe: Recipe, settings: Settings) -> Recipe:
    """Return what was done as a recipe; that weights and states were cast is what it can not say."""
    return replace(
        recipe,
        name=f"{recipe.name}-retrained",
        title=f"{recipe.title}, retrained within number formats",
        passes=settings.passes,
        rule=SdlmBatch(settings.mu, settings.patterns),
        schedule=Steps(tuple((1, settings.rate_of(number)) for number in range(1, settings.passes + 1))),
        order="shuffled",
        seed=settings.seed,
    )


def _check(network: NetworkSpec, plan: PrecisionPlan) -> None:
    if isinstance(network.layers[-1], Rbf):
        raise InputError(
            f"Network '{network.name}' can not be retrained here: its outputs are distances to fixed codes; "
            "Conv, Subsample and Dense are allowed. Choose another network."
        )
    for layer in plan.layers:
        if isinstance(layer.weight, Fixed) and layer.weight.rounding is Rounding.STOCHASTIC:
            raise InputError(
                f"Layer '{layer.layer}' can not be retrained with weights of {layer.weight.text}: stochastic "
                "rounding casts the same weight to other values each time. Choose another rounding mode."
            )
