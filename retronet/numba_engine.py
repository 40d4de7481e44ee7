"""Training in compiled loops: the kernels, joined for one network and one recipe."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retronet import forward
from retronet.errors import InputError
from retronet.evaluate import target_matrix
from retronet.kernels.losses import SOFTMAX, SQUARED
from retronet.kernels.passes import Goal, measure_curvature, train_sdlm, train_sgd
from retronet.lessons import Lesson
from retronet.machine import Parameters, Workspace
from retronet.network import NetworkSpec
from retronet.recipe import CrossEntropy, Recipe, SdlmBatch, SdlmRunning, Sgd, SquaredError


class NumbaEngine:
    """A network in compiled training; see :class:`retronet.engine.Engine`."""

    def __init__(self, recipe: Recipe, network: NetworkSpec) -> None:
        self._recipe = recipe
        self._workspace = Workspace(network, recipe.precision)
        self._goal = self._make_goal()

    def _make_goal(self) -> Goal:
        classes = self._workspace.places[-1].output[0]
        dtype = self._workspace.dtype
        wanted = target_matrix(self._recipe.targets, classes).astype(dtype)
        match self._recipe.loss:
            case SquaredError(form="half-sum"):
                return Goal(wanted, SQUARED, 1.0)
            case SquaredError():
                return Goal(wanted, SQUARED, 2.0 / classes)
            case CrossEntropy():
                return Goal(np.eye(classes, dtype=dtype), SOFTMAX, 1.0)
            case _:
                raise InputError("The engine 'numba' does not have this loss yet. Set engine to torch.")

    def learn(self, lesson: Lesson) -> float:
        """Learn the patterns of `lesson`; return the sum of their losses."""
        machine, images, labels = self._workspace.machine, lesson.images, lesson.labels
        order, rate = np.arange(len(labels)), float(lesson.rates[0])
        if lesson.batch > 1 or lesson.factors is not None:
            raise InputError("The engine 'numba' has no batches or dropout yet. Set engine to torch.")
        match self._recipe.rule:
            case Sgd():
                total = train_sgd(machine, images, labels, order, self._goal, rate)
            case SdlmRunning(mu=mu, gamma=gamma):
                total = train_sdlm(machine, images, labels, order, self._goal, rate, mu, gamma)
            case SdlmBatch(mu=mu):
                total = train_sdlm(machine, images, labels, order, self._goal, rate, mu, 0.0)
            case _:
                raise InputError("The engine 'numba' does not have this rule yet. Set engine to torch.")
        return float(total)

    def measure_curvature(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        """Set the curvature to its mean over these digits."""
        measure_curvature(self._workspace.machine, images, labels, np.arange(len(labels)), self._goal)

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

    def _memory(self) -> dict[str, NDArray[np.floating]]:
        """Return the flat vectors that the rule carries from step to step, by name."""
        match self._recipe.rule:
            case SdlmRunning() | SdlmBatch():
                return {"curvature": self._workspace.machine.flat.curvature}
            case _:
                return {}
