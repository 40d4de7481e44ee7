"""ANNA: the chip without errors against plain Python, the errors against what they are said to be."""

import dataclasses
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy.stats import norm
from support.analog_network import NETWORK, compiled, draw
from support.interpreted import compiled_and_interpreted
from support.reference_analog import anna_states
from support.trained_run import train_briefly

from hw_sim.chips.analog.host_layers import HostLayers, HostRetraining
from hw_sim.chips.analog.layers import AnalogLayer, run_analog
from hw_sim.chips.anna.network import STATES, WEIGHTS, AnnaNetwork, AnnaOptions, anna_network, on_chip
from hw_sim.chips.anna.report import run_anna
from retronet.connections import weight_rows
from retronet.datasets import load
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.network import Relu

Pair = tuple[tuple[AnalogLayer, ...], tuple[AnalogLayer, ...]]
QUIET: dict[str, Any] = {"noise": 0.0, "offset": 0.0, "mismatch": 0.0, "droop": 0.0}


@compiled
@pytest.mark.parametrize(
    ("weights", "states", "scales", "bias"),
    [
        *product(WEIGHTS, STATES, ["linear"], ["cells"]),
        ("sign-magnitude", "mid-tread", "powers-of-two", "fine"),
        ("no-zero", "mid-rise", "powers-of-two", "cells"),
    ],
)
def test_a_chip_without_errors_is_its_integer_model_bit_for_bit(
    weights: Any, states: Any, scales: Any, bias: Any
) -> None:
    parameters, digits = draw()
    options = AnnaOptions(weights=weights, states=states, scales=scales, bias=bias, **QUIET)
    network = anna_network(NETWORK, parameters, digits.train.images, options)
    pixels = network.pixels(digits.test.images[:130])  # more than the lanes
    found = run_analog(on_chip(network, (0, 0)), pixels, (0, 0), last_only=False)
    reached = set()
    for image in (0, 1, 127, 128, 129):
        planes = [[[int(state) for state in row] for row in pixels[image].reshape(9, 9)]]
        for states_found, wanted in zip(found, anna_states(network, planes), strict=True):
            expected = np.array(wanted).reshape(-1)
            np.testing.assert_array_equal(states_found[image], expected)
            reached |= set(expected.tolist())
    assert reached == set(network.levels.tolist())


def test_weights_are_the_nearest_levels_at_the_least_factor_that_holds_them() -> None:
    parameters, digits = draw(1)
    for scales in ("linear", "powers-of-two"):
        options = AnnaOptions(scales=scales)
        network = anna_network(NETWORK, parameters, digits.train.images, options)
        assert max(layer.factors.max() for layer in network.layers) == options.factors[-1]
        for layer in network.layers:
            real = weight_rows(layer.sized, parameters[f"{layer.sized.name}.weight"].astype(np.float64))
            steps = layer.weight_steps[:, np.newaxis]
            assert np.all(np.abs(layer.weights * steps - real) <= steps * 0.5000001)
            assert layer.clipped == 0
            below = {int(b): int(a) for a, b in pairwise(options.factors)}
            for row, factor, step in zip(real, layer.factors, layer.weight_steps, strict=True):
                if int(factor) in below:
                    assert np.abs(row).max() > 31 * step * below[int(factor)] / factor


def test_twos_complement_has_a_level_more_for_negative_weights() -> None:
    parameters, digits = draw(1)
    ends = {}
    for weights in ("sign-magnitude", "twos-complement", "no-zero"):
        options = AnnaOptions(weights=weights)  # type: ignore[arg-type]
        layers = anna_network(NETWORK, parameters, digits.train.images, options).layers
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
    parameters, digits = draw(1)
    fitted = anna_network(NETWORK, parameters, digits.train.images, AnnaOptions())
    stated = anna_network(
        NETWORK, parameters, digits.train.images, AnnaOptions(converter_step=4 * fitted.converter_step)
    )
    assert sum(layer.clipped for layer in stated.layers) > 0
    assert all((np.abs(layer.weights) <= 31).all() for layer in stated.layers)
    kept = [a.weight_steps / b.weight_steps for a, b in zip(stated.layers, fitted.layers, strict=True)]
    assert all(np.all(ratio <= 1.0) for ratio in kept)


@compiled
def test_fitted_states_follow_the_network_in_floating_point() -> None:
    parameters, digits = draw(2, images=300)
    parameters = {name: array * np.float32(0.5) for name, array in parameters.items()}
    network = anna_network(NETWORK, parameters, digits.train.images, AnnaOptions(**QUIET))
    chip = run_analog(on_chip(network, None), network.pixels(digits.test.images), (0,), last_only=False)
    exact = layer_states(NETWORK, parameters, digits.test.images)
    for layer, states in zip(network.layers, chip, strict=True):
        wanted = exact[layer.sized.name].reshape(len(states), -1)
        assert np.corrcoef((states * layer.state_step).ravel(), wanted.ravel())[0, 1] > 0.85


@compiled
def test_fixed_errors_have_the_sizes_asked_for() -> None:
    parameters, digits = draw()

    def chips(**errors: float) -> tuple[AnnaNetwork, list[Pair]]:
        network = anna_network(
            NETWORK, parameters, digits.train.images, replace(AnnaOptions(**QUIET), **errors)
        )
        ideal = on_chip(network, None)
        return network, [(ideal, on_chip(network, (0, chip))) for chip in range(60)]

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


