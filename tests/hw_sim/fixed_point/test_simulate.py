"""Integer networks, bit for bit against plain Python integers, and their counts against the geometry."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.interpreted import compiled_and_interpreted
from support.small_network import NETWORK, check, draw, plan_of

from hw_sim.fixed_point.quantize import integer_network
from hw_sim.fixed_point.simulate import report, simulate, trace
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import DETERMINISTIC, Overflow
from hw_sim.kernels.layer import COUNTS
from hw_sim.kernels.sums import LANES
from hw_sim.plan.plan import PrecisionPlan, calibrate
from retronet.engines.forward import layer_states
from retronet.errors import InputError
from retronet.network import load_network

IMAGES = 3
SUMS = [
    (None, False, "exact", 32),
    ("s9.12:RND:WRAP", False, "product", 32),
    ("s18.12:RND:WRAP", False, "fit", 32),
    ("s15.12:RND:SAT", True, "fit", 32),
    ("s14.12:RND:SAT_SYM", True, "fit", 32),
    ("s14.12:RND:SAT_ZERO", True, "fused", 32),
    ("s15.14:RND:SAT", False, "product", 32),
    ("s32.18:TRN:WRAP", False, "product", 64),
    ("s32.12:RND:SAT", True, "fused", 64),
    ("u11.9:RND_CONV:SAT", False, "product", 32),
    *((f"s9.6:{rounding}:{overflow}", fused, "fused" if fused else "product", 32)
      for rounding in DETERMINISTIC for overflow in Overflow for fused in (False, True)),
]  # fmt: skip


@pytest.mark.parametrize(("sums", "fused", "method", "word_bits"), SUMS)
def test_small_network_bit_for_bit(sums: str | None, fused: bool, method: str, word_bits: int) -> None:
    parameters, images = draw(NETWORK, 1, IMAGES)
    integers = check(NETWORK, parameters, images, plan_of(NETWORK, "s8.6", sums, fused=fused))
    assert {layer.method for layer in integers.layers} == {method}
    assert {layer.word_bits for layer in integers.layers} == {word_bits}


def test_wide_words_bit_for_bit() -> None:
    parameters, images = draw(NETWORK, 2, IMAGES)
    integers = check(NETWORK, parameters, images, plan_of(NETWORK, "s17.15", bias="s32.28"))
    assert {(layer.method, layer.word_bits) for layer in integers.layers} == {("exact", 64)}


@pytest.mark.parametrize("order", ["plane_fastest", "plane_slowest"])
def test_saturating_sums_depend_on_the_order_of_taps(order: str) -> None:
    parameters, images = draw(NETWORK, 3, IMAGES)
    check(NETWORK, parameters, images, plan_of(NETWORK, "s8.6", "s8.6:RND:SAT", tap_order=order))


def test_the_orders_of_taps_differ() -> None:
    parameters, images = draw(NETWORK, 3, IMAGES)
    outputs = [
        trace(
            integer_network(NETWORK, parameters, plan_of(NETWORK, "s8.6", "s8.6:RND:SAT", tap_order=order)),
            images,
        )
        for order in ("plane_fastest", "plane_slowest")
    ]
    assert not np.array_equal(outputs[0].layers[2].sums, outputs[1].layers[2].sums)


@pytest.mark.parametrize("sums", [None, "s14.12:RND:WRAP", "s12.10:TRN:SAT"])
def test_first_layers_of_1989_bit_for_bit(sums: str | None) -> None:
    whole = load_network("lecun1989")
    network = type(whole)(whole.name, "", whole.input, whole.layers[:2])
    parameters, images = draw(network, 4, 1)
    for name in parameters:
        parameters[name] *= 0.3
    check(network, parameters, images, plan_of(network, "s8.6", sums))


def test_partly_filled_lanes_and_threads_change_nothing() -> None:
    parameters, images = draw(NETWORK, 5, 2 * LANES + 3)
    network = integer_network(NETWORK, parameters, plan_of(NETWORK, "s8.6", "s10.8:RND:SAT"))
    whole = simulate(network, images)
    shared = simulate(network, images, threads=3)
    single = [simulate(network, images[index : index + 1]) for index in range(len(images))]
    assert np.array_equal(whole.outputs, shared.outputs)
    assert np.array_equal(whole.outputs, np.concatenate([one.outputs for one in single]))
    assert whole.counts == shared.counts
    assert whole.clipped_pixels == shared.clipped_pixels
    for layer, counts in enumerate(whole.counts):
        for name in COUNTS:
            assert getattr(counts, name) == sum(getattr(one.counts[layer], name) for one in single), name
    assert any(counts.overflows for counts in whole.counts)


def test_interpreted_kernels_make_the_same_integers() -> None:
    compiled_code, interpreted = compiled_and_interpreted("small_network")
    assert compiled_code == interpreted != ""


def test_pixels_outside_their_format_are_counted() -> None:
    parameters, images = draw(NETWORK, 6, 4)
    images[1, 2, 3] = 2.0
    images[3, 0, 0] = -2.1
    plan = plan_of(NETWORK, "s8.6")
    assert simulate(integer_network(NETWORK, parameters, plan), images).clipped_pixels == 2


def test_a_border_that_is_no_value_is_warned_of() -> None:
    parameters, _ = draw(NETWORK, 7, 1)
    network = integer_network(NETWORK, parameters, plan_of(NETWORK, "s2.1:RND:SAT_SYM", bias="s8.2"))
    assert network.layers[0].border == -1
    assert any(
        "border -1.0 of layer 'a'" in text and "-0.5 stands for it" in text for text in network.warnings
    )


def test_the_bound_of_exact_sums_is_reached_by_the_worst_image() -> None:
    # All weights of one sign and the most negative pixel: nothing but the bias is away from the bound.
    network = type(NETWORK)("one", "", (1, 2, 2), NETWORK.layers[2:3])
    parameters = {"c.weight": np.full((5, 4), -2.0, np.float32), "c.bias": np.full(5, 1.0, np.float32)}
    integers = integer_network(network, parameters, plan_of(network, "s8.6"))
    found = trace(integers, np.full((1, 2, 2), -2.0, np.float32))
    assert int(found.layers[0].sums.max()) == integers.layers[0].sum_bound == 4 * 128 * 128 + 4096


def test_sums_beyond_64_bits_are_refused() -> None:
    parameters, _ = draw(NETWORK, 8, 1)
    parameters = {name: values * 100 for name, values in parameters.items()}
    with pytest.raises(InputError, match="beyond what 64 bits hold"):
        integer_network(NETWORK, parameters, plan_of(NETWORK, "s32.24", bias="s32.20"))


def test_images_of_another_size_are_refused() -> None:
    parameters, _ = draw(NETWORK, 9, 1)
    with pytest.raises(InputError, match="6×7 is needed"):
        simulate(
            integer_network(NETWORK, parameters, plan_of(NETWORK, "s8.6")), np.zeros((2, 7, 7), np.float32)
        )


def test_report_compares_with_floating_point() -> None:
    network = load_network("lecun1989")
    parameters, images = draw(network, 10, 200)
    parameters = {name: (values * 0.3).astype(np.float32) for name, values in parameters.items()}
    labels = layer_states(network, parameters, images)["output"].reshape(200, 10).argmax(1).astype(np.uint8)
    data = SimpleNamespace(images=images, labels=labels)
    noise = []
    for bits in (4, 8, 12):
        plan = calibrate(network, parameters, images, bits)
        found = report(network, parameters, plan, data)
        assert found.reference.misses == 0
        assert found.agreements == 200 - found.simulated.misses
        noise.append([layer.sqnr_db for layer in found.layers])
        integers = integer_network(network, parameters, plan)
        states = trace(integers, images).layers[0].states * plan.layers[0].state.step
        exact = layer_states(network, parameters, images)["h1"].astype(np.float64)
        expected = 10 * np.log10(np.sum(exact**2) / np.sum((exact - states) ** 2))
        assert noise[-1][0] == pytest.approx(expected, abs=1e-6)
    # A bit is worth 6 dB: four more bits about 24.
    assert noise[1][0] - noise[0][0] == pytest.approx(24, abs=4)
    assert noise[2][0] - noise[1][0] == pytest.approx(24, abs=4)


def test_calibration_holds_the_largest_value_with_the_smallest_step() -> None:
    network = load_network("lecun1989")
    parameters, images = draw(network, 11, 50)
    plan = calibrate(network, parameters, images, 8, state_bits=6, accumulator_bits=16)
    assert isinstance(plan, PrecisionPlan)
    exact = layer_states(network, parameters, images)
    for layer in plan.layers:
        for form, values in (
            (layer.weight, parameters[f"{layer.layer}.weight"]),
            (layer.state, exact[layer.layer]),
        ):
            largest = float(np.abs(values).max())
            assert form.maximum >= largest > Fixed(form.bits, form.frac_bits + 1).maximum
        assert (layer.weight.bits, layer.state.bits) == (8, 6)
        assert layer.accumulator is not None
        assert layer.accumulator.form.overflow is Overflow.WRAP
    assert plan.input.maximum >= np.abs(images).max()
    assert [row.text for row in plan.describe()][:2] == [plan.input.text, plan.layers[0].weight.text]
