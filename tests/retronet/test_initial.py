"""Initial parameters: the papers' ranges, the documented order of draws, and that biases count or not."""

import msgspec
import numpy as np
import pytest

from retronet.initial import initial_parameters
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh, load_network, parameter_shapes
from retronet.recipe import Uniform

NETWORK = load_network("lecun1989")
DRAWN = Uniform(2.4, "fan-in", "drawn")
ZERO = Uniform(2.4, "fan-in", "zero")
FAN_IN = {"h1": 25, "h2": 200, "h3": 192, "output": 30}


@pytest.mark.parametrize(
    ("initial", "bounds"),
    [
        (DRAWN, {"h1": 2.4 / 26, "h2": 2.4 / 201, "h3": 2.4 / 193, "output": 2.4 / 31}),
        (ZERO, {"h1": 0.096, "h2": 0.012, "h3": 0.0125, "output": 0.08}),
        (Uniform(1.0, "root-fan-in", "zero"), {name: fan_in**-0.5 for name, fan_in in FAN_IN.items()}),
    ],
)
def test_weights_fill_their_range_evenly(initial: Uniform, bounds: dict[str, float]) -> None:
    """Ranges of papers.md §1.3, with the bias counted in the fan-in and without."""
    found = initial_parameters(NETWORK, initial, 0)

    assert {name: array.shape for name, array in found.items()} == parameter_shapes(NETWORK)
    for layer, bound in bounds.items():
        weights = found[f"{layer}.weight"]
        assert 0.97 * bound < np.abs(weights).max() <= bound
        assert weights.std() == pytest.approx(bound / np.sqrt(3), rel=0.08)
        assert abs(weights.mean()) < 4 * bound / np.sqrt(3 * weights.size)
        biases = found[f"{layer}.bias"]
        if initial.bias == "zero":
            assert not biases.any()
        else:
            assert np.abs(biases).max() <= bound
            assert np.unique(biases).size == biases.size


def test_draws_are_one_stream_in_the_order_of_the_arrays() -> None:
    """Layer by layer from the input, weights before biases: so one changed layer leaves those below alone."""
    found = initial_parameters(NETWORK, DRAWN, 7)

    stream = np.random.default_rng(7)
    for name, shape in parameter_shapes(NETWORK).items():
        bound = 2.4 / (FAN_IN[name.partition(".")[0]] + 1)
        np.testing.assert_allclose(found[name], stream.uniform(-1, 1, shape) * bound, rtol=1e-15)


def test_each_kernel_has_the_range_of_its_own_map() -> None:
    """Maps that see different numbers of planes have different fan-ins; a coefficient counts its block."""
    sees = ((0,), (0, 1, 2), (1, 2))
    network = NetworkSpec(
        "ragged",
        "",
        (3, 40, 40),
        (Conv("a", 3, 20, Tanh(), sees=sees), Subsample("b", 3, Tanh()), Dense("c", 2, Tanh())),
    )
    found = initial_parameters(network, DRAWN, 0)

    kernels = [found["a.weight"][:1], found["a.weight"][1:4], found["a.weight"][4:]]
    for seen, kernel, bias in zip(sees, kernels, found["a.bias"], strict=True):
        bound = 2.4 / (400 * len(seen) + 1)
        assert 0.97 * bound < np.abs(kernel).max() <= bound
        assert abs(bias) <= bound
    assert found["b.weight"].shape == (3,)
    assert (np.abs(found["b.weight"]) <= 2.4 / 10).all()
    assert np.abs(found["b.weight"]).max() > 2.4 / 400


def test_a_seed_gives_its_bytes_and_another_gives_others() -> None:
    def drawn(seed: int) -> bytes:
        return b"".join(array.tobytes() for array in initial_parameters(NETWORK, DRAWN, seed).values())

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_layers_do_not_repeat_each_others_draws() -> None:
    twins = msgspec.structs.replace(
        NETWORK, layers=(Dense("a", 256, Tanh()), Dense("b", 256, Tanh()), Dense("c", 256, Tanh()))
    )
    found = initial_parameters(twins, DRAWN, 0)

    arrays = [found[f"{name}.weight"].ravel() for name in "abc"]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(arrays[first], arrays[second])[0, 1]) < 0.02
