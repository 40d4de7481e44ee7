"""Room in a format for what it must hold besides the numbers that it was fitted to: borders and biases.

A layer reads its border in the format of the pixels or states below, and its sums start with biases that may
be far larger than any product. A format that was chosen, not given, clips neither.
"""

import math
from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.formats.fixed import MAX_FRAC_BITS, Fixed
from hw_sim.formats.levels import Format
from hw_sim.plan.plan import ONE
from hw_sim.plan.pools import passes_states
from retronet.errors import InputError
from retronet.network import Conv, NetworkSpec, Padding, SizedLayer, sized_layers

Scaled = tuple[Format, tuple[float, ...], tuple[float, ...] | None]
"""A format, its scales, and what to divide by before the cast if not by those."""
START_BITS = 59
"""Sums that are kept exactly have 61 bits: so many for what they start with, the rest for products."""


def borders_above(network: NetworkSpec) -> dict[str, float]:
    """Return the border that is read in the format of each layer's states, that of the pixels under ``""``.

    It is 0 where none is. A max pool may hand on the states below it, and their format with them.
    """
    borders: dict[str, float] = {}
    layers = sized_layers(network)
    border = 0.0
    for below, sized in reversed(list(zip(["", *(each.name for each in layers)], layers, strict=False))):
        if isinstance(sized.layer, Conv):
            border = 0.0 if sized.padding == Padding() else sized.layer.border
        elif not passes_states(sized.layer):
            border = 0.0
        borders[below] = border
    return borders


def holding_border(form: Fixed, border: float) -> Fixed:
    """Return `form` with as many fraction bits fewer as it takes to hold `border`."""
    while not form.minimum <= border <= form.maximum:
        form = replace(form, frac_bits=form.frac_bits - 1)
    return form


def scale_for_border(scale: float, form: Format, border: float, *, power: bool) -> float:
    """Return `scale`, or the smallest one that makes `form` hold `border`; a power of two if asked for.

    A format without values of the border's sign holds none at any scale: then it is `scale`.
    """
    end = form.maximum if border > 0 else -form.minimum
    if end <= 0 or abs(border) <= end * scale:
        return scale
    if not power:
        return abs(border) / end
    fraction, exponent = math.frexp(abs(border) / end)
    return math.ldexp(1.0, exponent - (fraction == 0.5))


def largest_start(
    sized: SizedLayer, parameters: Mapping[str, NDArray[np.floating]], scales: tuple[float, ...], below: float
) -> float:
    """Return the largest magnitude of a bias of a layer, divided by the scales of weights and inputs.

    Parameters
    ----------
    sized, parameters
        The layer, and the arrays of its network.
    scales
        Of the weights: one, or one a map.
    below
        Of the inputs.
    """
    if f"{sized.name}.bias" not in parameters:
        return 0.0  # a pool
    biases = np.abs(parameters[f"{sized.name}.bias"].astype(np.float64))
    of_sums = np.array([scale * below for scale in scales]).reshape(-1, *[1] * (biases.ndim - 1))
    return float((biases / of_sums).max(initial=0.0))


def coarser(weight: Scaled, excess: int, *, given: bool) -> Scaled:
    """Return weights in steps ``2^excess`` times as large; a format that was `given` is left as it is."""
    form, scales, divisors = weight
    if excess == 0:
        return weight
    if isinstance(form, Fixed) and scales == ONE and not given:
        return replace(form, frac_bits=form.frac_bits - excess), scales, divisors
    factor = 2.0**excess
    lifted = tuple(scale * factor for scale in scales)
    return form, lifted, None if divisors is None else tuple(divisor * factor for divisor in divisors)


def excess_bits(start: float, product_bits: int) -> int:
    """Return by how many bits a sum that starts with `start` would leave what exact sums have for it."""
    return max(math.frexp(start)[1] + product_bits - START_BITS, 0) if start else 0


def start_bits(start: float, product_bits: int, form: Fixed) -> int:
    """Return the fraction bits of a bias: those of a product, or as many as let `form` hold `start`.

    Raises
    ------
    InputError
        If `start` is infinite.
    """
    if not math.isfinite(start):
        raise InputError(
            "A bias is infinite, or so much larger than its layer's products that no format holds both; "
            "finite ones are needed. Train or import a network with smaller biases."
        )
    bits = min(product_bits, MAX_FRAC_BITS)
    if start and form.high:
        bits = min(bits, math.frexp(form.high)[1] - math.frexp(start)[1] + 1)
        while math.ldexp(start, bits) > form.high:
            bits -= 1
    return bits


def bias_of(form: Fixed, start: float, product_bits: int) -> Fixed:
    """Return `form` with the fraction bits of a product, or as many as hold biases up to `start`."""
    return replace(form, frac_bits=start_bits(start, product_bits, form))
