"""A slid network on integers: every output is that of a separate window, whatever sums are cast to."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from support.sliding_networks import field_of, sliding_network
from support.trained_networks import dataset_of, drawn

from hw_sim.fixed_point.quantize import quantize
from hw_sim.fixed_point.simulate import run_integers
from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import parse_format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import parse_rule
from hw_sim.plan.calibrate import calibrate
from hw_sim.plan.rules import SumRule, TensorRule
from retronet.network import Conv, Dense, NetworkSpec, Subsample, Tanh
from retronet.reading.slide import slid, step_of, windows_of

TANH = Tanh(1.7159, 2 / 3)
NETWORK = NetworkSpec(
    "sliding",
    "",
    (1, 12, 12),
    (
        Conv("a", 3, 5, TANH),
        Subsample("b", 2, TANH),
        Conv("c", 4, 2, TANH, sees=((0, 2), (1,), (0, 1), (2,)), stride=1),
        Dense("d", 6, TANH),
        Dense("output", 10, TANH),
    ),
)
SUMS = {
    "exact": SumRule(),
    "wrapping": SumRule(10, overflow=Overflow("WRAP")),
    "saturating": SumRule(form=Fixed.parse("s9.4:TRN:SAT")),
}
WEIGHTS = (
    TensorRule(),
    TensorRule(form=parse_format("p3.0"), scale=parse_rule("mse")),
    TensorRule(form=parse_format("{-1,0,1}"), scale=parse_rule("threshold:0.7")),
    TensorRule(4, scale=parse_rule("max-abs/map")),
    TensorRule(5, rounding=Rounding.STOCHASTIC),
)
"""Plain ones, powers of two, three levels, a scale a map, and weights rounded by chance."""


@pytest.mark.parametrize("sums", SUMS)
@pytest.mark.parametrize("order", ["plane_fastest", "plane_slowest"])
def test_windows_of_a_field_are_bit_for_bit_those_alone(sums: str, order: Any) -> None:
    trained, images = drawn(NETWORK, 5, 30)
    plan = replace(calibrate(trained, dataset_of(images), 6, sums=SUMS[sums]), tap_order=order)
    step = step_of(NETWORK)
    field = np.random.default_rng(1).uniform(-1, 1, (3, 12 + 2 * step, 12 + 9 * step)).astype(np.float32)
    found = run_integers(quantize(slid(trained, *field.shape[1:]), plan), field).outputs.reshape(3, 10, 3, 10)
    windows = windows_of(field, NETWORK).reshape(-1, 12, 12)
    wanted = run_integers(quantize(trained, plan), windows).outputs.reshape(3, 3, 10, 10)
    assert len(np.unique(wanted)) > 10
    np.testing.assert_array_equal(found, wanted.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("seed", range(40))
def test_so_they_are_of_any_network_in_any_numbers(seed: int) -> None:
    network = sliding_network(seed)
    field, down, across = field_of(network, seed)
    trained, images = drawn(network, seed, 20)
    sums = tuple(SUMS.values())[seed % 3]
    plan = calibrate(trained, dataset_of(images), 6, weights=WEIGHTS[seed % 5], sums=sums)
    windows = windows_of(field, network).reshape(-1, *network.input[1:])
    alone = run_integers(quantize(trained, plan), windows).outputs
    wanted = alone.reshape(2, down, across, -1).transpose(0, 3, 1, 2)
    wide = quantize(slid(trained, *field.shape[1:]), plan)
    np.testing.assert_array_equal(run_integers(wide, field).outputs.reshape(wanted.shape), wanted)
