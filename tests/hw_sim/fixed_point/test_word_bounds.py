"""How sums are made and the words that are proved to hold them."""

import numpy as np
import pytest
from support.small_network import NETWORK, check, draw, plan_of
from support.trained_networks import trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.trace import trace_integers
from hw_sim.formats.modes import DETERMINISTIC, Overflow
from retronet.errors import InputError

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
    parameters, images = draw(NETWORK, 1, 3)
    integers = check(NETWORK, parameters, images, plan_of(NETWORK, "s8.6", sums, fused=fused))
    assert {layer.method for layer in integers.layers} == {method}
    assert {layer.word_bits for layer in integers.layers} == {word_bits}


def test_wide_words_bit_for_bit() -> None:
    parameters, images = draw(NETWORK, 2, 3)
    integers = check(NETWORK, parameters, images, plan_of(NETWORK, "s17.15", bias="s32.28"))
    assert {(layer.method, layer.word_bits) for layer in integers.layers} == {("exact", 64)}


def test_the_bound_of_exact_sums_is_reached_by_the_worst_image() -> None:
    # All weights of one sign and the most negative pixel: nothing but the bias is away from the bound.
    network = type(NETWORK)("one", "", (1, 2, 2), NETWORK.layers[2:3])
    parameters = {"c.weight": np.full((5, 4), -2.0, np.float32), "c.bias": np.full(5, 1.0, np.float32)}
    integers = quantize(trained_of(network, parameters), plan_of(network, "s8.6"))
    found = trace_integers(integers, np.full((1, 2, 2), -2.0, np.float32))
    assert int(found.layers[0].sums.max()) == integers.layers[0].sum_bound == 4 * 128 * 128 + 4096


def test_sums_beyond_64_bits_are_refused() -> None:
    parameters, _ = draw(NETWORK, 8, 1)
    parameters = {name: values * 100 for name, values in parameters.items()}
    with pytest.raises(InputError, match="beyond what 64 bits hold"):
        quantize(trained_of(NETWORK, parameters), plan_of(NETWORK, "s32.24", bias="s32.20"))
