"""Plans: what they refuse, and how they are described."""

import pytest
from msgspec.structs import replace
from support.small_network import NETWORK, plan_of

from hw_sim.formats.fixed import Fixed
from hw_sim.plan.plan import Accumulator
from retronet.errors import InputError


def test_fused_sums_have_no_products() -> None:
    with pytest.raises(InputError, match="fused sums take the exact product"):
        Accumulator(Fixed(8, 6), fused=True, product=Fixed(8, 6))


def test_every_format_is_described_in_real_numbers() -> None:
    plan = plan_of(NETWORK, "s4.2", "s9.4:TRN:WRAP")
    layers = (replace(plan.layers[0], weight_scale=(0.5, 2.0, 1.0), state_scale=3.0), *plan.layers[1:])
    rows = replace(plan, layers=layers, input_scale=0.25).describe()

    assert [(row.layer, row.role) for row in rows[:5]] == [
        ("", "input"), ("a", "weight"), ("a", "bias"), ("a", "accumulator"), ("a", "state"),
    ]  # fmt: skip
    assert (rows[0].minimum, rows[0].maximum, rows[0].step) == (-0.5, 0.4375, 0.0625)
    # A map has a scale of its own: the range is that of the largest, the steps are the smallest and largest.
    weight = rows[1]
    assert (weight.minimum, weight.maximum, weight.step, weight.largest_step) == (-4.0, 3.5, 0.125, 0.5)
    assert (rows[3].text, rows[3].rounding, rows[3].overflow) == ("s9.4:TRN:WRAP", "TRN", "WRAP")
    assert rows[4].step == 0.75


def test_exact_sums_have_no_range() -> None:
    row = next(row for row in plan_of(NETWORK, "s4.2").describe() if row.role == "accumulator")
    assert (row.text, row.minimum, row.maximum, row.step) == ("exact", None, None, None)
