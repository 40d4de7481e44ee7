"""What an ANNA's description says of its arithmetic, and what no text that was reached says of it."""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.cost.mapping import whole
from hw_sim.chips.sizes import array_size
from hw_sim.chips.spec import ChipSpec
from retronet.errors import InputError

MOST_INPUTS = 1 << 16
"""Terms that a description may state for a dot product."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Whole = NDArray[np.int64]


class AnnaOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What no text that was reached says of ANNA (papers' §5.5). Every default is assumed.

    Attributes
    ----------
    weights
        Placement of the levels of a weight: of 6 bits −31 … 31, −32 … 31, or 64 odd levels without a zero.
    states
        Placement of the levels of a state: of 3 bits −3 … 3, −4 … 3, or 8 odd levels without a zero.
    scales
        The 16 values of the 4-bit scale factor of a neuron: 1 … 16, or powers of two from 1 to 32,768.
    converter_step
        Step of the A/D converter in products of one step of weight and one of state, at a scale factor of 1.
        Absent: so that the neuron with the largest weights needs the largest factor.
    bias
        ``cells``: made of weights on states held at the largest level, so in steps of that level. ``fine``:
        in steps of one product.
    noise
        Standard deviation of each conversion, as a share of the converter's range: 8 steps of a state of 3
        bits.
    offset
        Standard deviation of the fixed offset of each converter, as a share of the same range.
    mismatch
        Standard deviation of the fixed relative error of each weight.
    droop
        Share of its charge that a weight loses between two refreshes; each is found at a moment of its own.
    float_layers
        Last layers that run in floating point on the companion beside the chip.
    """

    weights: Literal["sign-magnitude", "twos-complement", "no-zero"] = "sign-magnitude"
    states: Literal["mid-tread", "twos-complement", "mid-rise"] = "mid-tread"
    scales: Literal["linear", "powers-of-two"] = "linear"
    converter_step: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)] | None = None
    bias: Literal["cells", "fine"] = "cells"
    noise: Share = 0.01
    offset: Share = 0.01
    mismatch: Share = 0.02
    droop: Share = 0.01
    float_layers: Annotated[int, msgspec.Meta(ge=1)] = 1

    @property
    def ideal(self) -> "AnnaOptions":
        """The same chip without noise, offset, mismatch and droop."""
        return replace(self, noise=0.0, offset=0.0, mismatch=0.0, droop=0.0)

    @property
    def factors(self) -> Whole:
        """The values of the scale factor."""
        return np.arange(1, 17) if self.scales == "linear" else 2 ** np.arange(16)


def anna_options(chip: ChipSpec) -> AnnaOptions:
    """Return the options of `chip` as far as nothing else is said.

    As many layers run beside it as its companion runs, one without a companion. A single bit has two levels,
    one below zero and one above: no other placement leaves a weight or a state to speak of.
    """
    sizes = anna_sizes(chip)
    beside = 1 if chip.companion is None else whole(chip.companion.last_layers)
    return AnnaOptions(
        weights="no-zero" if sizes.weight_bits == 1 else "sign-magnitude",
        states="mid-rise" if sizes.state_bits == 1 else "mid-tread",
        float_layers=beside,
    )


@dataclass(frozen=True)
class AnnaSizes:
    """The sizes of a chip's arithmetic, as its file states them.

    Attributes
    ----------
    called
        What sentences call the chip.
    converters
        Dot products of a call, each with its converter.
    most_terms
        Terms of a dot product.
    weight_bits, state_bits
        Of a weight, and of a state, which is what a converter makes of a sum.
    """

    called: str
    converters: int
    most_terms: int
    weight_bits: int
    state_bits: int

    @property
    def steps(self) -> int:
        """Steps of a converter."""
        return 1 << self.state_bits

    def weight_levels(self, options: AnnaOptions) -> Whole:
        """Return the levels of a weight, ascending, in steps.

        Raises
        ------
        InputError
            If a weight of these bits has no such levels.
        """
        self._check("weights", options.weights, self.weight_bits, "no-zero")
        return _levels(options.weights, self.weight_bits)

    def state_levels(self, options: AnnaOptions) -> Whole:
        """Return the levels of a state, ascending, in steps.

        Raises
        ------
        InputError
            If a state of these bits has no such levels.
        """
        self._check("states", options.states, self.state_bits, "mid-rise")
        return _levels(options.states, self.state_bits)

    def _check(self, what: str, placement: str, bits: int, only: str) -> None:
        if bits == 1 and placement != only:
            raise InputError(
                f"The {what} of {self.called} can not be placed as '{placement}': they have 1 bit, whose two "
                f"levels lie about zero; '{only}' is allowed. Set {what}={only}, or state more bits."
            )


def anna_sizes(chip: ChipSpec) -> AnnaSizes:
    """Return the sizes of `chip`.

    Sums are not kept on the chip and dot products are not joined: each one has its converter.

    Raises
    ------
    InputError
        If the arithmetic can not take one of them.
    """
    array_size(chip, "max_joined", 1, 1)
    array_size(chip, "accumulates", 0, 0)
    return AnnaSizes(
        called=chip.called,
        converters=array_size(chip, "neurons", 1, 1 << 16),
        most_terms=array_size(chip, "inputs", 1, MOST_INPUTS),
        weight_bits=array_size(chip, "weight_bits", 1, 12),
        state_bits=array_size(chip, "state_bits", 1, 8),
    )


def _levels(placement: str, bits: int) -> Whole:
    half = 1 << (bits - 1)
    match placement:
        case "sign-magnitude" | "mid-tread":
            return np.arange(1 - half, half)
        case "twos-complement":
            return np.arange(-half, half)
        case _:
            return np.arange(1 - 2 * half, 2 * half, 2)
