"""Traces: what stands around the planes, and pixels as they are given."""

import numpy as np
from msgspec.structs import replace
from support.all_kinds import NETWORK
from support.small_network import check, draw, plan_of
from support.trained_networks import dataset_of, drawn, trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace, trace_integers
from hw_sim.formats.fixed import Fixed
from retronet.network import Dense, NetworkSpec, Tanh


def test_borders_stand_around_the_traced_planes() -> None:
    parameters, pixels = draw(NETWORK, 11, 2)
    found = trace_integers(
        quantize(trained_of(NETWORK, parameters), plan_of(NETWORK, "s8.7:TRN:WRAP")), pixels
    )
    planes = found.layers[0].inputs
    assert planes.shape == (2, 1, 8, 10)
    assert np.array_equal(planes[:, 0, 1:-1, 1:-1].reshape(2, -1), found.inputs)
    ring = planes.copy()
    ring[:, :, 1:-1, 1:-1] = -128
    assert (ring == -128).all()


def test_pixels_in_double_precision_are_taken_as_they_are() -> None:
    parameters, _ = draw(NETWORK, 12, 1)
    pixels = np.full((1, 6, 8), 0.5 + 2.0**-40)
    plan = replace(plan_of(NETWORK, "s8.6"), input=Fixed.parse("s4.0:RND_ZERO:SAT"))
    assert (trace_integers(quantize(trained_of(NETWORK, parameters), plan), pixels).inputs == 1).all()
    assert (
        trace_integers(quantize(trained_of(NETWORK, parameters), plan), pixels.astype(np.float32)).inputs == 0
    ).all()


def test_a_trained_network_is_traced_as_its_integers_are() -> None:
    trained, pixels = drawn(NETWORK, 14, 3)
    plan = plan_of(NETWORK, "s8.6")
    expected = trace_integers(quantize(trained, plan), pixels)

    for digits in (pixels, dataset_of(pixels)):
        for layer, other in zip(trace(trained, digits, plan).layers, expected.layers, strict=True):
            assert np.array_equal(layer.states, other.states)
            assert np.array_equal(layer.sums, other.sums)


def test_sums_of_a_layer_with_one_unit_are_kept() -> None:
    network = NetworkSpec("narrow", "", (1, 4, 4), (Dense("a", 1, Tanh()), Dense("b", 3, Tanh())))
    parameters, images = draw(network, 0, 3)
    plan = plan_of(network, "s8.6")
    narrow = trace_integers(quantize(trained_of(network, parameters), plan), images).layers[0]
    assert narrow.sums.shape == (3, 1, 1, 1)
    assert (narrow.sums != 0).all()
    assert np.array_equal(narrow.sums, narrow.preactivations)
    check(network, parameters, images, replace(plan, tap_order="plane_slowest"))
