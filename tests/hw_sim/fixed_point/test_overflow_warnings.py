"""The format a warning names is the smallest that holds all; a plan's own activations are said."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.small_network import NETWORK, plan_of
from support.trained_networks import dataset_of, drawn, trained_of

from hw_sim.fixed_point.overflow_warnings import smallest
from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import SimulationReport, simulate
from hw_sim.formats.fixed import MAX_BITS, Fixed
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from retronet.network import Identity, Relu, Tanh, load_network

TRAINED, IMAGES = drawn(NETWORK, 6, 30)
DATA = dataset_of(IMAGES)


@pytest.mark.parametrize("overflow", [Overflow.WRAP, Overflow.SAT])
@pytest.mark.parametrize("fused", [False, True])
def test_the_format_that_a_warning_names_holds_everything(overflow: Overflow, fused: bool) -> None:
    trained, images = drawn(NETWORK, 6, 30)
    images[0, 0, 0] = 2.5
    narrow = Fixed(6, 4, True, Rounding.RND, overflow)
    plan = plan_of(NETWORK, "s6.5", narrow.text, fused=fused, bias="s12.4")
    layers = tuple(replace(layer, preactivation=replace(narrow, bits=5)) for layer in plan.layers)
    plan = replace(plan, layers=layers)
    for _ in range(12):
        found = simulate(trained, dataset_of(images), plan)
        counted = [
            count
            for layer in found.layers
            for count in (
                layer.counts.overflows,
                layer.counts.preactivation_overflows,
                layer.counts.saturations,
            )
        ]
        said = [text for text in found.warnings if "did not fit" in text]
        assert len(said) == sum(count > 0 for count in counted) + (found.clipped_pixels > 0)
        if not said:
            return
        plan = widened(plan, said)
    pytest.fail("formats that were said to hold everything did not")


def widened(plan: PrecisionPlan, warnings: list[str]) -> PrecisionPlan:
    """Follow the advice of every warning."""
    layers = {layer.layer: layer for layer in plan.layers}
    for text in warnings:
        form = Fixed.parse(
            text.split("; ")[1].removeprefix("a larger range, such as ").split()[0].rstrip(",")
        )
        if "pixels" in text:
            plan = replace(plan, input=form)
            continue
        name = text.split("layer '")[1][0]
        if "casts of sums" in text:
            accumulator = layers[name].accumulator
            assert accumulator is not None
            layers[name] = replace(layers[name], accumulator=replace(accumulator, form=form))
        else:
            key = "preactivation" if "pre-activations" in text else "state"
            layers[name] = replace(layers[name], **{key: form})
    return replace(plan, layers=tuple(layers.values()))


def test_plain_calibration_warns_of_nothing() -> None:
    trained, images = drawn(load_network("lecun1989"), 8, 30)
    assert simulate(trained, dataset_of(images), calibrate(trained, images, 8)).warnings == ()


@pytest.mark.parametrize("text", ["s4.2", "u4.2", "s5.0:TRN:SAT_SYM", "s3.9:RND:WRAP", "u2.0:TRN:SAT_ZERO"])
def test_the_smallest_format_holds_and_the_next_smaller_does_not(text: str) -> None:
    form, rng = Fixed.parse(text), np.random.default_rng(1)
    ends = np.sort(rng.integers(-300, 300, (200, 2)), axis=1)
    for low, high in [*ends.tolist(), (0, 0), (0, 1), (-1, 0), (-8, 7), (-8, 8), (-9, 7), (0, 255), (0, 256)]:
        found = smallest(form, low, high)
        assert (found.frac_bits, found.rounding, found.overflow) == (
            form.frac_bits, form.rounding, form.overflow,
        )  # fmt: skip
        assert found.signed == (form.signed or low < 0)
        assert found.low <= low <= high <= found.high
        if found.bits > 1 + found.signed:
            less = replace(found, bits=found.bits - 1)
            assert low < less.low or high > less.high


def test_what_no_width_holds_takes_coarser_steps() -> None:
    found = smallest(Fixed(8, 20), -(3 << 40), 1 << 40)
    # Bits of 3 · 2^40 and a sign are 43; 32 hold it in steps 2^11 times as large.
    assert (found.bits, found.frac_bits) == (MAX_BITS, 20 - 11)


def states_of(index: int, text: str) -> PrecisionPlan:
    """Return a plan whose formats are wide but for the states of one layer."""
    plan = plan_of(NETWORK, "s20.10")
    layers = list(plan.layers)
    layers[index] = replace(layers[index], state=Fixed.parse(text))
    return replace(plan, layers=tuple(layers))


def reported(plan: PrecisionPlan) -> SimulationReport:
    return simulate(TRAINED, DATA, plan)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("text", ["s2.3", "u3.3", "s2.5:TRN:WRAP", "s3.4:RND_CONV:SAT_SYM"])
def test_no_smaller_format_of_states_holds_all(index: int, text: str) -> None:
    found = reported(states_of(index, text))
    name = NETWORK.layers[index].name
    (said,) = [each for each in found.warnings if f"states of layer '{name}'" in each]
    named = Fixed.parse(said.split("; ")[1].split()[0])
    assert said.endswith(f"{named.text} holds all of them.")

    assert reported(states_of(index, named.text)).layers[index].counts.saturations == 0
    less = replace(named, bits=named.bits - 1)
    assert reported(states_of(index, less.text)).layers[index].counts.saturations > 0


def test_negative_pixels_need_a_sign() -> None:
    plan = replace(plan_of(NETWORK, "s12.6"), input=Fixed.parse("u6.4"))
    (said,) = [each for each in reported(plan).warnings if "pixels" in each]

    assert "; s6.4 holds all of them." in said
    assert reported(replace(plan, input=Fixed.parse("s6.4"))).clipped_pixels == 0


@pytest.mark.parametrize(
    ("activation", "said"),
    [
        (Tanh(), "layer 'b' is 1 tanh(1 a); the network's own is relu"),
        (Tanh(1.7159, 2 / 3), "layer 'd' is 1.7159 tanh(0.66667 a); the network's own is 1 tanh(1 a)"),
        (Relu(), "layer 'a' is relu; the network's own is 1.7159 tanh(0.66667 a)"),
        (Identity(), "layer 'b' is identity; the network's own is relu"),
        (Table(), "layer 'a' is a table of 1 tanh(1 a)"),
        (PiecewiseLinear(((-1.0, -1.0), (1.0, 1.0))), "layer 'd' is lines through 2 points"),
        (Converter(0.5), "layer 'c' is a converter of gain 0.5; the network's own is identity"),
    ],
)
def test_an_activation_that_is_not_the_networks_own_is_said(activation: Any, said: str) -> None:
    plan = plan_of(NETWORK, "s8.4", "s12.6")
    plan = replace(plan, layers=tuple(replace(each, activation=activation) for each in plan.layers))
    told = " ".join(quantize(TRAINED, plan).warnings)

    assert f"In the plan the activation of {said}" in told
    assert set(quantize(TRAINED, plan).warnings) <= set(reported(plan).warnings)


def test_layers_alike_share_a_sentence() -> None:
    plan = plan_of(NETWORK, "s8.4")
    network = replace(
        NETWORK, layers=(*NETWORK.layers[:3], replace(NETWORK.layers[3], activation=Identity()))
    )
    plan = replace(plan, layers=tuple(replace(each, activation=Relu()) for each in plan.layers))
    told = quantize(trained_of(network, TRAINED.parameters), plan).warnings

    assert any(
        "the activation of layers 'c', 'd' is relu; the network's own is identity" in each for each in told
    )
    assert not any("'b'" in each for each in told)


def test_its_own_activation_is_not_said() -> None:
    own = plan_of(NETWORK, "s8.4", "s12.6")
    layers = list(own.layers)
    layers[0] = replace(layers[0], activation=Table(Tanh(1.7159, 2 / 3)))
    layers[3] = replace(layers[3], activation=Table(Tanh()))

    for plan in (own, replace(own, layers=tuple(layers))):
        assert not [each for each in reported(plan).warnings if "activation" in each]


def test_what_fits_needs_no_advice() -> None:
    assert not [each for each in reported(plan_of(NETWORK, "s20.10")).warnings if "did not fit" in each]
