"""A network on an ANNA: the chip without errors against plain Python, its errors against their sizes."""

import dataclasses
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from support.analog_network import compiled, draw
from support.chip_files import like
from support.interpreted import compiled_and_interpreted
from support.reference_analog import anna_states

from hw_sim.chips.analog.layers import AnalogLayer, run_analog
from hw_sim.chips.anna.network import AnnaNetwork, anna_network, layers_on_chip
from hw_sim.chips.anna.options import AnnaOptions, anna_options
from hw_sim.chips.load import load_chip
from retronet.connections import weight_rows
from retronet.errors import InputError

ANNA = load_chip("anna")


Pair = tuple[tuple[AnalogLayer, ...], tuple[AnalogLayer, ...]]
QUIET: dict[str, Any] = {"noise": 0.0, "offset": 0.0, "mismatch": 0.0, "droop": 0.0}


@compiled
@pytest.mark.parametrize(
    ("weights", "states", "scales", "bias"),
    [
        *product(
            ["sign-magnitude", "twos-complement", "no-zero"],
            ["mid-tread", "twos-complement", "mid-rise"],
            ["linear"],
            ["cells"],
        ),
        ("sign-magnitude", "mid-tread", "powers-of-two", "fine"),
        ("no-zero", "mid-rise", "powers-of-two", "cells"),
    ],
)
def test_a_chip_without_errors_is_its_integer_model_bit_for_bit(
    weights: Any, states: Any, scales: Any, bias: Any
) -> None:
    trained, digits = draw()
    options = AnnaOptions(weights=weights, states=states, scales=scales, bias=bias, **QUIET)
    network = anna_network(ANNA, trained, digits.train.images, options)
    pixels = network.pixels(digits.test.images[:130])  # more than the lanes
    found = run_analog(layers_on_chip(network, (0, 0)), pixels, (0, 0), last_only=False)
    reached = set()
    for image in (0, 1, 127, 128, 129):
        planes = [[[int(state) for state in row] for row in pixels[image].reshape(9, 9)]]
        for states_found, wanted in zip(found, anna_states(network, planes), strict=True):
            expected = np.array(wanted).reshape(-1)
            np.testing.assert_array_equal(states_found[image], expected)
            reached |= set(expected.tolist())
    assert reached == set(network.levels.tolist())


@compiled
@pytest.mark.parametrize(
    ("sizes", "options"),
    [
        ({"neurons": 4, "inputs": 64, "weight_bits": 2, "state_bits": 1}, {}),
        ({"neurons": 1, "inputs": 48, "weight_bits": 1, "state_bits": 1}, {}),
        ({"neurons": 3, "weight_bits": 9, "state_bits": 5}, {"weights": "no-zero", "states": "mid-rise"}),
        ({"weight_bits": 4, "state_bits": 8}, {"weights": "twos-complement", "states": "twos-complement"}),
    ],
)
def test_a_chip_of_other_sizes_is_its_integer_model_bit_for_bit(
    tmp_path: Path, sizes: dict[str, float], options: dict[str, Any]
) -> None:
    trained, digits = draw()
    chip = load_chip(str(like(tmp_path, "anna", **sizes)))
    network = anna_network(
        chip, trained, digits.train.images, replace(anna_options(chip), **QUIET, **options)
    )
    half = 2 ** sizes["weight_bits"]
    weights = np.concatenate([layer.weights.ravel() for layer in network.layers])
    assert np.abs(weights).max() <= half
    assert len(np.unique(weights[weights != 0])) <= half
    assert len(network.levels) in (2 ** sizes["state_bits"], 2 ** sizes["state_bits"] - 1)
    pixels = network.pixels(digits.test.images)
    found = run_analog(layers_on_chip(network, (0, 0)), pixels, (0, 0), last_only=False)
    for image in (0, 149):
        planes = [[[int(state) for state in row] for row in pixels[image].reshape(9, 9)]]
        for states, wanted in zip(found, anna_states(network, planes), strict=True):
            np.testing.assert_array_equal(states[image], np.array(wanted).reshape(-1))


def test_maps_share_the_converters_that_there_are(tmp_path: Path) -> None:
    trained, digits = draw()
    for neurons in (1, 4, 8):
        chip = load_chip(str(like(tmp_path, "anna", neurons=neurons)))
        network = anna_network(chip, trained, digits.train.images, AnnaOptions(**{**QUIET, "offset": 0.1}))
        ideal, drawn = (layers_on_chip(network, seed)[0].references[::81] for seed in (None, (0, 0)))
        offsets = ((drawn - ideal) / (network.converter_step / network.layers[0].factors)[:, np.newaxis])[
            :, 0
        ]
        for one, other in product(range(9), repeat=2):
            assert np.isclose(offsets[one], offsets[other], atol=1e-4) == (one % neurons == other % neurons)


def test_sums_longer_than_the_chip_adds_are_refused(tmp_path: Path) -> None:
    trained, digits = draw()
    chip = load_chip(str(like(tmp_path, "anna", inputs=47)))
    message = (
        r"'d' can not run on ANNA: it sums 48 products; at most 47 are added before .*engine\.inputs is 47; "
        r"from 48 to 65,536 are allowed.* float_layers=2"
    )
    with pytest.raises(InputError, match=message):
        anna_network(chip, trained, digits.train.images)
    assert anna_network(chip, trained, digits.train.images, AnnaOptions(float_layers=2)).layers


