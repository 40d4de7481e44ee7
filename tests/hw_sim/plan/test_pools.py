"""What a pool has in a plan: constants in place of weights, and the formats of what it reads."""

from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.small_network import check, draw
from support.trained_networks import trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.formats.fixed import Fixed
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.plan_file import parse_plan, plan_toml
from hw_sim.plan.pools import pool_formats
from retronet.errors import InputError
from retronet.network import AveragePool, HardTanh, MaxPool, load_network

NETWORK = load_network(str(Path(__file__).parents[2] / "support" / "pooled.toml"))
TEXT = """
input = "s8.6"
input_scale = 1.5
[defaults]
weight = "s6.5"
state = "s8.6"
preactivation = "s12.8"
accumulator = "s20.12"
[[layers]]
layer = "q"
state = "s7.5"
"""


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_taps_of_an_average_count_their_share_exactly(size: int) -> None:
    fields = pool_formats(AveragePool("q", size), Fixed(8, 6))
    (scale,), form = fields["weight_scale"], fields["weight"]
    assert Fraction(form.step) * Fraction(scale) == Fraction(1 / size**2)
    assert (form.low, form.high) == (0, 1)
    assert fields["bias"].frac_bits == form.frac_bits + 6
    assert pool_formats(MaxPool("p", size), Fixed(8, 6))["weight"] == Fixed(1, 0, False)


@pytest.mark.parametrize("states", ["8 bits", "6 bits, mse", "s6.4"])
def test_a_max_pool_passes_the_formats_on(states: str) -> None:
    parameters, images = draw(NETWORK, 1, 50)
    plan = calibrate(trained_of(NETWORK, parameters), images, states=states, sums="16 bits")
    below, pool, _, average, _ = plan.layers
    assert (pool.state, pool.state_scale) == (below.state, below.state_scale)
    assert pool.accumulator is None
    assert average.accumulator is not None
    squashing = replace(NETWORK.layers[1], activation=HardTanh(0.0, 0.25))
    other = replace(NETWORK, layers=(NETWORK.layers[0], squashing, *NETWORK.layers[2:]))
    below, pool, *_ = calibrate(trained_of(other, parameters), images).layers
    assert pool.state != below.state  # its states are smaller than those it reads


def test_a_plan_file_says_nothing_of_weights_of_pools() -> None:
    plan = parse_plan(TEXT, NETWORK)
    below, pool, _, average, _ = plan.layers
    assert (pool.state, pool.accumulator, pool.preactivation) == (below.state, None, None)
    assert (average.state.text, average.preactivation) == ("s7.5", None)
    assert average.accumulator == below.accumulator
    assert average.weight.text == "u1.2"
    assert below.preactivation == Fixed(12, 8)
    assert parse_plan(plan_toml(plan), NETWORK) == plan
    parameters, images = draw(NETWORK, 3, 2)
    check(NETWORK, parameters, images, plan)


def test_the_first_layer_may_be_a_pool() -> None:
    network = replace(NETWORK, layers=(replace(NETWORK.layers[1], name="first", stride=1), *NETWORK.layers))
    plan = parse_plan(TEXT, network)
    assert (plan.layers[0].state, plan.layers[0].state_scale) == (plan.input, 1.5)
    parameters, images = draw(network, 3, 2)
    check(network, parameters, images, plan)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'layer = "p"\nweight = "s8.6"',
            "'p' can not have weights of s8.6: a pool has none, .* 1 each",
        ),
        ('layer = "p"\nweight_scale = 2.0', "Layer 'p' can not have weights of u1.0"),
        (
            'layer = "p"\naccumulator = "s9.4"',
            "'p' can not have an accumulator: a max pool adds nothing",
        ),
        ('layer = "q"\nweight = "s3.0"', "Layer 'q' can not have weights of s3.0: .* 1/4 each"),
    ],
)
def test_what_a_pool_can_not_have_is_refused(line: str, sentence: str) -> None:
    text = TEXT.replace('layer = "q"\nstate = "s7.5"', line)
    parameters, _ = draw(NETWORK, 3, 1)
    with pytest.raises(InputError, match=sentence):
        quantize(trained_of(NETWORK, parameters), parse_plan(text, NETWORK))
