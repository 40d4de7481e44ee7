"""Deletes the parameters that the loss depends on least: optimal brain damage (OBD; papers.md §9).

With second derivatives h, deleting a parameter w raises the loss by about ``h·w²/2``, its *saliency*: first
derivatives are small where training has ended, and mixed ones are left out. The parameters of least saliency
are set to 0 and stay there; the rest may learn on; then it is measured anew.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.curvature import Curvature, diagonal_curvature, goal_of, mean_loss
from retronet.datasets import Dataset, DigitSets
from retronet.engines.workspace import Parameters, Workspace
from retronet.errors import ChoiceError, DivergedError
from retronet.evaluate import Score
from retronet.kernels.passes import measure_curvature, train_sdlm
from retronet.network import NetworkSpec, parameter_shapes, sized_layers
from retronet.trained import Trained


class PruningSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to prune.

    ``delete`` parameters are deleted in all, in ``stages`` equal steps. After each, the rest learns for
    ``passes`` passes by stochastic diagonal Levenberg–Marquardt with the curvatures of ``patterns`` digits,
    taken before each pass (PIEEE98 App. C); ``rate`` is that of a stage's first pass and halves from pass to
    pass. The learning is an assumption: OBD does not say its rates.
    """

    delete: Annotated[int, msgspec.Meta(ge=1)]
    stages: Annotated[int, msgspec.Meta(ge=1)] = 10
    passes: Annotated[int, msgspec.Meta(ge=0)] = 2
    rate: Annotated[float, msgspec.Meta(gt=0)] = 0.0005
    mu: Annotated[float, msgspec.Meta(gt=0)] = 0.02
    patterns: Annotated[int, msgspec.Meta(ge=1)] = 500
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0

    def deleted_after(self, stage: int, before: int) -> int:
        """Return the parameters that are gone after a stage, of which `before` were gone at the beginning."""
        return before + (self.delete - before) * stage // self.stages


class StageRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage, 0 before the first.

    ``predicted`` and ``measured`` are the rise of the mean loss on the training digits by the deletions of
    this stage alone, before anything learns on; ``loss`` is what it is at the stage's end.
    """

    stage: int
    deleted: int
    predicted: float
    measured: float
    loss: float
    train: Score
    test: Score
    rate: float | None = None
    running_loss: float | None = None


@dataclass(frozen=True)
class Deletions:
    """What deleting the first `count` of the parameters of least saliency does, without learning on.

    Rises are of the mean loss on the training digits.
    """

    count: int
    predicted: float
    measured: float
    train: Score
    test: Score


def saliencies(trained: Trained, digits: Dataset, curvature: Curvature | None = None) -> Parameters:
    """Return the saliency ``h·w²/2`` of each parameter, shaped and named like them.

    Second derivatives are those of `retronet.curvature.mean_loss` on `digits`, the training digits as a rule.
    Those of deleted parameters are 0. A `curvature` that is known already need not be measured again.
    """
    second = (curvature or diagonal_curvature(trained, digits)).parameters
    return {
        name: 0.5 * second[name].astype(np.float64) * np.square(trained.parameters[name].astype(np.float64))
        for name in parameter_shapes(trained.network)
    }


def deletion_order(trained: Trained, saliency: Mapping[str, NDArray[np.floating]]) -> NDArray[np.int64]:
    """Return the places of the parameters that are left, those of least saliency first.

    Places count through all parameters, array by array in the order of `parameter_shapes`; of equals the
    first comes first.
    """
    kept = _flat(_full_mask(trained)) != 0
    order: NDArray[np.int64] = np.argsort(_flat(saliency), kind="stable")
    ranked: NDArray[np.int64] = order[kept[order]]
    return ranked


def delete(trained: Trained, places: NDArray[np.int64]) -> Trained:
    """Return the network without the parameters at these places, beside those that are deleted already."""
    mask = _full_mask(trained)
    gone = np.zeros(sum(array.size for array in mask.values()), bool)
    gone[places] = True
    start = 0
    parameters: Parameters = {}
    for name, kept in mask.items():
        part = gone[start : start + kept.size].reshape(kept.shape)
        start += kept.size
        mask[name] = np.where(part, kept.dtype.type(0), kept)
        parameters[name] = trained.parameters[name] * mask[name] + 0  # no negative zeros
    return Trained(trained.network, parameters, trained.recipe, mask)


def deletion_curve(trained: Trained, digits: DigitSets, steps: int) -> Iterator[Deletions]:
    """Yield what ever more deletions do, in `steps` equal steps from none to all, without learning on."""
    saliency = saliencies(trained, digits.train)
    order, flat = deletion_order(trained, saliency), _flat(saliency)
    before = _loss(trained, digits.train)
    for step in range(steps + 1):
        count = len(order) * step // steps
        part = delete(trained, order[:count])
        yield Deletions(
            count=count,
            predicted=math.fsum(flat[order[:count]].tolist()),
            measured=_loss(part, digits.train) - before,
            train=part.score(digits.train),
            test=part.score(digits.test),
        )


class Pruning:
    """A network that loses its parameters stage by stage.

    Parameters
    ----------
    trained
        The trained network; what is deleted of it already stays deleted.
    digits
        It learns from the training digits; the test digits are only scored.
    settings
        What to delete, and how to learn on.
    stage, before
        The stages that the network has behind it, and the parameters that were gone before the first.

    Raises
    ------
    ChoiceError
        If there are not as many parameters to delete.
    """

    def __init__(
        self,
        trained: Trained,
        digits: DigitSets,
        settings: PruningSettings,
        stage: int = 0,
        before: int | None = None,
    ) -> None:
        self.trained, self.digits, self.settings, self.stage = trained, digits, settings, stage
        self.before = trained.deleted if before is None else before
        count = parameter_count(trained.network)
        if not self.before < settings.delete <= count:
            gone = f", of which {self.before:,} are deleted already" if self.before else ""
            raise ChoiceError(
                f"{settings.delete:,} parameters can not be deleted: network '{trained.network.name}' has "
                f"{count:,}{gone}. Give a number from {self.before + 1:,} to {count:,}."
            )

    def run(self) -> Iterator[StageRecord]:
        """Yield the scores before the first stage, unless stages are done already, and after each.

        Raises
        ------
        DivergedError
            If the loss leaves the range of finite numbers.
        """
        loss = _loss(self.trained, self.digits.train)
        if not self.stage:
            yield self._record(0.0, 0.0, loss, None, None)
        while self.stage < self.settings.stages:
            saliency = saliencies(self.trained, self.digits.train)
            wanted = self.settings.deleted_after(self.stage + 1, self.before)
            places = deletion_order(self.trained, saliency)[: wanted - self.trained.deleted]
            predicted = math.fsum(_flat(saliency)[places].tolist())
            self.trained = delete(self.trained, places)
            deleted = _loss(self.trained, self.digits.train)
            self.stage += 1
            running = self._learn() if self.settings.passes else None
            measured, loss = deleted - loss, _loss(self.trained, self.digits.train)
            yield self._record(predicted, measured, loss, self.settings.rate, running)

    def _learn(self) -> float:
        """Let what is left learn on; return the mean loss of the patterns of the last pass, as they came."""
        trained, settings, train = self.trained, self.settings, self.digits.train
        workspace = Workspace(trained.network)
        workspace.load(trained.parameters)
        machine, gone = workspace.machine, deleted_places(workspace, trained.mask)
        goal = goal_of(trained.recipe, workspace.sized_layers[-1].output[0], workspace.dtype)
        images = np.ascontiguousarray(train.images, workspace.dtype)
        total = 0.0
        for number in range(1, settings.passes + 1):
            order = np.random.default_rng([settings.seed, self.stage, number]).permutation(len(images))
            measure_curvature(machine, images, train.labels, order[: settings.patterns], goal)
            # An infinite curvature makes the step 0: what was deleted stays so.
            machine.flat.curvature[gone] = np.inf
            rate = settings.rate * 0.5 ** (number - 1)
            total = train_sdlm(machine, images, train.labels, order, goal, rate, settings.mu, 0.0)
            if not (np.isfinite(total) and np.isfinite(machine.flat.parameters).all()):
                raise DivergedError(
                    f"Pruning diverged in stage {self.stage}: the loss is no longer finite at rate {rate:g}. "
                    "Lower the rate."
                )
        self.trained = Trained(trained.network, workspace.read(), trained.recipe, trained.mask)
        return total / len(images)

    def _record(
        self, predicted: float, measured: float, loss: float, rate: float | None, running: float | None
    ) -> StageRecord:
        train, test = (self.trained.score(half) for half in (self.digits.train, self.digits.test))
        return StageRecord(
            self.stage, self.trained.deleted, predicted, measured, loss, train, test, rate, running
        )


def parameter_count(network: NetworkSpec) -> int:
    """Return the number of parameters that can be deleted: all, fixed codes not counted."""
    return sum(math.prod(shape) for shape in parameter_shapes(network).values())


def weights_left(trained: Trained) -> dict[str, int]:
    """Return by layer the weights that are not deleted."""
    left: dict[str, int] = {}
    for sized in sized_layers(trained.network):
        kept = trained.mask.get(f"{sized.name}.weight")
        left[sized.name] = math.prod(sized.weight_shape) if kept is None else int(np.count_nonzero(kept))
    return left


def macs_left(trained: Trained) -> dict[str, int]:
    """Return by layer the MACs of one image whose weight is not deleted.

    A weight is used as often as any other of its layer.
    """
    left = weights_left(trained)
    return {
        sized.name: sized.macs // math.prod(sized.weight_shape) * left[sized.name]
        for sized in sized_layers(trained.network)
    }


def deleted_places(workspace: Workspace, mask: Mapping[str, NDArray[np.floating]]) -> NDArray[np.int64]:
    """Return where the deleted parameters lie in the flat vector of `workspace`."""
    gone = {
        name: np.zeros(shape, workspace.dtype)
        if name not in mask
        else (mask[name] == 0).astype(workspace.dtype)
        for name, shape in parameter_shapes(workspace.network).items()
    }
    flat = workspace.vector.zeros(workspace.dtype)
    workspace.load(gone, flat)
    return np.flatnonzero(flat)


def _full_mask(trained: Trained) -> Parameters:
    return {
        name: np.array(trained.mask.get(name, np.ones(shape)), np.float32)
        for name, shape in parameter_shapes(trained.network).items()
    }


def _flat(arrays: Mapping[str, NDArray[np.floating]]) -> NDArray[np.floating]:
    return np.concatenate([array.ravel() for array in arrays.values()])


def _loss(trained: Trained, digits: Dataset) -> float:
    return mean_loss(trained.outputs(digits.images), digits.labels, trained.recipe)
