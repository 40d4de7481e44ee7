"""States and outputs of whole networks against one connection at a time, and digits of the wrong size."""

import numpy as np
import pytest
from support import reference
from support.random_networks import random_parameters, random_patterns

from retronet.engines.forward import layer_states, outputs
from retronet.engines.workspace import Workspace
from retronet.errors import InputError
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh, sized_layers

NETWORK = NetworkSpec(
    "mixed",
    "",
    (1, 9, 10),
    (
        Conv("a", 3, 3, Tanh(1.7159, 2 / 3), stride=2, pad=1, border=-1.0, bias="unit"),
        Conv("b", 2, 2, Tanh(), sees=((0, 2), (1,))),
        Subsample("c", 2, Tanh()),
        Dense("d", 5, Tanh()),
    ),
)
PARAMETERS = random_parameters(NETWORK, 1)
IMAGES = random_patterns(NETWORK, 2, 3, np.float32)[0]


def test_every_layers_states() -> None:
    found = layer_states(NETWORK, PARAMETERS, IMAGES)

    assert list(found) == ["a", "b", "c", "d"]
    for sized, states in zip(sized_layers(NETWORK), found.values(), strict=True):
        assert (states.shape, states.dtype) == ((3, *sized.output), np.float32)
    for number, image in enumerate(IMAGES):
        expected, _ = reference.forward(NETWORK, PARAMETERS, image)
        for layer, states in zip(expected[1:], found.values(), strict=True):
            np.testing.assert_allclose(states[number], layer, rtol=0, atol=3e-6)


def test_outputs_are_the_last_layers_states() -> None:
    workspace = Workspace(NETWORK)
    workspace.load(PARAMETERS)

    found = outputs(workspace, IMAGES)

    assert found.tobytes() == layer_states(NETWORK, PARAMETERS, IMAGES)["d"].reshape(3, 5).tobytes()
    assert outputs(workspace, IMAGES[:0]).shape == (0, 5)


def test_digits_of_another_size_are_refused() -> None:
    workspace = Workspace(NETWORK)

    with pytest.raises(
        InputError, match=r"The digits are 10×9; network 'mixed' reads 9×10\. Choose a data set"
    ):
        outputs(workspace, np.zeros((2, 10, 9), np.float32))
    two_planes = Workspace(NetworkSpec("two", "", (2, 9, 10), (Dense("d", 5, Tanh()),)))
    with pytest.raises(InputError, match=r"network 'two' reads 2 planes of 9×10"):
        outputs(two_planes, IMAGES)


def test_parameters_of_another_network_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"array 'b\.weight' has the shape \(1,\); network 'mixed' needs"):
        layer_states(NETWORK, PARAMETERS | {"b.weight": np.zeros(1)}, IMAGES)
    with pytest.raises(InputError, match=r"array 'd\.bias' is missing"):
        layer_states(NETWORK, {name: PARAMETERS[name] for name in PARAMETERS if name != "d.bias"}, IMAGES)
