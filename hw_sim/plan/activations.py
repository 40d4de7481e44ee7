"""How hardware makes a state of a sum, besides computing the activation exactly and rounding it."""

import math
from itertools import pairwise
from typing import Annotated

import msgspec

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.modes import Overflow, Rounding
from retronet.errors import InputError
from retronet.network import Activation, Finite, HardTanh, Sigmoid, Tanh


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="table"):
    """A table of tanh, or of another bounded function, over ``[−limit, limit)``.

    The index is the sum times ``entries / (2 · limit)``, rounded by `index`, plus half the entries, and held
    at the ends of the table. Entry ``i`` is the function of ``(i − entries / 2) · 2 · limit / entries``,
    cast to `entry`; the entry is then cast to the format of the states. The defaults are hls4ml's.
    """

    function: Tanh | Sigmoid | HardTanh = Tanh()
    limit: Annotated[float, msgspec.Meta(ge=1e-30, le=1e30)] = 4.0
    entries: Annotated[int, msgspec.Meta(ge=2, le=1 << 18, multiple_of=2)] = 1024
    index: Rounding = Rounding.TRN_ZERO
    entry: Fixed = Fixed(18, 10, True, Rounding.TRN, Overflow.WRAP)

    def __post_init__(self) -> None:
        if Rounding.STOCHASTIC in (self.index, self.entry.rounding):
            raise InputError(
                "A table can not be rounded stochastically: it is fixed. Choose another rounding mode for "
                "its index and entries."
            )


class PiecewiseLinear(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="piecewise-linear"
):
    """Straight lines between points ``(sum, state)``, level beyond the first and the last one.

    Raises
    ------
    InputError
        If there are fewer than two points, the sums do not ascend or the states descend.
    """

    points: tuple[tuple[Finite, Finite], ...]

    def __post_init__(self) -> None:
        numbers = [number for point in self.points for number in point]
        ascends = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(self.points))
        if len(self.points) < 2 or not ascends or not all(map(math.isfinite, numbers)):
            few = f"{list(self.points[:4])}".replace("]", ", …]" if len(self.points) > 4 else "]")
            raise InputError(
                f"The points {few} are no piecewise linear activation: two or more with "
                "ascending sums and states that never descend are allowed. Mend the list."
            )


class Converter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="converter"):
    """A saturating A/D converter: `gain` times the sum, cast to the format of the states.

    The format says the rest: ``s3.1`` converts to 8 codes with one for zero, ``{-7:7:2}.2`` to 8 without. As
    a squashing function it stands for a tanh of the same slope at 0.
    """

    gain: Annotated[float, msgspec.Meta(ge=1e-30, le=1e30)] = 1.0


HardwareActivation = Activation | Table | PiecewiseLinear | Converter


def computes(squash: HardwareActivation, own: Activation) -> bool:
    """Return whether `squash` is the function `own`, computed exactly or from a table of it."""
    return squash == own or (isinstance(squash, Table) and squash.function == own)


def written(squash: HardwareActivation) -> str:
    """Return how an activation is written in a sentence."""
    match squash:
        case Tanh(amplitude=amplitude, slope=slope):
            return f"{amplitude:g} tanh({slope:.5g} a)"
        case HardTanh(low=low, high=high):
            return f"a hard tanh between {low:g} and {high:g}"
        case Table(function=function):
            return f"a table of {written(function)}"
        case PiecewiseLinear(points=points):
            return f"lines through {len(points)} points"
        case Converter(gain=gain):
            return f"a converter of gain {gain:g}"
        case _:
            return type(squash).__name__.lower()
