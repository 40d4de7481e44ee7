"""A trained network as one value."""

import numpy as np
import pytest
from support.random_networks import random_parameters
from support.small_runs import NETWORK, small_recipe

import retronet
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.evaluate import score
from retronet.network import NetworkSpec, parameter_shapes
from retronet.trained import Trained
from retronet.training.train import PassRecord

PARAMETERS = random_parameters(NETWORK, 1, np.float32)
TRAINED = Trained(NETWORK, PARAMETERS, small_recipe())


def images(network: NetworkSpec, count: int) -> np.ndarray:
    rows, columns = network.input[1:]
    return np.random.default_rng(2).uniform(-1, 1, (count, rows, columns)).astype(np.float32)


def test_outputs_are_the_last_states() -> None:
    some = images(NETWORK, 3)
    states = layer_states(NETWORK, PARAMETERS, some)
    last = NETWORK.layers[-1].name
    assert TRAINED.outputs(some).tobytes() == states[last].tobytes()
    assert {name: array.tobytes() for name, array in TRAINED.states(some).items()} == {
        name: array.tobytes() for name, array in states.items()
    }


def test_double_precision_is_another_arithmetic_on_the_same_numbers() -> None:
    some = images(NETWORK, 2)
    double = TRAINED.outputs(some, np.float64)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, TRAINED.outputs(some), rtol=1e-4, atol=1e-5)


def test_arrays_of_another_network_are_refused() -> None:
    name = next(iter(parameter_shapes(NETWORK)))
    with pytest.raises(InputError, match=rf"'{name}' is missing.*needs the shape"):
        Trained(NETWORK, {key: array for key, array in PARAMETERS.items() if key != name}, TRAINED.recipe)
    with pytest.raises(InputError, match=rf"'{name}' has the shape \(2,\)"):
        Trained(NETWORK, {**PARAMETERS, name: np.zeros(2, np.float32)}, TRAINED.recipe)


def test_training_gives_it_and_it_prints_in_a_line() -> None:
    digits = retronet.load_digits("digits5k")
    told: list[object] = []
    trained = retronet.train("lecun1989", digits, seed=3, passes=1, changes={"take": 50}, tell=told.append)
    assert isinstance(told[-1], PassRecord)
    assert repr(trained) == "Trained(lecun1989: 9,760 parameters, recipe lecun1989, seed 3)"
    recipe = trained.recipe
    assert (recipe.data, recipe.passes, recipe.seed) == (digits.train.provenance.name, 1, 3)
    expected = score(trained.outputs(digits.test.images), digits.test.labels, recipe.targets, recipe.loss)
    assert trained.score(digits.test) == expected


def test_the_package_shows_its_verbs_and_only_those() -> None:
    assert "train" in dir(retronet)
    assert all(getattr(retronet, name) is not None for name in dir(retronet))
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        _ = retronet.simulate  # type: ignore[attr-defined]
