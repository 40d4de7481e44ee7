"""From a plan to integers: what is refused, and what is warned of."""

from typing import Any

import pytest
from support.all_kinds import NETWORK, changed
from support.small_network import NETWORK as SMALL
from support.small_network import draw, plan_of
from support.trained_networks import drawn, trained_of

from hw_sim.fixed_point.quantize import quantize
from hw_sim.formats.fixed import Fixed
from retronet.errors import InputError


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": Fixed.parse("s8.6:STOCHASTIC:SAT")}, "stochastic rounding is for weights and biases"),
        ({"weight_scale": (0.1, 0.2)}, "has 2 scales; one, or one for each of its 3 maps"),
        ({"requantise": "single"}, "requantising and a scale of pre-activations need each other"),
        ({"preactivation": Fixed(8, 6), "preactivation_scale": 0.1}, "need each other"),
        ({"state": Fixed(32, 31, signed=False)}, "must lie within the 32-bit integers"),
    ],
)
def test_plans_that_do_not_hold_together_are_refused(fields: dict[str, Any], said: str) -> None:
    parameters, _ = draw(NETWORK, 13, 1)
    with pytest.raises(InputError, match=said):
        quantize(trained_of(NETWORK, parameters), changed(plan_of(NETWORK, "s8.6"), **fields))


def test_a_border_that_is_no_value_is_warned_of() -> None:
    parameters, _ = draw(SMALL, 7, 1)
    network = quantize(trained_of(SMALL, parameters), plan_of(SMALL, "s2.1:RND:SAT_SYM", bias="s8.2"))
    assert network.layers[0].border == -1
    assert any(
        "border -1.0 of layer 'a'" in text and "-0.5 stands for it" in text for text in network.warnings
    )


def test_a_plan_of_another_network_is_refused() -> None:
    trained, _ = drawn(SMALL, 1, 1)
    with pytest.raises(
        InputError, match=r"does not fit network 'small': it has the layers a, s, b, d; a, b, c, d"
    ):
        quantize(trained, plan_of(NETWORK, "s8.6"))


def test_an_integer_network_is_told_in_one_line() -> None:
    trained, _ = drawn(NETWORK, 1, 1)
    said = repr(quantize(trained, plan_of(NETWORK, "s8.6")))
    assert said == "IntegerNetwork(all-kinds, weights: a s8.6, s s8.6, b s8.6, d s8.6; 0 warnings)"
