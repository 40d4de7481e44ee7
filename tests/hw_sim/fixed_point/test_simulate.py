"""Integer networks, bit for bit against plain Python integers, and their counts against the geometry."""

from fractions import Fraction

import numpy as np
import pytest
from msgspec.structs import replace
from support.all_kinds import CODES
from support.all_kinds import NETWORK as ALL_KINDS
from support.interpreted import compiled_and_interpreted
from support.small_network import NETWORK, check, draw, plan_of
from support.trained_networks import dataset_of, drawn, trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers, simulate
from hw_sim.fixed_point.trace import trace, trace_integers
from hw_sim.kernels.layer import COUNTS
from hw_sim.kernels.sums import INTEGER_LANES
from hw_sim.plan.calibrate import calibrate
from retronet.errors import InputError
from retronet.network import Rbf, load_network


@pytest.mark.parametrize("order", ["plane_fastest", "plane_slowest"])
def test_saturating_sums_depend_on_the_order_of_taps(order: str) -> None:
    parameters, images = draw(NETWORK, 3, 3)
    check(NETWORK, parameters, images, plan_of(NETWORK, "s8.6", "s8.6:RND:SAT", tap_order=order))


def test_the_orders_of_taps_differ() -> None:
    parameters, images = draw(NETWORK, 3, 3)
    outputs = [
        trace_integers(
            quantize(
                trained_of(NETWORK, parameters), plan_of(NETWORK, "s8.6", "s8.6:RND:SAT", tap_order=order)
            ),
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
    parameters, images = draw(NETWORK, 5, 2 * INTEGER_LANES + 3)
    network = quantize(trained_of(NETWORK, parameters), plan_of(NETWORK, "s8.6", "s10.8:RND:SAT"))
    whole = run_integers(network, images)
    shared = run_integers(network, images, threads=3)
    single = [run_integers(network, images[index : index + 1]) for index in range(len(images))]
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
    assert run_integers(quantize(trained_of(NETWORK, parameters), plan), images).clipped_pixels == 2


def test_images_of_another_size_are_refused() -> None:
    parameters, _ = draw(NETWORK, 9, 1)
    with pytest.raises(InputError, match="6×7 is needed"):
        run_integers(
            quantize(trained_of(NETWORK, parameters), plan_of(NETWORK, "s8.6")),
            np.zeros((2, 7, 7), np.float32),
        )


def test_distances_to_codes_are_exact() -> None:
    network = replace(ALL_KINDS, layers=(*ALL_KINDS.layers, Rbf("e", CODES)))
    parameters, pixels = draw(network, 7, 5)
    plan = plan_of(ALL_KINDS, "s8.6")
    integers = check(network, parameters, pixels, plan)
    assert integers.codes is not None
    states = trace_integers(integers, pixels).layers[-1].states.reshape(5, 6)
    for image, outputs in enumerate(run_integers(integers, pixels).outputs):
        for code, output in zip(integers.codes.tolist(), outputs.tolist(), strict=True):
            pairs = zip(states[image].tolist(), code, strict=True)
            assert -output == sum((Fraction(state, 64) - mark) ** 2 for state, mark in pairs)


def test_report_compares_with_floating_point() -> None:
    trained, images = drawn(load_network("lecun1989"), 10, 200, spread=0.3)
    exact = trained.states(images)
    labels = exact["output"].reshape(200, 10).argmax(1).astype(np.uint8)
    noise = []
    for bits in (4, 8, 12):
        plan = calibrate(trained, images, bits)
        found = simulate(trained, dataset_of(images, labels), plan)
        assert found.reference.misses == 0
        assert found.agreements == 200 - found.score.misses
        assert found.agreement == found.agreements / 200
        noise.append([layer.sqnr_db for layer in found.layers])
        states = trace(trained, images, plan).layers[0].states * plan.layers[0].state.step
        expected = 10 * np.log10(
            np.sum(exact["h1"].astype(np.float64) ** 2)
            / np.sum((exact["h1"].astype(np.float64) - states) ** 2)
        )
        assert noise[-1][0] == pytest.approx(expected, abs=1e-6)
    # A bit is worth 6 dB: four more bits about 24.
    assert noise[1][0] - noise[0][0] == pytest.approx(24, abs=4)
    assert noise[2][0] - noise[1][0] == pytest.approx(24, abs=4)


def test_scores_are_in_the_units_of_the_recipe() -> None:
    trained, images = drawn(load_network("lecun1989"), 10, 50, spread=0.3)
    digits = dataset_of(images)
    found = simulate(trained, digits, calibrate(trained, images, 16))

    assert found.reference == trained.score(digits)
    assert found.score.loss == pytest.approx(found.reference.loss, rel=1e-3)


def test_a_report_is_told_in_one_line() -> None:
    trained, images = drawn(load_network("lecun1989"), 10, 50, spread=0.3)
    found = simulate(trained, dataset_of(images), calibrate(trained, images, 8))

    assert str(found) == repr(found)
    assert repr(found) == (
        f"SimulationReport(lecun1989 on 50 digits: {2 * found.score.misses:.2f} % error, "
        f"{2 * found.reference.misses:.2f} % in floating point; "
        f"{2 * found.agreements:.2f} % of answers agree)"
    )
