"""What is said of what did not fit."""

import pytest
from msgspec.structs import replace
from support.small_network import NETWORK, plan_of
from support.trained_networks import dataset_of, drawn

from hw_sim.fixed_point.simulate import simulate
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan import PrecisionPlan
from retronet.network import load_network


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
