"""The formats that three rules choose, from weights and from states on training digits."""

import numpy as np
import pytest
from support.small_network import NETWORK
from support.trained_networks import dataset_of, drawn

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import parse_rule
from hw_sim.plan.calibrate import calibrate, fitting, mixed_plan
from hw_sim.plan.plan import ONE, Accumulator, PrecisionPlan
from hw_sim.plan.rules import SumRule, TensorRule
from retronet.errors import InputError
from retronet.network import load_network


def test_calibration_holds_the_largest_value_with_the_smallest_step() -> None:
    trained, images = drawn(load_network("lecun1989"), 11, 50)
    plan = calibrate(trained, images, 8, states="6 bits", sums="16 bits")
    assert isinstance(plan, PrecisionPlan)
    exact = trained.states(images)
    for layer in plan.layers:
        for form, values in (
            (layer.weight, trained.parameters[f"{layer.layer}.weight"]),
            (layer.state, exact[layer.layer]),
        ):
            largest = float(np.abs(values).max())
            assert form.maximum >= largest > Fixed(form.bits, form.frac_bits + 1).maximum
        assert (layer.weight.bits, layer.state.bits) == (8, 6)
        assert layer.accumulator is not None
        assert layer.accumulator.form.overflow is Overflow.WRAP
    assert plan.input.maximum >= np.abs(images).max()
    assert [row.text for row in plan.describe()][:2] == [plan.input.text, plan.layers[0].weight.text]


def test_calibration_takes_rules_and_formats() -> None:
    trained, images = drawn(load_network("lecun1989"), 3, 60)
    plan = calibrate(
        trained, images, 8, weights="{-1,0,1}, threshold/map", states="percentile:99", sums="s18.4"
    )
    assert [len(layer.weight_scale) for layer in plan.layers] == [12, 12, 30, 10]
    weights = np.abs(trained.parameters["h2.weight"][3])
    beyond = weights >= 0.7 * weights.mean(dtype=np.float64)
    assert plan.layers[1].weight_scale[3] == pytest.approx(weights[beyond].mean())
    states = np.abs(trained.states(images)["h2"])
    assert plan.layers[1].state_scale * 127 == pytest.approx(np.quantile(states, 0.99), rel=1e-6)
    assert {layer.bias.text for layer in plan.layers} == {"s18.4"}
    assert run_integers(quantize(trained, plan), images).outputs.shape == (60, 10)


def test_fitted_steps_are_no_coarser_than_powers_of_two() -> None:
    trained, images = drawn(load_network("lecun1989"), 4, 40)
    fitted = calibrate(trained, images, 6, weights="max-abs")
    dyadic = calibrate(trained, images, 6)
    for one, two in zip(fitted.layers, dyadic.layers, strict=True):
        assert two.weight.step / 2 < one.weight_scale[0] <= two.weight.step


def test_a_format_that_is_given_is_taken_as_it_is() -> None:
    trained, images = drawn(NETWORK, 5, 20)
    plan = calibrate(trained, images, weights="p3.0", states="s4.2:TRN:SAT", sums="s18.10:TRN:WRAP")

    assert (plan.input, plan.input_scale) == (Fixed.parse("s4.2:TRN:SAT"), 1.0)
    for layer in plan.layers:
        assert (layer.weight.text, layer.weight_scale) == ("p3.0", ONE)
        assert (layer.state.text, layer.state_scale) == ("s4.2:TRN:SAT", 1.0)
        assert layer.accumulator == Accumulator(Fixed.parse("s18.10:TRN:WRAP"))
        assert layer.bias == Fixed.parse("s18.10")


def test_digits_texts_and_records_choose_alike() -> None:
    trained, images = drawn(NETWORK, 6, 20)
    weights = TensorRule(6, scale=parse_rule("mse/map"), rounding=Rounding.RND_CONV)
    expected = calibrate(
        trained, images, weights=weights, states=TensorRule(5), sums=SumRule(16, overflow=Overflow.SAT)
    )

    for digits in (images, dataset_of(images)):
        texts = {"weights": "6 bits, mse/map, RND_CONV", "states": "5 bits", "sums": "16 bits, sat"}
        assert calibrate(trained, digits, **texts) == expected


def test_modes_of_the_weights_are_those_of_biases_and_not_of_what_is_computed() -> None:
    trained, images = drawn(NETWORK, 7, 20)
    plan = calibrate(trained, images, weights="5 bits, STOCHASTIC, SAT_SYM", sums="20 bits, TRN, sat, fused")

    for layer in plan.layers:
        assert isinstance(layer.weight, Fixed)
        for form in (layer.weight, layer.bias):
            assert (form.rounding, form.overflow) == (Rounding.STOCHASTIC, Overflow.SAT_SYM)
        assert isinstance(layer.state, Fixed)
        assert (layer.state.rounding, layer.state.overflow) == (Rounding.RND, Overflow.SAT)
        assert layer.accumulator is not None
        assert layer.accumulator.fused
        product_bits = layer.bias.frac_bits
        assert layer.accumulator.form == Fixed(20, product_bits, True, Rounding.TRN, Overflow.SAT)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("8 bits, STOCHASTIC", "can not have the rounding mode STOCHASTIC: it is for weights and biases"),
        ("s4.2, TRN", "gives the format s4.2 and the mode TRN besides"),
        ("{-1,1}, WRAP", r"gives the format \{-1,1\} and the mode WRAP besides"),
        ("1 bits", "A signed format of 1 bit has no positive value"),
        ("u4.2, threshold", "The threshold rule is for the levels"),
    ],
)
def test_rules_that_states_can_not_have_are_refused(states: str, said: str) -> None:
    trained, images = drawn(NETWORK, 8, 5)
    with pytest.raises(InputError, match=said):
        calibrate(trained, images, states=states)


def test_no_digits_are_refused() -> None:
    trained, images = drawn(NETWORK, 8, 1)
    with pytest.raises(InputError, match="can not be calibrated on no images"):
        calibrate(trained, images[:0])


def test_the_smallest_step_that_holds_a_number() -> None:
    for largest in (0.1, 0.49, 0.5, 127.0, 128.0, 1e-9, 3e7):
        form = fitting(largest, 8)
        assert form.maximum >= largest > Fixed(8, form.frac_bits + 1).maximum
    assert fitting(0.0, 8) == Fixed(8, 7)


def test_a_mixed_plan_has_the_bits_of_each_tensor() -> None:
    trained, images = drawn(NETWORK, 9, 20)
    weights = {"a": 3, "b": 4, "c": 5, "d": 6}
    states = {"input": 7, "a": 8, "b": 3, "c": 4, "d": 5}
    plan = mixed_plan(trained, lambda bits: calibrate(trained, images, bits, weights="mse"), weights, states)

    assert plan.input == calibrate(trained, images, 7).input
    for index, layer in enumerate(plan.layers):
        of_weights = calibrate(trained, images, weights[layer.layer], weights="mse").layers[index]
        of_states = calibrate(trained, images, states[layer.layer], weights="mse").layers[index]
        assert (layer.weight, layer.weight_scale) == (of_weights.weight, of_weights.weight_scale)
        assert layer.state == of_states.state
        assert layer.bias.frac_bits == layer.weight.frac_bits + plan.input_of(index).frac_bits
    assert quantize(trained, plan).layers
