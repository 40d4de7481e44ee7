"""Plans from files and from digits, and what is said of what did not fit."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.small_network import NETWORK, draw, plan_of

import hw_sim
from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import report, simulate
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Levels, parse_format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import parse_rule
from hw_sim.plan.activations import Converter, PiecewiseLinear, Table
from hw_sim.plan.plan import ONE, Accumulator, LayerPlan, PrecisionPlan, calibrate
from hw_sim.plan.plan_file import parse_plan
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.network import Tanh, load_network

HLS4ML = """
input = "s8.7:TRN:WRAP"

[defaults]
weight = "s8.6:TRN:WRAP"
state = "s8.7:TRN:WRAP"
accumulator = "s18.10:TRN:WRAP"
preactivation = "s18.10:TRN:WRAP"
bias_at = "end"
activation = { kind = "table" }

[[layers]]
layer = "d"
accumulator = { form = "s20.12:RND:SAT", product = "s18.10" }
weight_scale = 0.5
"""


def test_a_file_says_every_format_and_the_network_the_rest() -> None:
    plan = parse_plan(HLS4ML, NETWORK)
    assert [layer.layer for layer in plan.layers] == ["a", "b", "c", "d"]
    assert plan.layers[0].activation == Table(Tanh(1.7159, 2 / 3))
    assert plan.layers[1].activation == Table(Tanh())  # not a tanh in the network: hls4ml's own
    assert plan.layers[0].bias == Fixed.parse("s18.10:TRN:WRAP")
    assert plan.layers[3].accumulator == Accumulator(Fixed.parse("s20.12"), product=Fixed.parse("s18.10"))
    assert (plan.layers[3].weight_scale, plan.layers[2].weight_scale) == ((0.5,), ONE)


def test_a_bias_has_the_step_of_a_product_if_nothing_is_said() -> None:
    plan = parse_plan('input = "s6.4"\n[defaults]\nweight = "{-15:15:2}.3"\nstate = "p3.0"', NETWORK)
    assert [layer.bias for layer in plan.layers] == [Fixed(32, 7), *[Fixed(32, 10)] * 3]


def test_what_is_written_is_read_back() -> None:
    layer = LayerPlan(
        "a", Levels((-5, 0, 1)), Fixed(9, 3), parse_format("p2.0z"),
        PiecewiseLinear(((-1.0, -0.5), (0.125, 0.5))), Accumulator(Fixed(12, 3), fused=True),
        Fixed(7, 2, overflow=Overflow.SAT_SYM), "end", (0.1, 0.2, 1e-9), (0.3,), 1 / 3, "double", 0.07,
    )  # fmt: skip
    others = [
        replace(layer, layer="b", activation=Converter(0.5), weight_scale=ONE),
        replace(layer, layer="c", activation=Table(Tanh(1.5), entry=Fixed(9, 7), index=Rounding.RND)),
        LayerPlan("d", Fixed(8, 6), Fixed(8, 6), Fixed(8, 6), Tanh()),
    ]
    plan = PrecisionPlan(Fixed(8, -2, signed=False), (layer, *others), "plane_slowest", 0.7, 12)
    assert parse_plan(hw_sim.plan_toml(plan), NETWORK) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input = 's8'", "'s8' is not a number format"),
        ("input = 's8.6'", r"missing required field `weight` - at `\$.layers\[0\]`"),
        ("input = 's8.6'\nfoo = 1\n[defaults]\nweight = 's8.6'\nstate = 's8.6'", "unknown field `foo`"),
        ("input = 's8.6'\n[[layers]]\nlayer = 'x'", "its layer 'x' is unknown or listed twice"),
        (
            "input = 's8.6'\n[[layers]]\nlayer = 'a'\n[[layers]]\nlayer = 'a'",
            "'a' is unknown or listed twice",
        ),
        ("input = 's0.0'", "0 does not stand for 'exact'"),
        ("input = ", "Invalid value"),
    ],
)
def test_files_that_can_not_be_used_say_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        hw_sim.load_plan(path, NETWORK)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"There is no plan file 'none.toml'"):
        hw_sim.load_plan(Path("none.toml"), NETWORK)


def test_calibration_takes_rules_and_formats() -> None:
    network = load_network("lecun1989")
    parameters, images = draw(network, 3, 60)
    plan = calibrate(
        network, parameters, images, 8, weight_format=Levels((-1, 0, 1)),
        weight_scale=parse_rule("threshold/map"), state_scale=parse_rule("percentile:99"),
        accumulator=Accumulator(Fixed.parse("s18.4")),
    )  # fmt: skip
    assert [len(layer.weight_scale) for layer in plan.layers] == [12, 12, 30, 10]
    weights = np.abs(parameters["h2.weight"][3])
    beyond = weights >= 0.7 * weights.mean(dtype=np.float64)
    assert plan.layers[1].weight_scale[3] == pytest.approx(weights[beyond].mean())
    states = np.abs(layer_states(network, parameters, images)["h2"])
    assert plan.layers[1].state_scale * 127 == pytest.approx(np.quantile(states, 0.99), rel=1e-6)
    assert {layer.bias.text for layer in plan.layers} == {"s18.4"}
    integers = integer_network(network, parameters, plan)
    assert simulate(integers, images).outputs.shape == (60, 10)


def test_fitted_steps_are_no_coarser_than_powers_of_two() -> None:
    network = load_network("lecun1989")
    parameters, images = draw(network, 4, 40)
    fitted = calibrate(network, parameters, images, 6, weight_scale=parse_rule("max-abs"))
    dyadic = calibrate(network, parameters, images, 6)
    for one, two in zip(fitted.layers, dyadic.layers, strict=True):
        assert two.weight.step / 2 < one.weight_scale[0] <= two.weight.step


@pytest.mark.parametrize("overflow", [Overflow.WRAP, Overflow.SAT])
@pytest.mark.parametrize("fused", [False, True])
def test_the_format_that_a_warning_names_holds_everything(overflow: Overflow, fused: bool) -> None:
    parameters, images = draw(NETWORK, 6, 30)
    images[0, 0, 0] = 2.5
    data: Any = SimpleNamespace(images=images, labels=np.zeros(30, np.uint8))
    narrow = Fixed(6, 4, True, Rounding.RND, overflow)
    plan = plan_of(NETWORK, "s6.5", narrow.text, fused=fused, bias="s12.4")
    layers = tuple(replace(layer, preactivation=replace(narrow, bits=5)) for layer in plan.layers)
    plan = replace(plan, layers=layers)
    for _ in range(12):
        found = report(NETWORK, parameters, plan, data)
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
    network = load_network("lecun1989")
    parameters, images = draw(network, 8, 30)
    data: Any = SimpleNamespace(images=images, labels=np.zeros(30, np.uint8))
    assert report(network, parameters, calibrate(network, parameters, images, 8), data).warnings == ()
