"""What a NET32K's description says of its arithmetic, and how a network lies on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from hw_sim.chips.sizes import array_size
from hw_sim.chips.spec import ChipSpec

Whole = NDArray[np.int64]
Weights = Literal["1-bit", "2-bit", "3-bit", "4-bit", "ternary"]
StateBits = Literal[1, 2, 3]


class Net32kOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a network lies on the chip, and what no text that was reached says of it.

    Attributes
    ----------
    layers
        First layers on the chip; the others run in floating point beside it.
    weights
        Bits of a weight: so many cells with factors 1, 2, 4, 8; or ternary, two cells of one factor.
    state_bits
        Bits of the states between layers on the chip: 1 is a threshold, 2 and 3 are staircases of 3 and 7
        comparators.
    input_bits
        Bits of the pixels.
    law
        What an error of a chip is an error of. The source says that a comparator set to 100 connections may
        fire at 95; the law is assumed. ``reference``: each comparator's reference, by a share of itself;
        ``count``: the same, with the reference counted in conducting connections; ``block``: the current of
        each block; ``cell``: that of each cell.
    accuracy
        Standard deviation of that share: 4–5 % as made, 1 % with neurons spent on trimming (NET32K §3).
        That these are standard deviations is assumed.
    """

    layers: Annotated[int, msgspec.Meta(ge=1)] = 2
    weights: Weights = "2-bit"
    state_bits: StateBits = 2
    input_bits: Literal[1, 2, 3, 4] = 2
    law: Literal["reference", "count", "block", "cell"] = "reference"
    accuracy: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.045

    @property
    def cell_factors(self) -> Whole:
        """Factors of the cells of one weight."""
        return np.array([1, 1]) if self.weights == "ternary" else 2 ** np.arange(int(self.weights[0]))

    @property
    def weight_levels(self) -> Whole:
        """Values of a weight."""
        return np.array([-2, 0, 2]) if self.weights == "ternary" else odd_levels(int(self.weights[0]))


def odd_levels(bits: int) -> Whole:
    """Return −(2^bits − 1) … 2^bits − 1 without the even numbers."""
    return np.arange(1 - 2**bits, 2**bits, 2)


@dataclass(frozen=True)
class Net32kSizes:
    """The sizes of a chip's arithmetic, as its file states them.

    Attributes
    ----------
    called
        What sentences call the chip.
    block
        One-bit connections of a block.
    most_blocks
        Blocks that join to one sum.
    """

    called: str
    block: int
    most_blocks: int

    @property
    def connections(self) -> int:
        """One-bit products of the longest sum."""
        return self.block * self.most_blocks


def net32k_sizes(chip: ChipSpec) -> Net32kSizes:
    """Return the sizes of `chip`.

    A connection is one bit by one bit; wider numbers are made of several. Sums leave the chip through
    comparators and are not kept on it.

    Raises
    ------
    InputError
        If the arithmetic can not take one of them.
    """
    array_size(chip, "weight_bits", 1, 1)
    array_size(chip, "state_bits", 1, 1)
    array_size(chip, "accumulates", 0, 0)
    blocks = array_size(chip, "neurons", 1, 1 << 16)
    return Net32kSizes(
        called=chip.called,
        block=array_size(chip, "inputs", 1, 4096),
        most_blocks=array_size(chip, "max_joined", 1, min(blocks, 64)),
    )


def net32k_options(chip: ChipSpec) -> Net32kOptions:
    """Return the options of `chip` as far as nothing else is said: 2 bits, or fewer where less joins."""
    most = net32k_sizes(chip).most_blocks
    options = Net32kOptions(weights="2-bit" if most >= 4 else "1-bit")
    return replace(options, state_bits=1, input_bits=1) if most == 1 else options


def precisions(sizes: Net32kSizes, options: Net32kOptions) -> Iterator[Net32kOptions]:
    """Yield `options` at every precision that the chip's blocks allow, those of fewest cells first.

    A weight takes a block a cell, and so many for each bit of what it reads.
    """
    made = [replace(options, weights=weights) for weights in get_args(Weights)]
    for each in sorted(made, key=lambda each: int(each.weight_levels[-1])):
        most = sizes.most_blocks // len(each.cell_factors)
        for bits in get_args(StateBits) if options.input_bits <= most else ():
            if bits <= most:
                yield replace(each, state_bits=bits)
