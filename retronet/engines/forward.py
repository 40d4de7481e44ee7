"""Runs digits through a network in floating point."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.kernels.passes import run_forward
from retronet.network import NetworkSpec


def layer_states(
    network: NetworkSpec, parameters: Mapping[str, NDArray[np.floating]], images: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Return every layer's states, in single precision.

    Parameters
    ----------
    network
        The network.
    parameters
        Its arrays, by name.
    images
        Digits, shape (n, rows, columns).

    Returns
    -------
    dict
        For each layer's name an array (n, planes, rows, columns).

    Raises
    ------
    InputError
        If parameters or images do not fit the network.
    """
    workspace = Workspace(network)
    workspace.load(parameters)
    return states_of(workspace, images)


def states_of(workspace: Workspace, images: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
    """Return every layer's states for `images` (n, rows, columns), by layer: (n, planes, rows, columns)."""
    states = run(workspace, images, first=0)
    by_layer: dict[str, NDArray[np.float32]] = {}
    start = 0
    for sized in workspace.sized_layers:
        by_layer[sized.name] = states[:, start : start + sized.units].reshape(len(images), *sized.output)
        start += sized.units
    return by_layer


def outputs(workspace: Workspace, images: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the network's outputs for `images` (n, rows, columns), shape (n, outputs)."""
    return run(workspace, images, first=len(workspace.sized_layers) - 1)


def run(workspace: Workspace, images: NDArray[np.floating], first: int) -> NDArray[np.floating]:
    """Return the states of the layers from number `first` up, side by side, shape (n, units)."""
    check_images(workspace.network, images)
    units = np.array([sized.units for sized in workspace.sized_layers])
    states = np.empty((len(images), int(units[first:].sum())), workspace.dtype)
    run_forward(workspace.answering, np.ascontiguousarray(images, workspace.dtype), first, units, states)
    return states


def check_images(network: NetworkSpec, images: NDArray[np.floating]) -> None:
    """Refuse images of another shape than the network reads.

    Raises
    ------
    InputError
        If `images` is not (n, rows, columns) with the network's rows and columns.
    """
    planes, rows, columns = network.input
    if planes != 1 or images.shape[1:] != (rows, columns):
        has = "×".join(str(size) for size in images.shape[1:])
        needed = f"{rows}×{columns}" if planes == 1 else f"{planes} planes of {rows}×{columns}"
        raise InputError(
            f"The digits are {has}; network '{network.name}' reads {needed}. "
            "Choose a data set or preparation of that size."
        )
