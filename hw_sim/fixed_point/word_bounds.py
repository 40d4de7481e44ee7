"""Proofs that the integers of a layer fit the machine words that hold them."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import CAST_LIMIT, Fixed
from hw_sim.formats.levels import Format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.plan.plan import LayerPlan
from retronet.errors import InputError
from retronet.network import MaxPool, Rbf, SizedLayer

WORD = (1 << 31) - 1
SumMethod = Literal["exact", "fit", "product", "fused", "split"]
"""No cast; sums wrapped or clamped in one step; product cast, then sum; exact product added, sum cast;
product cast to a format of its own."""
WordBits = Literal[32, 64]


def check_formats(sized: SizedLayer, formats: LayerPlan, below: Format) -> None:
    """Refuse formats that have no place in a layer.

    Raises
    ------
    InputError
        If a format is too wide, rounds what runs per image stochastically, or lacks its counterpart.
    """
    if isinstance(sized.layer, Rbf):
        raise InputError(
            f"Layer '{sized.name}' can not be put on integers: an RBF layer must be the last one."
        )
    if isinstance(sized.layer, MaxPool) and formats.accumulator is not None:
        raise InputError(
            f"Layer '{sized.name}' can not have an accumulator: a max pool adds nothing up. Leave "
            "`accumulator` out of its plan."
        )
    for form in (formats.weight, below, formats.state):
        if form.magnitude > WORD + 1:
            raise InputError(
                f"Layer '{sized.name}' can not use the format {form.text}: weights, inputs and states must "
                "lie within the 32-bit integers with a sign. Give it a bit less."
            )
    running: list[Format | None] = [below, formats.state, formats.preactivation]
    if formats.accumulator is not None:
        running += [formats.accumulator.form, formats.accumulator.product]
    for kept in running:
        if isinstance(kept, Fixed) and kept.rounding is Rounding.STOCHASTIC:
            raise InputError(
                f"Layer '{sized.name}' can not use {kept.text}: stochastic rounding is for weights and "
                "biases. Choose another rounding mode for inputs, sums and states."
            )
    alone = formats.preactivation is None and formats.requantise is not None
    if alone or (formats.requantise is None and formats.preactivation_scale != 1):
        raise InputError(
            f"The plan of layer '{sized.name}' is incomplete: requantising and a scale of pre-activations "
            "need each other and a format of pre-activations. Give all of them or none."
        )


def prove(
    name: str,
    formats: LayerPlan,
    weights: NDArray[Any],
    starts: NDArray[np.int64],
    largest: int,
    product_bits: int,
) -> tuple[SumMethod, WordBits, int]:
    """Return how to add, the machine word that holds whatever happens, and the bound that proves it.

    Parameters
    ----------
    weights : ndarray of int64, shape (maps, taps)
    starts : ndarray of int64
        What sums start with.
    largest
        The largest magnitude of an input.
    product_bits
        Fraction bits of a product.

    Raises
    ------
    InputError
        If sums could leave 64 bits.
    """
    most = int(np.abs(weights).max(initial=0)) * largest
    accumulator = formats.accumulator
    method: SumMethod
    if accumulator is None:
        fan = int(np.abs(weights).sum(axis=1).max(initial=0))  # below 2^31 each: no sum of them wraps
        bound = widest = fan * largest + int(np.abs(starts).max(initial=0))
        method = "exact"
    elif accumulator.product is not None:
        form, product = accumulator.form, accumulator.product
        common = max(form.frac_bits, product.frac_bits)
        lifts = common - form.frac_bits, common - product.frac_bits
        parts = ((form.magnitude + 1) << min(lifts[0], 62), (product.magnitude + 1) << min(lifts[1], 62))
        method, bound = "split", sum(parts)
        widest = max(bound + (1 << min(lifts[0], 62)), most, WORD)
    else:
        form = accumulator.form
        shift = min(product_bits - form.frac_bits, 62)
        held = form.magnitude + 1
        fits = shift == 0 and form.overflow is not Overflow.SAT_ZERO
        whole = accumulator.fused or (form.low <= -most and most <= form.high)
        if fits and whole and most + 2 * held < WORD:
            method = "fit"
        else:
            method = "fused" if accumulator.fused else "product"
        # A sum before its cast, what rounding may add, and the range that WRAP subtracts.
        bound = (held << shift) + most if method == "fused" else held + (most >> shift) + 1
        widest = max(bound, most) + (1 << shift) + held
    if widest < WORD:
        return method, 32, bound
    if widest < CAST_LIMIT:
        return method, 64, bound
    raise beyond(name, bound)


def prove_largest(name: str, largest: int) -> tuple[SumMethod, WordBits, int]:
    """Return what `prove` does for the largest of inputs up to `largest`: it is no larger than they are."""
    if largest >= CAST_LIMIT:
        raise beyond(name, largest)
    return "exact", 32 if largest < WORD else 64, largest


def prove_requantised(name: str, variant: str, multipliers: tuple[tuple[int, int], ...], bound: int) -> None:
    """Refuse sums that 32-bit requantising can not take."""
    lift = max(max(shift for _, shift in multipliers), 0) if variant == "double" else 0
    if bound << lift > WORD + 1:
        raise InputError(
            f"Sums of layer '{name}' could reach {bound << lift}, beyond the 32 bits that requantising "
            "takes. Give weights or inputs fewer bits, or a smaller scale to the pre-activations."
        )


def beyond(name: str, bound: int) -> InputError:
    """Return the refusal of sums that 64 bits do not hold."""
    return InputError(
        f"Sums of layer '{name}' could reach {bound}, beyond what 64 bits hold safely (2^61). Give weights, "
        "inputs or the accumulator fewer bits."
    )
