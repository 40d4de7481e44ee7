"""Thresholds of squashing functions against arbitrary-precision arithmetic."""

import mpmath
import numpy as np
import pytest
import reference_integer

from hw_sim.formats import Fixed, Overflow, Rounding
from hw_sim.staircase import Staircase, tanh_staircase
from retronet.errors import InputError
from retronet.network import Tanh

LECUN = Tanh(1.7159, 2 / 3)


def look_up(stairs: Staircase, total: int) -> int:
    cell = (min(max(total, stairs.first), stairs.final) - stairs.first) >> stairs.shift
    return int(stairs.levels[cell + int(total >= stairs.thresholds[cell])])


def expected(tanh: Tanh, total: int, frac_bits: int, state: Fixed) -> tuple[int, bool]:
    with mpmath.workdps(80):
        value = tanh.amplitude * mpmath.tanh(mpmath.mpf(tanh.slope) * total * mpmath.mpf(2) ** -frac_bits)
        exact = reference_integer.Fraction(int(mpmath.floor(value * mpmath.mpf(2) ** 240)), 2**240)
    return reference_integer.cast(exact, state)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("overflow", Overflow)
@pytest.mark.parametrize(("bits", "frac_bits"), [(4, 2), (8, 6), (5, 7)])
def test_every_sum_of_small_formats(
    rounding: Rounding, overflow: Overflow, bits: int, frac_bits: int
) -> None:
    state = Fixed(bits, frac_bits, True, rounding, overflow)
    for tanh, sum_bits in ((LECUN, 6), (Tanh(1.0, 1.0), 5)):
        stairs = tanh_staircase(tanh, sum_bits, state)
        for total in range(-700, 701):
            value, clipped = expected(tanh, total, sum_bits, state)
            assert look_up(stairs, total) == value, (tanh, total)
            assert (not stairs.inside <= total < stairs.beyond) == clipped, (tanh, total)


@pytest.mark.parametrize(
    ("state", "sum_bits"), [("s8.6", 13), ("s8.7:TRN:SAT", 20), ("s16.14", 30), ("s12.10:RND_CONV:SAT", 45)]
)
def test_both_sides_of_every_threshold_of_large_formats(state: str, sum_bits: int) -> None:
    form = Fixed.parse(state)
    stairs = tanh_staircase(LECUN, sum_bits, form)
    steps = np.unique(stairs.thresholds[stairs.thresholds < 2**60])
    assert len(steps) > 2 ** (form.bits - 1) - 2
    for total in np.random.default_rng(5).choice(steps, min(len(steps), 300), replace=False).tolist():
        for near in (total - 1, total):
            assert look_up(stairs, near) == expected(LECUN, near, sum_bits, form)[0]


def test_amplitude_on_an_edge_is_never_reached() -> None:
    stairs = tanh_staircase(Tanh(1.0, 1.0), 4, Fixed(8, 6, rounding=Rounding.TRN))
    assert look_up(stairs, 2**50) == 63
    assert look_up(stairs, -(2**50)) == -64


def test_states_too_fine_for_a_table_are_refused() -> None:
    with pytest.raises(InputError, match="at most 262144 are allowed"):
        tanh_staircase(LECUN, 30, Fixed(32, 30))
