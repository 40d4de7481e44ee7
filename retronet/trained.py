"""A trained network is one value: what every verb takes, and what training gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from retronet.datasets import Dataset
from retronet.engines.forward import outputs, states_of
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.evaluate import Score, score
from retronet.network import NetworkSpec
from retronet.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with the numbers that it has learnt, and the recipe that says what they were to do.

    Attributes
    ----------
    network
        The network.
    parameters
        Its arrays, named and shaped as `retronet.network.parameter_shapes` says.
    recipe
        Targets and loss are what a score is measured from; a network from elsewhere has the recipe that it
        was imported under.
    mask
        Where parameters were deleted, arrays of 0 and 1 shaped and named like those they belong to: a 0
        stands for a parameter that is 0 and stays so. Empty if none was.

    Raises
    ------
    InputError
        If the arrays are not those of the network, or a deleted parameter is not 0; the message names
        the first.
    """

    network: NetworkSpec
    parameters: Mapping[str, NDArray[np.floating]]
    recipe: Recipe
    mask: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse arrays of another network, and deleted parameters that are not 0."""
        _ = self._workspace
        for name, kept in self.mask.items():
            array = self.parameters.get(name)
            if array is None or array.shape != kept.shape or array[kept == 0].any():
                raise InputError(
                    f"The mask of array '{name}' does not go with it: masks are for arrays of the network, "
                    "in their shape, and 0 only where the array is 0. Prune the network again."
                )

    def __repr__(self) -> str:
        count = sum(array.size for array in self.parameters.values())
        seed = f"seed {self.recipe.seed}"
        gone = f" of which {self.deleted:,} deleted" if self.mask else ""
        return f"Trained({self.network.name}: {count:,} parameters{gone}, recipe {self.recipe.name}, {seed})"

    @property
    def deleted(self) -> int:
        """The number of deleted parameters."""
        return sum(int(np.count_nonzero(kept == 0)) for kept in self.mask.values())

    @cached_property
    def _workspace(self) -> Workspace:
        workspace = Workspace(self.network)
        workspace.load(self.parameters)
        return workspace

    def outputs(self, images: NDArray[np.floating], dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
        """Return the outputs for `images` (n, rows, columns) in the precision `dtype`, shape (n, classes).

        Raises
        ------
        InputError
            If the images have another size than the network reads.
        """
        if np.dtype(dtype) == self._workspace.dtype:
            return outputs(self._workspace, images)
        workspace = Workspace(self.network, dtype)
        workspace.load(self.parameters)
        return outputs(workspace, images)

    def states(self, images: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """Return every layer's states for `images`, by layer, each of shape (n, planes, rows, columns).

        Raises
        ------
        InputError
            If the images have another size than the network reads.
        """
        return states_of(self._workspace, images)

    def score(self, digits: Dataset) -> Score:
        """Return the score on `digits`, from the recipe's targets and in the unit of its loss."""
        return score(self.outputs(digits.images), digits.labels, self.recipe.targets, self.recipe.loss)
