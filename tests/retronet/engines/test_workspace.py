"""Parameters in and out of a machine."""

import numpy as np
import pytest
from support.random_networks import random_network, random_parameters

from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.network import Conv, NetworkSpec, SizedLayer, Tanh, load_network, sized_layers


def is_ragged(sized: SizedLayer) -> bool:
    return isinstance(sized.layer, Conv) and len(sized.weight_shape) == 3


NETWORKS = [load_network("lecun1989"), *(random_network(seed) for seed in range(20))]


def test_networks_have_tables_of_all_sorts() -> None:
    found = [
        sized for network in NETWORKS for sized in sized_layers(network) if isinstance(sized.layer, Conv)
    ]
    assert any(is_ragged(sized) for sized in found)
    assert any(sized.output[0] % 2 for sized in found)
    assert any(not is_ragged(sized) and len(sized.sees[0]) < sized.input[0] for sized in found)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_what_is_loaded_is_read(network: NetworkSpec) -> None:
    workspace = Workspace(network)
    parameters = random_parameters(network, 1, np.float32)
    workspace.load(parameters)
    found = workspace.read()
    assert list(found) == list(parameters)
    for name, array in parameters.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    curvature = {name: np.abs(array) for name, array in parameters.items()}
    workspace.load(curvature, workspace.machine.flat.curvature)
    for name, array in workspace.read(workspace.machine.flat.curvature).items():
        np.testing.assert_array_equal(array, curvature[name], err_msg=name)
    # The parameters themselves stayed as they were.
    for name, array in workspace.read().items():
        np.testing.assert_array_equal(array, parameters[name], err_msg=name)


def test_arrays_read_are_copies() -> None:
    workspace = Workspace(load_network("lecun1989"))
    workspace.read()["h3.weight"][:] = 1
    assert not workspace.read()["h3.weight"].any()


def test_misfits_are_named() -> None:
    network = NetworkSpec("tiny", "", (1, 4, 4), (Conv("c", 3, 3, Tanh()),))
    parameters = random_parameters(network, 0)
    workspace = Workspace(network)
    wrong = {**parameters, "c.bias": np.zeros(4)}
    with pytest.raises(
        InputError, match=r"'c\.bias' has the shape \(4,\); network 'tiny' needs the shape \(3,\)"
    ):
        workspace.load(wrong)
    del parameters["c.weight"]
    with pytest.raises(
        InputError, match=r"'c\.weight' is missing; network 'tiny' needs the shape \(3, 1, 3, 3\)"
    ):
        workspace.load(parameters)
    assert not workspace.machine.flat.parameters.any()
