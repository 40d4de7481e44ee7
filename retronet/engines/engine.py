"""What an engine does: hold a network's arrays, learn lessons, answer. There are two: Numba's and torch's."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retronet.engines.batches import Batches
from retronet.errors import InputError
from retronet.network import NetworkSpec
from retronet.recipe import Recipe

Parameters = dict[str, NDArray[np.floating]]
"""Arrays named and shaped as :func:`retronet.network.parameter_shapes` says."""


class Engine(Protocol):
    """A network in training."""

    def learn(self, batches: Batches) -> float:
        """Learn the patterns of `batches`; return the sum of their losses, each taken before its step."""

    def measure_curvature(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> None:
        """Set the curvature to its mean over these digits (PIEEE98 App. C)."""

    def gradient(self, images: NDArray[np.floating], labels: NDArray[np.uint8]) -> Parameters:
        """Return the gradient of the mean loss of these digits, without dropout; nothing is learnt."""

    def outputs(self, images: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the outputs for `images` (n, rows, columns), shape (n, outputs)."""

    def parameters(self) -> Parameters:
        """Return copies of the network's arrays."""

    def optimiser(self) -> dict[str, Parameters]:
        """Return copies of what the rule remembers besides: per quantity, arrays like the parameters."""

    def load(self, parameters: Parameters, optimiser: Mapping[str, Parameters], steps: int) -> None:
        """Go back to where `steps` steps had been done; an empty `optimiser` is that of the beginning.

        Raises
        ------
        InputError
            If an array is missing or has another shape.
        """


def make_engine(recipe: Recipe, network: NetworkSpec) -> Engine:
    """Return the engine that `recipe` names.

    Raises
    ------
    InputError
        If the engine is not to be had, or the loss does not go with the network.
    """
    match recipe.engine:
        case "numba":
            from retronet.engines.numba_engine import NumbaEngine

            return NumbaEngine(recipe, network)
        case "torch" | "torch-cuda":
            import torch

            from retronet.engines.torch_engine import TorchEngine

            if recipe.engine == "torch-cuda" and not torch.cuda.is_available():
                raise InputError(
                    "The engine 'torch-cuda' needs a graphics card that torch can use; it finds none. "
                    "Set engine to numba or torch."
                )
            return TorchEngine(recipe, network)
