"""A network on a NET32K: the chip without errors against plain Python, splitting, thresholds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.analog_network import RECIPE, TANH, compiled, draw, wide
from support.chip_files import like
from support.reference_analog import net32k_states

from hw_sim.chips.load import load_chip
from hw_sim.chips.net32k.errors import parts_on_chip
from hw_sim.chips.net32k.network import net32k_network
from hw_sim.chips.net32k.options import Net32kOptions, net32k_options
from hw_sim.chips.net32k.report import run_chip, run_net32k
from retronet.errors import InputError
from retronet.network import Dense, NetworkSpec, Tanh
from retronet.trained import Trained

NET32K = load_chip("net32k")
EXACT = Net32kOptions(layers=4, accuracy=0.0)


@compiled
@pytest.mark.parametrize(
    ("weights", "state_bits", "input_bits"),
    [("1-bit", 1, 1), ("1-bit", 3, 4), ("2-bit", 2, 2), ("3-bit", 2, 1), ("4-bit", 2, 2), ("ternary", 3, 3)],
)
def test_a_chip_without_errors_is_its_integer_model_bit_for_bit(
    weights: Any, state_bits: Any, input_bits: Any
) -> None:
    trained, digits = draw()
    options = replace(EXACT, weights=weights, state_bits=state_bits, input_bits=input_bits)
    network = net32k_network(NET32K, trained, digits.train.images, options)
    pixels = network.pixels(digits.test.images)
    found = run_chip(network, parts_on_chip(network, (0, 0)), pixels)
    for image in (0, 1, 127, 128, 149):
        planes = [[[int(state) for state in row] for row in pixels[image].reshape(9, 9)]]
        wanted = np.array(net32k_states(network, planes)[-1]).reshape(-1)
        np.testing.assert_array_equal(found[image], wanted)
    assert set(np.unique(found)) == set(network.layers[-1].levels.tolist())
    assert not np.any(network.layers[0].levels % 2 == 0)


@pytest.mark.parametrize(
    ("weights", "input_bits", "sizes", "blocks"),
    [
        ("1-bit", 1, [360], 3),
        ("1-bit", 2, [360], 6),  # 3 · 1 · 2 blocks of 128
        ("2-bit", 2, [180, 180], 8),  # 1,024 one-bit products hold 256 of 2 × 2 bits
        ("4-bit", 2, [120, 120, 120], 8),  # and 128 of 4 × 2
        ("1-bit", 4, [180, 180], 8),
    ],
)
def test_sums_stay_within_1024_connections_and_longer_ones_are_split(
    weights: Any, input_bits: Any, sizes: list[int], blocks: int
) -> None:
    trained, train, test = wide()
    options = Net32kOptions(layers=2, weights=weights, input_bits=input_bits, state_bits=1, accuracy=0.0)
    network = net32k_network(NET32K, trained, train, options)
    layer = network.layers[0]
    assert [part.weights.shape[1] for part in layer.parts] == sizes
    assert layer.blocks == blocks
    found = run_chip(network, parts_on_chip(network, None), network.pixels(test))
    for image in (0, 139):
        planes = [network.pixels(test)[image].astype(int).reshape(9, 40).tolist()]
        wanted = np.array(net32k_states(network, planes)[-1]).reshape(-1)
        np.testing.assert_array_equal(found[image], wanted)
    if len(sizes) > 1:
        assert all(len(part.values) == 8 and part.references.shape == (3, 7) for part in layer.parts)


@pytest.mark.parametrize(
    ("sizes", "options", "parts", "blocks"),
    [
        ({"inputs": 64}, {"weights": "1-bit", "input_bits": 1}, [360], 6),
        ({"inputs": 10, "max_joined": 4}, {"weights": "1-bit", "input_bits": 2}, [20] * 18, 4),
        ({"max_joined": 1, "neurons": 1, "groups": 1}, {}, [120, 120, 120], 1),
        ({"inputs": 256, "max_joined": 16}, {"weights": "4-bit", "input_bits": 4}, [180, 180], 16),
        ({"inputs": 512}, {"weights": "ternary", "input_bits": 2}, [360], 4),
    ],
)
def test_a_chip_of_other_sizes_is_its_integer_model_bit_for_bit(
    tmp_path: Path, sizes: dict[str, float], options: dict[str, Any], parts: list[int], blocks: int
) -> None:
    trained, train, test = wide()
    chip = load_chip(str(like(tmp_path, "net32k", **sizes)))
    asked = replace(net32k_options(chip), layers=1, accuracy=0.0, **options)
    network = net32k_network(chip, trained, train, asked)
    (layer,) = network.layers
    assert [part.weights.shape[1] for part in layer.parts] == parts
    assert layer.blocks == blocks
    found = run_chip(network, parts_on_chip(network, None), network.pixels(test))
    for image in (0, 139):
        planes = [network.pixels(test)[image].astype(int).reshape(9, 40).tolist()]
        wanted = np.array(net32k_states(network, planes)[-1]).reshape(-1)
        np.testing.assert_array_equal(found[image], wanted)


def test_weights_and_states_that_need_more_blocks_than_join_are_refused() -> None:
    trained, digits = draw()
    options = replace(EXACT, weights="4-bit", input_bits=3)
    with pytest.raises(InputError, match="need 12 blocks; at most 8 join"):
        run_net32k(NET32K, trained, digits, options, chips=1)


@compiled
def test_thresholds_follow_the_network_and_not_the_scale_of_its_cells() -> None:
    # One-bit weights of one size carry the whole network: only thresholds can be wrong.
    generator = np.random.default_rng(5)
    signs = generator.choice([-0.05, 0.05], (30, 64)).astype(np.float32)
    network = NetworkSpec("signs", "", (1, 8, 8), (Dense("a", 30, Tanh(1.0, 40.0)), Dense("o", 10, TANH)))
    parameters: dict[str, Any] = {
        "a.weight": signs,
        "a.bias": generator.normal(0, 0.2, 30).astype(np.float32),
        "o.weight": generator.normal(0, 1, (10, 30)).astype(np.float32),
        "o.bias": np.zeros(10, np.float32),
    }
    images = generator.choice([-1.0, 1.0], (500, 8, 8)).astype(np.float32)
    options = Net32kOptions(layers=1, weights="1-bit", state_bits=1, input_bits=1, accuracy=0.0)
    mapped = net32k_network(NET32K, Trained(network, parameters, RECIPE), images, options)
    chip = run_chip(mapped, parts_on_chip(mapped, None), mapped.pixels(images))
    sums = images.reshape(500, -1).astype(np.float64) @ signs.T + parameters["a.bias"]
    clear = np.abs(sums) > 0.06  # a threshold is a whole number, a step of the sum 0.1
    np.testing.assert_array_equal(chip[clear] > 0, sums[clear] > 0)
    assert clear.mean() > 0.8
