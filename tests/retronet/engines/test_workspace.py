"""Parameters in and out of a machine."""

import numpy as np
import pytest
from support.random_networks import random_network, random_parameters

from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.network import Conv, NetworkSpec, Place, Tanh, load_network, places


def is_ragged(place: Place) -> bool:
    return isinstance(place.layer, Conv) and len(place.weight_shape) == 3


NETWORKS = [load_network("lecun1989"), *(random_network(seed) for seed in range(20))]


def test_networks_have_tables_of_all_sorts() -> None:
    found = [place for network in NETWORKS for place in places(network) if isinstance(place.layer, Conv)]
    assert any(is_ragged(place) for place in found)
    assert any(place.output[0] % 2 for place in found)
    assert any(not is_ragged(place) and len(place.sees[0]) < place.input[0] for place in found)


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
