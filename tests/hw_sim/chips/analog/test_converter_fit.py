"""Steps of a converter against a search through all of them, sums against their squashed states."""

from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace
from support.analog_network import NETWORK, draw

from hw_sim.chips.analog.converter_fit import check_squashing, fit_converter, spaced, sums_and_states
from retronet.errors import InputError
from retronet.network import NetworkSpec, Rbf, Relu, sized_layers


def error_of(levels: list[int], sums: list[float], states: list[float], step: float, worth: float) -> float:
    """Return the squared error of a converter, one sum at a time."""
    total = 0.0
    for value, wanted in zip(sums, states, strict=True):
        level = levels[0]
        for below, above in pairwise(levels):
            if value / step >= (below + above) / 2:
                level = above
        total += (wanted - worth * level) ** 2
    return total


@pytest.mark.parametrize(
    "levels", [[-3, -2, -1, 0, 1, 2, 3], [-1, 1], [-2, -1, 0, 1], [-7, -5, -3, -1, 1, 3, 5, 7]]
)
def test_no_step_nearby_does_better(levels: list[int]) -> None:
    sums = np.random.default_rng(len(levels)).normal(0, 2, 300)
    states = 1.7 * np.tanh(0.7 * sums)
    step, worth = fit_converter(sums, states, np.array(levels))
    plain = sums.tolist(), states.tolist()
    best = error_of(levels, *plain, step, worth)
    assert best < 0.75 * float(np.sum(states**2))
    for near in (0.97, 1.03):
        assert error_of(levels, *plain, step, near * worth) > best
    spread = float(np.sqrt(np.mean(sums**2)))
    for other in spread / levels[-1] * np.geomspace(0.2, 4.0, 60)[::10]:
        assert error_of(levels, *plain, float(other), worth) >= best - 1e-9


def test_sums_are_what_is_squashed_to_the_states() -> None:
    trained, digits = draw(4)
    images = digits.train.images
    exact = trained.states(images)
    for index, layer in enumerate(NETWORK.layers):
        sums, states = sums_and_states(trained, images, index)
        np.testing.assert_array_equal(states, exact[layer.name].reshape(len(images), -1))
        np.testing.assert_allclose(1.7159 * np.tanh(sums * 2 / 3), states, atol=2e-6)


def test_images_are_evenly_spaced_and_never_none() -> None:
    images = np.arange(1000, dtype=np.float32).reshape(-1, 1, 1)
    assert spaced(images).ravel().tolist() == list(range(0, 1000, 4))
    assert len(spaced(images[:256])) == 256
    with pytest.raises(InputError, match="on no images"):
        spaced(images[:0])


def test_only_a_tanh_has_a_converter() -> None:
    layers = (replace(NETWORK.layers[0], activation=Relu()),)
    relu = sized_layers(replace(NETWORK, layers=layers))[0]
    with pytest.raises(InputError, match="'a' can not run on X: its converter stands for a tanh"):
        check_squashing(relu, "X")
    rbf = sized_layers(NetworkSpec("r", "", (1, 1, 2), (Rbf("codes", (("#.",), (".#",))),)))[0]
    with pytest.raises(InputError, match="'codes' can not run on X"):
        check_squashing(rbf, "X")
    check_squashing(sized_layers(NETWORK)[0], "X")