@compiled
def test_noise_turns_a_comparator_as_often_as_a_normal_number_does() -> None:
    parameters, digits = draw()
    network = anna_network(NETWORK, parameters, digits.train.images, AnnaOptions(**QUIET))
    (layer, *_) = on_chip(network, None)
    start, sigma = 3.0, 2.0
    # With weights of 0 a sum is its bias and its noise.
    layer = dataclasses.replace(
        layer,
        weights=np.zeros_like(layer.weights),
        starts=np.full_like(layer.starts, start),
        references=np.full((len(layer.starts), 1), 4.0, np.float32),
        levels=np.array([0, 1], np.float32),
        sigma=np.full_like(layer.sigma, sigma),
    )
    pixels = np.zeros((150, 81), np.float32)
    states = run_analog((layer,), pixels, (5,))[0]
    share, count = norm.sf((4.0 - start) / sigma), states.size
    assert abs(states.mean() - share) < 4 * np.sqrt(share * (1 - share) / count)
    np.testing.assert_array_equal(states, run_analog((layer,), pixels, (5,))[0])
    for other in (run_analog((layer,), pixels, (6,))[0], np.roll(states, 1, axis=0), np.roll(states, 128, 0)):
        assert np.mean(states != other) > 0.3


def test_a_chip_with_errors_is_the_same_bytes_with_and_without_compiled_code() -> None:
    compiled_code, interpreted = compiled_and_interpreted("analog_network")
    assert compiled_code == interpreted != ""


@compiled
def test_a_chip_is_its_seed_and_number_whatever_the_threads_and_the_other_chips() -> None:
    parameters, digits = draw()
    how = HostRetraining(passes=1, rate=0.01)
    two = run_anna(NETWORK, parameters, digits, chips=2, seed=7, retraining=how)
    four = run_anna(NETWORK, parameters, digits, chips=4, seed=7, retraining=how, threads=3)
    assert msgspec.json.encode(two.chips) == msgspec.json.encode(four.chips[:2])
    losses = [chip.mapped.half_mse for chip in four.chips]
    losses += [chip.mapped.half_mse for chip in run_anna(NETWORK, parameters, digits, chips=4, seed=8).chips]
    assert len(set(losses)) == 8
    assert four.mapped.error_percent == pytest.approx(
        np.mean([chip.mapped.error_percent for chip in four.chips])
    )
    assert msgspec.json.decode(msgspec.json.encode(four), type=type(four)) == four


def test_the_layers_beside_the_chip_are_those_of_the_network() -> None:
    parameters, digits = draw()
    exact = layer_states(NETWORK, parameters, digits.test.images)
    for first, below in ((2, "b"), (4, "d")):
        host = HostLayers(NETWORK, parameters, first)
        states = exact[below].reshape(len(digits.test.images), -1)
        np.testing.assert_array_equal(host.outputs(states), exact["output"][:, :, 0, 0])


def test_retraining_lowers_the_loss_on_the_digits_it_learns() -> None:
    parameters, digits = draw(images=60)
    host = HostLayers(NETWORK, parameters, 4)
    states = layer_states(NETWORK, parameters, digits.train.images)["d"].reshape(60, -1)
    labels, wanted = digits.train.labels, 2 * np.eye(10)[digits.train.labels] - 1
    learnt = host.retrained(states, labels, HostRetraining(10, 0.01))
    assert set(learnt) == {"output.weight", "output.bias"}
    before, after = (np.square(host.outputs(states, p) - wanted).mean() for p in (None, learnt))
    assert after < 0.5 * before


def test_what_can_not_run_is_refused() -> None:
    parameters, digits = draw()
    layers = (replace(NETWORK.layers[0], activation=Relu()), *NETWORK.layers[1:])
    with pytest.raises(InputError, match="'a' can not run on ANNA: its converter stands for a tanh"):
        run_anna(replace(NETWORK, layers=layers), parameters, digits, chips=1)
    with pytest.raises(InputError, match="can not be parted before layer 1: it has 5"):
        run_anna(NETWORK, parameters, digits, AnnaOptions(float_layers=5), chips=1)
    with pytest.raises(InputError, match="0 chips can not be simulated"):
        run_anna(NETWORK, parameters, digits, chips=0)


@compiled
def test_little_is_lost_on_digits(tmp_path: Path) -> None:
    checkpoint = train_briefly(tmp_path / "run", passes=3).checkpoint()
    digits = load("digits5k", checkpoint.header.recipe.preparation, None)
    parameters, network = checkpoint.state.parameters, checkpoint.header.network
    found = run_anna(network, parameters, digits, chips=2)
    assert found.reference.error_percent < 12
    assert (
        found.reference.error_percent - 1
        < found.ideal.mapped.error_percent
        < found.reference.error_percent + 4
    )
    assert found.mapped.error_percent < found.reference.error_percent + 5
    assert found.retrained is not None
    assert found.retrained.error_percent < found.mapped.error_percent + 0.5
    most = run_anna(network, parameters, digits, AnnaOptions(noise=0.2), chips=2, retraining=None)
    assert most.mapped.error_percent > found.mapped.error_percent + 3
