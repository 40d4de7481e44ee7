"""Sums in every machine word that holds them: the same integers and the same counts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.small_network import NETWORK, check, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.fixed_point import kernel_records, runner
from hw_sim.fixed_point.kernel_records import word_of
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.simulate import Simulated, run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import LayerPlan, PrecisionPlan
from retronet.network import Conv, Dense, Identity, NetworkSpec, Relu, Subsample, Tanh

WORDS = (np.float32, np.int32, np.float64, np.int64)


def in_word(network: IntegerNetwork, images: Any, word: Any) -> Simulated:
    """Simulate with all sums in one machine word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_records, "word_of", lambda _layer: word)
        patch.setattr(runner, "word_of", lambda _layer: word)
        return run_integers(network, images)


def edge(bias: int) -> tuple[NetworkSpec, dict[str, Any], Any, PrecisionPlan]:
    """Return a layer whose largest sum is ``2^24 - 16384 + bias``, and inputs that reach it."""
    network = NetworkSpec("edge", "", (1, 2, 2), (Dense("d", 2, Identity()),))
    parameters = {
        "d.weight": np.array([[-1023.0] * 4, [1023.0, -1023.0, 1.0, -1.0]], np.float32),
        "d.bias": np.array([bias, -7.0], np.float32),
    }
    images = np.full((3, 2, 2), -4096.0, np.float32)
    images[1], images[2, 0] = 4095.0, 1.0
    whole = Fixed(13, 0)
    plan = LayerPlan("d", whole, Fixed(32, 0), Fixed(32, 0), Identity())
    return network, parameters, images, PrecisionPlan(whole, (plan,))


@pytest.mark.parametrize(("bias", "word"), [(16384, np.float32), (16385, np.int32)])
def test_sums_at_the_edge_of_single_precision(bias: int, word: Any) -> None:
    network, parameters, images, plan = edge(bias)
    integers = check(network, parameters, images, plan)
    assert integers.layers[0].sum_bound == 2**24 - 16384 + bias
    assert word_of(integers.layers[0]) is word
    assert run_integers(integers, images).outputs[0, 0] == 2**24 - 16384 + bias


def test_single_precision_would_miss_the_next_integer() -> None:
    """The proof is needed: one step further the float loop gives another number."""
    network, parameters, images, plan = edge(16385)
    integers = quantize(trained_of(network, parameters), plan)
    assert in_word(integers, images, np.float32).outputs[0, 0] == 2**24


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    bits=st.integers(2, 9),
    frac_bits=st.integers(0, 10),
    bias_frac_bits=st.integers(-2, 9),
    order=st.sampled_from(["plane_fastest", "plane_slowest"]),
)
def test_all_words_give_the_same(
    seed: int, bits: int, frac_bits: int, bias_frac_bits: int, order: str
) -> None:
    parameters, images = draw(NETWORK, seed, 3)
    plan = plan_of(NETWORK, f"s{bits}.{frac_bits}", bias=f"s16.{bias_frac_bits}", tap_order=order)
    integers = quantize(trained_of(NETWORK, parameters), plan)
    assert {word_of(layer) for layer in integers.layers} == {np.float32}
    first, *others = (in_word(integers, images, word) for word in WORDS)
    for found in others:
        assert np.array_equal(found.outputs, first.outputs)
        assert found.counts == first.counts
        assert found.clipped_pixels == first.clipped_pixels


def test_wide_sums_are_made_in_double_precision() -> None:
    parameters, images = draw(NETWORK, 2, 3)
    integers = check(NETWORK, parameters, images, plan_of(NETWORK, "s17.15", bias="s32.28"))
    assert {word_of(layer) for layer in integers.layers} == {np.float64}
    exact = in_word(integers, images, np.int64)
    assert np.array_equal(exact.outputs, run_integers(integers, images).outputs)


def test_maps_that_read_different_planes_share_a_block() -> None:
    """As LeNet-5's C3 and its subsampling layers do."""
    network = NetworkSpec(
        "joined", "", (1, 8, 8),
        (
            Conv("a", 4, 3, Tanh(1.7159, 2 / 3), bias="map"),
            Subsample("s", 2, Tanh(1.7159, 2 / 3)),
            Conv("b", 5, 2, Relu(), sees=((0, 1), (1, 2), (2, 3), (0, 3), (0, 1, 2, 3))),
            Dense("d", 3, Tanh()),
        ),
    )  # fmt: skip
    parameters, images = draw(network, 4, 2)
    plan = plan_of(network, "s8.6")
    assert len(kernel_records._blocks(network.layers[2].sees)) == 2  # type: ignore[union-attr]
    for order in ("plane_fastest", "plane_slowest"):
        check(network, parameters, images, replace(plan, tap_order=order))
        check(
            network,
            parameters,
            images,
            plan_of(network, "s8.6", "s9.6:RND_CONV:WRAP", tap_order=order),
        )
