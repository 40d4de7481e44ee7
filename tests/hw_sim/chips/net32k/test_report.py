"""NET32K: the chip without errors against plain Python, cells, splitting, and the laws of mismatch."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from support.analog_network import NETWORK, TANH, compiled, draw
from support.reference_analog import net32k_states
from support.trained_run import train_briefly

from hw_sim.chips.net32k.errors import cell_signs, on_chip
from hw_sim.chips.net32k.network import Net32kNetwork, Net32kOptions, net32k_network
from hw_sim.chips.net32k.report import precision_rows, run_chip, run_net32k
from retronet.datasets import load
from retronet.errors import InputError
from retronet.network import Dense, NetworkSpec, Tanh

EXACT = Net32kOptions(layers=4, accuracy=0.0)


@compiled
@pytest.mark.parametrize(
    ("weights", "state_bits", "input_bits"),
    [("1-bit", 1, 1), ("1-bit", 3, 4), ("2-bit", 2, 2), ("3-bit", 2, 1), ("4-bit", 2, 2), ("ternary", 3, 3)],
)
def test_a_chip_without_errors_is_its_integer_model_bit_for_bit(
    weights: Any, state_bits: Any, input_bits: Any
) -> None:
    parameters, digits = draw()
    options = replace(EXACT, weights=weights, state_bits=state_bits, input_bits=input_bits)
    network = net32k_network(NETWORK, parameters, digits.train.images, options)
    pixels = network.pixels(digits.test.images)
    found = run_chip(network, on_chip(network, (0, 0)), pixels)
    for image in (0, 1, 127, 128, 149):
        planes = [[[int(state) for state in row] for row in pixels[image].reshape(9, 9)]]
        wanted = np.array(net32k_states(network, planes)[-1]).reshape(-1)
        np.testing.assert_array_equal(found[image], wanted)
    assert set(np.unique(found)) == set(network.layers[-1].levels.tolist())
    assert not np.any(network.layers[0].levels % 2 == 0)


WIDE = NetworkSpec(
    "wide", "", (1, 9, 40), (Dense("a", 3, TANH), Dense("b", 4, TANH), Dense("output", 10, TANH))
)


def wide() -> tuple[dict[str, Any], Any, Any]:
    """Return parameters, training and test images of a network with 360 inputs."""
    generator = np.random.default_rng(3)
    shapes = {"a": (3, 360), "b": (4, 3), "output": (10, 4)}
    parameters: dict[str, Any] = {}
    for name, (units, inputs) in shapes.items():
        parameters[f"{name}.weight"] = generator.normal(0, inputs**-0.5, (units, inputs)).astype(np.float32)
        parameters[f"{name}.bias"] = generator.normal(0, 0.1, units).astype(np.float32)
    images = generator.uniform(-1, 1, (2, 140, 9, 40)).astype(np.float32)
    return parameters, images[0], images[1]


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
    parameters, train, test = wide()
    options = Net32kOptions(layers=2, weights=weights, input_bits=input_bits, state_bits=1, accuracy=0.0)
    network = net32k_network(WIDE, parameters, train, options)
    layer = network.layers[0]
    assert [part.weights.shape[1] for part in layer.parts] == sizes
    assert layer.blocks == blocks
    found = run_chip(network, on_chip(network, None), network.pixels(test))
    for image in (0, 139):
        planes = [network.pixels(test)[image].astype(int).reshape(9, 40).tolist()]
        wanted = np.array(net32k_states(network, planes)[-1]).reshape(-1)
        np.testing.assert_array_equal(found[image], wanted)
    if len(sizes) > 1:
        assert all(len(part.values) == 8 and part.references.shape == (3, 7) for part in layer.parts)


def test_weights_and_states_that_need_more_blocks_than_join_are_refused() -> None:
    parameters, digits = draw()
    options = replace(EXACT, weights="4-bit", input_bits=3)
    with pytest.raises(InputError, match="need 12 blocks; at most 8 join"):
        run_net32k(NETWORK, parameters, digits, options, chips=1)


def test_cells_are_signs_that_add_up_to_the_weight() -> None:
    for weights in ("1-bit", "2-bit", "3-bit", "4-bit", "ternary"):
        options = Net32kOptions(weights=weights)  # type: ignore[arg-type]
        levels = options.weight_levels
        cells = cell_signs(levels[np.newaxis], options)
        assert set(np.unique(cells)) == {-1, 1}
        np.testing.assert_array_equal(np.tensordot(options.cell_factors, cells, (0, 1))[0], levels)
        assert (0 in levels) == (weights == "ternary")
    assert Net32kOptions(weights="4-bit").weight_levels.tolist() == list(range(-15, 16, 2))


def drawn(law: Any, accuracy: float, chips: int = 200) -> tuple[Net32kNetwork, Any, list[Any]]:
    """Return a network of two layers in one part each, on the chip without errors and on many."""
    parameters, train, _ = wide()
    options = Net32kOptions(layers=2, weights="2-bit", input_bits=1, state_bits=2, law=law, accuracy=accuracy)
    network = net32k_network(WIDE, parameters, train, options)
    return network, on_chip(network, None), [on_chip(network, (0, chip)) for chip in range(chips)]


def test_a_comparator_set_to_100_connections_fires_as_far_off_as_asked() -> None:
    for law in ("reference", "count"):
        _, ideal, chips = drawn(law, 0.045)
        wanted = ideal[0][0].references.astype(np.float64)
        found = np.array([chip[0][0].references for chip in chips])
        # A sum of weights ±3 and inputs ±1 over 360 products counts from −1,080.
        zero = 1080.0 if law == "count" else 0.0
        shares = (found + zero) / (wanted + zero) - 1
        assert np.std(shares) == pytest.approx(0.045, rel=0.05)
        assert abs(np.mean(shares)) < 0.004
        np.testing.assert_array_equal(chips[0][0][0].weights, ideal[0][0].weights)
        assert len(np.unique(shares[:, 0, 0].round(9))) == len(chips)


def test_blocks_and_cells_are_off_each_by_itself() -> None:
    network, ideal, chips = drawn("block", 0.045)
    weights = network.layers[0].parts[0].weights
    extreme = np.abs(weights) == 3
    ratios = np.array([chip[0][0].weights for chip in chips]) / weights
    for first, last in ((0, 128), (128, 256), (256, 360)):
        inside = ratios[:, :, first:last][:, extreme[:, first:last]].reshape(len(chips), -1)
        one = ratios[:, 0, first:last][:, extreme[0, first:last]]
        np.testing.assert_allclose(one, np.repeat(one[:, :1], one.shape[1], axis=1), rtol=1e-6)
        # Cells of factors 2 and 1 in blocks of their own: 4.5 % · √(2² + 1²) / 3.
        assert np.std(inside) == pytest.approx(0.045 * 5**0.5 / 3, rel=0.1)
    assert abs(ratios[:, 0, 0] - ratios[:, 0, 200]).max() > 0.01
    np.testing.assert_array_equal(chips[0][0][0].references, ideal[0][0].references)
    _, _, chips = drawn("cell", 0.045, 20)
    ratios = np.array([chip[0][0].weights for chip in chips]) / weights
    assert np.std(ratios[:, extreme]) == pytest.approx(0.045 * 5**0.5 / 3, rel=0.05)
    assert abs(np.corrcoef(ratios[:, 0, extreme[0]][:, 0], ratios[:, 0, extreme[0]][:, 1])[0, 1]) < 0.8
    assert len(np.unique(ratios[0, 0, extreme[0]].round(6))) > 50


def test_a_ternary_zero_of_two_cells_is_no_longer_zero_on_a_chip() -> None:
    parameters, train, _ = wide()
    options = Net32kOptions(layers=1, weights="ternary", input_bits=1, law="cell", accuracy=0.045)
    network = net32k_network(WIDE, parameters, train, options)
    weights = network.layers[0].parts[0].weights
    assert set(np.unique(weights)) == {-2, 0, 2}
    found = on_chip(network, (0, 0))[0][0].weights
    assert np.std(found[weights == 0]) == pytest.approx(0.045 * 2**0.5, rel=0.15)


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
    mapped = net32k_network(network, parameters, images, options)
    chip = run_chip(mapped, on_chip(mapped, None), mapped.pixels(images))
    sums = images.reshape(500, -1).astype(np.float64) @ signs.T + parameters["a.bias"]
    clear = np.abs(sums) > 0.06  # a threshold is a whole number, a step of the sum 0.1
    np.testing.assert_array_equal(chip[clear] > 0, sums[clear] > 0)
    assert clear.mean() > 0.8


@compiled
def test_a_chip_is_its_seed_and_number_whatever_the_threads() -> None:
    parameters, digits = draw()
    two = run_net32k(NETWORK, parameters, digits, chips=2, seed=7)
    three = run_net32k(NETWORK, parameters, digits, chips=3, seed=7, threads=2)
    assert msgspec.json.encode(two.chips) == msgspec.json.encode(three.chips[:2])
    assert len({chip.mapped.half_mse for chip in three.chips}) == 3
    assert msgspec.json.decode(msgspec.json.encode(three), type=type(three)) == three
    trimmed = replace(Net32kOptions(), accuracy=0.0)
    same = run_net32k(NETWORK, parameters, digits, trimmed, chips=2, retraining=None)
    assert {chip.mapped for chip in same.chips} == {same.ideal.mapped}


@compiled
def test_more_bits_lose_less_on_digits(tmp_path: Path) -> None:
    checkpoint = train_briefly(tmp_path / "run", passes=3).checkpoint()
    digits = load("digits5k", checkpoint.header.recipe.preparation, None)
    parameters, network = checkpoint.state.parameters, checkpoint.header.network
    few = Net32kOptions(weights="1-bit", state_bits=1, input_bits=1)
    many = Net32kOptions(weights="2-bit", state_bits=2, input_bits=2)
    rows = list(precision_rows(network, parameters, digits, (few, many)))
    errors = [row.mapped.error_percent for row in rows]
    retrained = [row.retrained.error_percent for row in rows if row.retrained]
    exact = run_net32k(network, parameters, digits, many, chips=1, retraining=None).reference.error_percent
    assert errors[0] > errors[1] + 5
    assert retrained[0] > retrained[1]
    assert errors[1] < exact + 15
    assert retrained[1] < exact + 4
