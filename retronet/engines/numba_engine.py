"""Training in compiled loops: the kernels, joined for one network and one recipe."""

from collections.abc import Iterator, Mapping
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from retronet.engines import forward
from retronet.engines.batches import Batches
from retronet.engines.workspace import Parameters, Workspace
from retronet.evaluate import target_matrix
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import BINARY, POSTERIOR, SOFTMAX, SQUARED
from retronet.kernels.optimisers import Dropped, Moments, measure_gradient, train_adam, train_batches
from retronet.kernels.passes import Goal, measure_curvature, train_sdlm, train_sgd
from retronet.network import NetworkSpec
from retronet.recipe import (
    Adam,
    AdamW,
    BinaryCrossEntropy,
    CrossEntropy,
    MaximumPosterior,
    Recipe,
    SdlmBatch,
    SdlmRunning,
    Sgd,
    SquaredError,
)


class NumbaEngine:
    """A network in compiled training; see :class:`retronet.engines.engine.Engine`."""

    def __init__(self, recipe: Recipe, network: NetworkSpec) -> None:
        self._recipe = recipe
        dropped = None if recipe.dropout is None else recipe.dropout.layer
        self._workspace = Workspace(network, recipe.precision, dropped)
        self._goal = self._make_goal()
        self._moments = self._make_moments()
        self._steps = 0

    def _make_goal(self) -> Goal:
        classes = self._workspace.sized_layers[-1].output[0]
        dtype = self._workspace.dtype
        wanted, own = target_matrix(self._recipe.targets, classes).astype(dtype), np.eye(classes, dtype=dtype)
        match self._recipe.loss:
            case SquaredError(form=form):
                return goal_for(wanted, SQUARED, 1.0 if form == "half-sum" else 2.0 / classes)
            case CrossEntropy():
                return goal_for(own, SOFTMAX, 1.0)
            case BinaryCrossEntropy():
                return goal_for(own, BINARY, 1.0)
            case MaximumPosterior(j=j):
                return goal_for(own, POSTERIOR, j)
            case _ as unreachable:
                assert_never(unreachable)

    def _make_moments(self) -> Moments | None:
        mean, square = (self._workspace.vector.zeros(self._workspace.dtype) for _ in range(2))
        match self._recipe.rule:
            case Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
                return Moments(mean, square, beta1, beta2, epsilon, 0.0)
            case AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay):
                return Moments(mean, square, beta1, beta2, epsilon, decay)
            case _:
                return None

    def learn(self, batches: Batches) -> float:
        """Learn the patterns of `batches`; return the sum of their losses."""
        machine, goal, images, labels = self._workspace.machine, self._goal, batches.images, batches.labels
        place = self._workspace.factors
        dropped = Dropped(
            place, np.zeros((0, 0), place.dtype) if batches.factors is None else batches.factors
        )
        total = 0.0
        match self._recipe.rule:
            case Sgd(batch=1) if batches.factors is None:
                for order, rate in self._runs(batches):
                    total += train_sgd(machine, images, labels, order, goal, rate)
            case Sgd(batch=batch):
                total = train_batches(machine, images, labels, goal, dropped, batches.rates, batch)
            case Adam(batch=batch) | AdamW(batch=batch):
                assert self._moments is not None
                total = train_adam(
                    machine, images, labels, goal, dropped, batches.rates, batch, self._moments, self._steps
                )
            case SdlmRunning(mu=mu, gamma=gamma):
                for order, rate in self._runs(batches):
                    total += train_sdlm(machine, images, labels, order, goal, rate, mu, gamma)
            case SdlmBatch(mu=mu):
                for order, rate in self._runs(batches):
                    total += train_sdlm(machine, images, labels, order, goal, rate, mu, 0.0)
            case _ as unreachable:
                assert_never(unreachable)
        self._steps += len(batches.rates)
        place[:] = 1
        return float(total)

    def _runs(self, batches: Batches) -> Iterator[tuple[NDArray[np.int64], float]]:
        """Yield what to present in one call: patterns while the rate holds; with dropout one alone."""
        rates, place = batches.rates, self._workspace.factors
        ends = np.flatnonzero(np.diff(rates)) + 1 if batches.factors is None else np.arange(1, len(rates))
        for order in np.split(np.arange(len(rates)), ends):
            if batches.factors is not None:
                place[:] = batches.factors[order[0]]
            yield order, float(rates[order[0]])

    def measure_curvature(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        """Set the curvature to its mean over these digits."""
        measure_curvature(self._workspace.machine, images, labels, np.arange(len(labels)), self._goal)

    def gradient(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> Parameters:
        """Return the gradient of the mean loss of these digits; nothing is learnt."""
        place, machine = self._workspace.factors, self._workspace.machine
        kept = Dropped(place, np.ones((len(labels), place.size), place.dtype))
        measure_gradient(machine, images, labels, 0, len(labels), self._goal, kept)
        return self._workspace.read(machine.flat.gradient)

    def outputs(self, images: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the outputs for `images`."""
        return forward.outputs(self._workspace, images)

    def parameters(self) -> Parameters:
        """Return copies of the network's arrays."""
        return self._workspace.read()

    def optimiser(self) -> dict[str, Parameters]:
        """Return copies of what the rule remembers besides."""
        return {name: self._workspace.read(flat) for name, flat in self._memory().items()}

    def load(self, parameters: Parameters, optimiser: Mapping[str, Parameters], steps: int) -> None:
        """Go back to where `steps` steps had been done."""
        self._workspace.load(parameters)
        for name, flat in self._memory().items():
            if steps:
                self._workspace.load(optimiser.get(name, {}), flat)
            else:
                flat[:] = 0
        self._steps = steps

    def _memory(self) -> dict[str, NDArray[np.floating]]:
        """Return the flat vectors that the rule carries from step to step, by name."""
        match self._recipe.rule:
            case Sgd():
                return {}
            case SdlmRunning() | SdlmBatch():
                return {"curvature": self._workspace.machine.flat.curvature}
            case Adam() | AdamW():
                assert self._moments is not None
                return {"mean": self._moments.mean, "square": self._moments.square}
            case _ as unreachable:
                assert_never(unreachable)