def test_sums_that_no_number_holds_exactly_are_refused(tmp_path: Path) -> None:
    trained, digits = draw()
    chip = load_chip(str(like(tmp_path, "anna", weight_bits=12, state_bits=8)))
    with pytest.raises(
        InputError, match=r"its sums may reach [\d,]+ steps; numbers below 16,777,216 are exact"
    ):
        anna_network(chip, trained, digits.train.images, AnnaOptions(weights="no-zero", states="mid-rise"))


def test_weights_are_the_nearest_levels_at_the_least_factor_that_holds_them() -> None:
    trained, digits = draw(1)
    for scales in ("linear", "powers-of-two"):
        options = AnnaOptions(scales=scales)
        network = anna_network(ANNA, trained, digits.train.images, options)
        assert max(layer.factors.max() for layer in network.layers) == options.factors[-1]
        for layer in network.layers:
            real = weight_rows(
                layer.sized, trained.parameters[f"{layer.sized.name}.weight"].astype(np.float64)
            )
            steps = layer.weight_steps[:, np.newaxis]
            assert np.all(np.abs(layer.weights * steps - real) <= steps * 0.5000001)
            assert layer.clipped == 0
            below = {int(b): int(a) for a, b in pairwise(options.factors)}
            for row, factor, step in zip(real, layer.factors, layer.weight_steps, strict=True):
                if int(factor) in below:
                    assert np.abs(row).max() > 31 * step * below[int(factor)] / factor


def test_twos_complement_has_a_level_more_for_negative_weights() -> None:
    trained, digits = draw(1)
    ends = {}
    for weights in ("sign-magnitude", "twos-complement", "no-zero"):
        options = AnnaOptions(weights=weights)  # type: ignore[arg-type]
        layers = anna_network(ANNA, trained, digits.train.images, options).layers
        ends[weights] = (
            min(layer.weights.min() for layer in layers),
            max(layer.weights.max() for layer in layers),
        )
        assert all(layer.clipped == 0 for layer in layers)
    assert ends["sign-magnitude"] == (-31, 31)
    assert ends["twos-complement"][0] == -32
    assert ends["twos-complement"][1] <= 31
    assert ends["no-zero"][0] == -63 or ends["no-zero"][1] == 63


def test_a_converter_of_a_stated_step_clips_what_it_can_not_hold() -> None:
    trained, digits = draw(1)
    fitted = anna_network(ANNA, trained, digits.train.images, AnnaOptions())
    stated = anna_network(
        ANNA, trained, digits.train.images, AnnaOptions(converter_step=4 * fitted.converter_step)
    )
    assert sum(layer.clipped for layer in stated.layers) > 0
    assert all((np.abs(layer.weights) <= 31).all() for layer in stated.layers)
    kept = [a.weight_steps / b.weight_steps for a, b in zip(stated.layers, fitted.layers, strict=True)]
    assert all(np.all(ratio <= 1.0) for ratio in kept)


@compiled
def test_fitted_states_follow_the_network_in_floating_point() -> None:
    trained, digits = draw(2, images=300)
    halved = {name: array * np.float32(0.5) for name, array in trained.parameters.items()}
    trained = dataclasses.replace(trained, parameters=halved)
    network = anna_network(ANNA, trained, digits.train.images, AnnaOptions(**QUIET))
    chip = run_analog(
        layers_on_chip(network, None), network.pixels(digits.test.images), (0,), last_only=False
    )
    exact = trained.states(digits.test.images)
    for layer, states in zip(network.layers, chip, strict=True):
        wanted = exact[layer.sized.name].reshape(len(states), -1)
        assert np.corrcoef((states * layer.state_step).ravel(), wanted.ravel())[0, 1] > 0.85


@compiled
def test_fixed_errors_have_the_sizes_asked_for() -> None:
    trained, digits = draw()

    def chips(**errors: float) -> tuple[AnnaNetwork, list[Pair]]:
        network = anna_network(ANNA, trained, digits.train.images, replace(AnnaOptions(**QUIET), **errors))
        ideal = layers_on_chip(network, None)
        return network, [(ideal, layers_on_chip(network, (0, chip))) for chip in range(60)]

    def ratios_of(pairs: list[Pair]) -> NDArray[np.floating]:
        used = pairs[0][0][2].weights != 0
        return np.concatenate([chip[2].weights[used] / ideal[2].weights[used] for ideal, chip in pairs])

    ratios = ratios_of(chips(mismatch=0.03)[1])
    assert np.std(ratios - 1) == pytest.approx(0.03, rel=0.05)
    assert np.mean(ratios) == pytest.approx(1, abs=0.002)
    ratios = ratios_of(chips(droop=0.2)[1])
    assert 0.8 <= ratios.min() < 0.81
    assert 0.99 < ratios.max() <= 1
    network, pairs = chips(offset=0.05)
    steps = network.converter_step / np.repeat(network.layers[0].factors, 81)[:, np.newaxis]
    moved = np.array([((b[0].references - a[0].references) / steps)[::81] for a, b in pairs])
    assert np.std(moved) / 8 == pytest.approx(0.05, rel=0.1)
    # Nine maps on eight converters: the first and the last share one, and all of its comparators.
    np.testing.assert_allclose(moved[:, 0], moved[:, 8], atol=1e-5)
    np.testing.assert_allclose(moved[:, :, :1] + 0 * moved, moved, atol=1e-4)
    assert abs(moved[:, 0, 0] - moved[:, 1, 0]).min() > 0


def test_a_chip_with_errors_is_the_same_bytes_with_and_without_compiled_code() -> None:
    compiled_code, interpreted = compiled_and_interpreted("analog_network")
    assert compiled_code == interpreted != ""
