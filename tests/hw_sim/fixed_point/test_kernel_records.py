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
from hw_sim.fixed_point.kernel_records import in_range, word_of
from hw_sim.fixed_point.quantize import IntegerNetwork, quantize
from hw_sim.fixed_point.simulate import Simulated, run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import Accumulator, LayerPlan, PrecisionPlan
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


MANY_TAPS = NetworkSpec("many-taps", "", (1, 10, 12), (Dense("a", 6, Tanh()), Dense("b", 5, Identity())))


def drifting(seed: int, images: int) -> tuple[dict[str, Any], Any]:
    """Return parameters and images whose products are positive more often than not."""
    parameters, pixels = draw(MANY_TAPS, seed, images)
    drift = np.float32(0.3)
    return {name: np.clip(values + drift, -1, 1) for name, values in parameters.items()}, pixels + drift


def cast_one_by_one(network: IntegerNetwork, images: Any) -> Simulated:
    """Simulate with all ranges kept in 32 bits, after every product."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_records, "in_range", lambda _layer: False)
        return run_integers(network, images)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    bits=st.integers(2, 8),
    room=st.integers(0, 7),
    overflow=st.sampled_from(["WRAP", "SAT", "SAT_SYM"]),
    fused=st.booleans(),
    images=st.sampled_from([3, 130]),
)
def test_ranges_that_some_sums_leave(
    seed: int, bits: int, room: int, overflow: str, fused: bool, images: int
) -> None:
    """Without casts where none can leave the range, or one by one: the same states and the same counts."""
    parameters, pixels = drifting(seed, images)
    sums = f"s{2 * bits + room - 1}.{2 * (bits - 1)}:TRN:{overflow}"
    plan = plan_of(MANY_TAPS, f"s{bits}.{bits - 1}", sums, fused=fused, bias=f"s8.{bits - 1}")
    integers = quantize(trained_of(MANY_TAPS, parameters), plan)
    quick, slow = run_integers(integers, pixels), cast_one_by_one(integers, pixels)
    assert np.array_equal(quick.outputs, slow.outputs)
    assert quick.counts == slow.counts


@pytest.mark.parametrize("overflow", ["WRAP", "SAT", "SAT_SYM"])
def test_ranges_that_some_sums_leave_agree_with_the_reference(overflow: str) -> None:
    parameters, images = drifting(8, 2)
    counts = []
    for bits in (14, 15, 18):
        plan = plan_of(MANY_TAPS, "s6.5", f"s{bits}.10:TRN:{overflow}")
        integers = check(MANY_TAPS, parameters, images, plan)
        assert in_range(integers.layers[0])
        counts.append(run_integers(integers, images).counts[0].overflows)
    assert counts[0] > counts[1] > counts[2] == 0


@pytest.mark.parametrize("bias", [-1, 0, 1, 2])
@pytest.mark.parametrize("overflow", ["WRAP", "SAT", "SAT_SYM"])
def test_sums_at_the_edge_of_a_range(bias: int, overflow: str) -> None:
    """Sums climb to the last integer of 12 bits, or beyond it, after 31 taps of 40, and fall again."""
    network = NetworkSpec("climb", "", (1, 5, 8), (Dense("d", 2, Identity()),))
    climbing = np.array([66.0] * 31 + [-66.0] * 9)
    parameters = {
        "d.weight": np.array([climbing, -climbing], np.float32),
        "d.bias": np.array([1 + bias, 0], np.float32),
    }
    images = np.ones((2, 5, 8), np.float32)
    images[1] = 0.0
    whole, sums = Fixed(8, 0), Fixed.parse(f"s12.0:TRN:{overflow}")
    plan = PrecisionPlan(Fixed(2, 0), (LayerPlan("d", whole, whole, sums, Identity(), Accumulator(sums)),))
    integers = check(network, parameters, images, plan)
    assert in_range(integers.layers[0])
    counted = run_integers(integers, images).counts[0].overflows
    assert (counted > 0) == (bias > 0)


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
