"""The layers that a chip leaves to floating point beside it: run, and retrained on what the chip gives."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from retronet.engines.workspace import Parameters, Workspace
from retronet.errors import ChoiceError
from retronet.evaluate import target_matrix
from retronet.kernels.compiling import goal_for
from retronet.kernels.losses import SQUARED
from retronet.kernels.passes import run_forward, train_sgd
from retronet.network import sized_layers
from retronet.trained import Trained

Floats = NDArray[np.float32]


class HostRetraining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the last layers learn again from the states that a chip gives of the training digits.

    Stochastic gradient descent on half the squared error, digits in their order. All of it is assumed: no
    text that was reached says how.
    """

    passes: Annotated[int, msgspec.Meta(ge=1)]
    rate: Annotated[float, msgspec.Meta(gt=0)]


class HostLayers:
    """The last layers of a network, in single precision.

    Parameters
    ----------
    trained
        The whole trained network; the targets are those of its recipe.
    first
        The layer from which on they run here.

    Raises
    ------
    InputError
        If no layer is left on one side or the other.
    """

    def __init__(self, trained: Trained, first: int) -> None:
        network, parameters = trained.network, trained.parameters
        sized = sized_layers(network)
        if not 0 < first < len(sized):
            raise ChoiceError(
                f"Network '{network.name}' can not be parted before layer {first + 1}: it has {len(sized)}; "
                "at least one layer goes on the chip and one stays beside it. Choose another number."
            )
        self._targets = trained.recipe.targets
        self._rest = replace(network, input=sized[first].input, layers=network.layers[first:])
        names = [f"{layer.name}.{part}" for layer in self._rest.layers for part in ("weight", "bias")]
        self.parameters: Parameters = {name: parameters[name] for name in names if name in parameters}

    @property
    def layers(self) -> int:
        """How many layers run here."""
        return len(self._rest.layers)

    def outputs(self, states: Floats, parameters: Parameters | None = None) -> Floats:
        """Return the outputs (n, classes) for real states (n, units) of the layer below."""
        workspace = self._workspace(parameters or self.parameters)
        outputs = np.empty((len(states), workspace.sized_layers[-1].units), np.float32)
        units = np.array([sized.units for sized in workspace.sized_layers])
        run_forward(workspace.answering, self._planes(states), len(units) - 1, units, outputs)
        return outputs

    def retrained(self, states: Floats, labels: NDArray[np.uint8], how: HostRetraining) -> Parameters:
        """Return the parameters after learning from real states of training digits."""
        workspace = self._workspace(self.parameters)
        wanted = target_matrix(self._targets, workspace.sized_layers[-1].units).astype(np.float32)
        planes, order = self._planes(states), np.arange(len(states))
        for _ in range(how.passes):
            train_sgd(workspace.machine, planes, labels, order, goal_for(wanted, SQUARED, 1.0), how.rate)
        return workspace.read()

    def _workspace(self, parameters: Parameters) -> Workspace:
        workspace = Workspace(self._rest)
        workspace.load(parameters)
        return workspace

    def _planes(self, states: Floats) -> Floats:
        """Return states as the kernels read an image: planes one below the other."""
        planes, rows, columns = self._rest.input
        return np.ascontiguousarray(states, np.float32).reshape(len(states), planes * rows, columns)
