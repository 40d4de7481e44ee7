"""The DSP-32C's arithmetic in plain fractions: papers' §6.2 and §6.4, one step a line and nothing clever."""

from fractions import Fraction
from math import floor

LOWEST_EXPONENT, HIGHEST_EXPONENT = -127, 127


def power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def exponent_of(value: Fraction) -> int:
    """Return k with value / 2^k in [1, 2) or [-2, -1)."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    while not (1 <= value / power(exponent) < 2 or -2 <= value / power(exponent) < -1):
        exponent += 1 if abs(value / power(exponent)) >= 2 else -1
    return exponent


def floor_to(value: Fraction, step: Fraction) -> Fraction:
    return floor(value / step) * step


def in_range(value: Fraction, fraction_bits: int) -> Fraction:
    """Return a normalised value, saturated where its exponent is too large and 0 where it is too small."""
    if value == 0 or exponent_of(value) < LOWEST_EXPONENT:
        return Fraction(0)
    if exponent_of(value) > HIGHEST_EXPONENT:
        mantissa = Fraction(-2) if value < 0 else 2 - power(-fraction_bits)
        return mantissa * power(HIGHEST_EXPONENT)
    return value


def multiply_add(total: Fraction, weight: Fraction, state: Fraction) -> Fraction:
    """Return the accumulator after one product: 31 fraction bits, from addends aligned at 46."""
    product = weight * state
    if product == 0:
        return total
    if total == 0:
        found = product
    else:
        largest = max(exponent_of(total), exponent_of(weight) + exponent_of(state))
        step = power(largest - 46)
        found = floor_to(total, step) + floor_to(product, step)
    if found == 0:
        return Fraction(0)
    return in_range(floor_to(found, power(exponent_of(found) - 31)), 31)


def store(total: Fraction) -> Fraction:
    """Return the memory word of an accumulator: its guard bits are dropped."""
    return total if total == 0 else floor_to(total, power(exponent_of(total) - 23))


def decode_words(word: int) -> Fraction:
    """Return the value of a memory word."""
    exponent, fraction = word & 0xFF, Fraction(word >> 8 & 0x7FFFFF, 1 << 23)
    if exponent == 0:
        return Fraction(0)
    return (fraction - 2 if word >> 31 else fraction + 1) * power(exponent - 128)


if __name__ == "__main__":
    import argparse
    import hashlib

    import numpy as np

    from hw_sim.chips.dsp32c.network import dsp_layers, run_dsp
    from retronet.network import Conv, Dense, NetworkSpec, Relu, Tanh
    from retronet.recipe import load_recipe
    from retronet.trained import Trained
    from support.small_network import draw

    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    tiny = NetworkSpec(
        name="tiny",
        title="",
        input=(1, 4, 4),
        layers=(Conv("a", 2, 3, Tanh(), stride=2, pad=1, border=-1.0, bias="unit"), Dense("b", 2, Relu())),
    )
    parameters, images = draw(tiny, 3, 2)
    images[0, 0, :2] = 0.0, -np.float32(2.0**-126)
    layers = dsp_layers(Trained(tiny, parameters, load_recipe("lecun1989")))
    print(hashlib.sha256(run_dsp(tiny, layers, images).tobytes()).hexdigest())  # noqa: T201
