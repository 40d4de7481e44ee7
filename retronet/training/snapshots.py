"""What happens inside a network while it learns: activations, parameters and gradients in summary."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.engines.engine import Engine
from retronet.engines.forward import layer_states
from retronet.network import NetworkSpec


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An array in three numbers; ``largest`` is the greatest magnitude."""

    mean: float
    deviation: float
    largest: float


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"number": "pass"}):
    """A network after `step` steps, in pass `number`.

    Activations (by layer) and gradients (of the mean loss, by parameter) are those of the digits just learnt,
    as the network now is.
    """

    number: int
    step: int
    activations: dict[str, Summary]
    parameters: dict[str, Summary]
    gradients: dict[str, Summary]


def summarise(array: NDArray[np.floating]) -> Summary:
    """Return mean, standard deviation and greatest magnitude of an array."""
    return Summary(float(array.mean()), float(array.std()), float(np.abs(array).max()))


def snapshot(
    number: int,
    step: int,
    engine: Engine,
    network: NetworkSpec,
    images: NDArray[np.floating],
    labels: NDArray[np.uint8],
) -> Snapshot:
    """Return the network in `engine` in summary, for `images` (n, rows, columns) with `labels` (n,)."""
    parameters = engine.parameters()
    states = layer_states(network, parameters, images.astype(np.float32))
    return Snapshot(
        number=number,
        step=step,
        activations={name: summarise(array) for name, array in states.items()},
        parameters={name: summarise(array) for name, array in parameters.items()},
        gradients={name: summarise(array) for name, array in engine.gradient(images, labels).items()},
    )
