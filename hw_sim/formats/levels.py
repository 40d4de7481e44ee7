"""Number formats that are sets of levels rather than ranges, and what all formats have in common.

A value of every format is an integer times the format's step, so that one kernel multiplies them all. The
levels of one format need not be neighbours: ±1 without a zero, the {+1, 0, −5} of a template, powers of two.
"""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed, finite, plain, to_fixed_counted
from retronet.errors import InputError

MAX_LEVEL = (1 << 31) - 1
MOST_LEVELS = 1 << 16
_LIST = re.compile(r"\{(-?\d{1,12}(?:,-?\d{1,12})+)\}(?:\.(\d{1,9}))?")
_RANGE = re.compile(r"\{(-?\d{1,12}):(-?\d{1,12}):(\d{1,12})\}(?:\.(\d{1,9}))?")
_POWERS = re.compile(r"p(\d)\.(-?\d{1,9})(z?)")


class LevelSet(msgspec.Struct, frozen=True, dict=True):
    """What follows from levels in ascending order and fraction bits."""

    if TYPE_CHECKING:

        @property
        def levels(self) -> tuple[int, ...]: ...  # noqa: D102
        @property
        def frac_bits(self) -> int: ...  # noqa: D102

    @property
    def low(self) -> int:
        """The smallest level, in steps."""
        return self.levels[0]

    @property
    def high(self) -> int:
        """The largest level, in steps."""
        return self.levels[-1]

    @property
    def step(self) -> float:
        """What a level is multiplied with, ``2^-frac_bits``; exact."""
        return 2.0**-self.frac_bits

    @property
    def minimum(self) -> float:
        """The smallest value; exact."""
        return self.low * self.step

    @property
    def maximum(self) -> float:
        """The largest value; exact."""
        return self.high * self.step

    @property
    def magnitude(self) -> int:
        """The largest absolute value of a level, in steps."""
        return max(abs(self.levels[0]), abs(self.levels[-1]))


class Levels(LevelSet, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="levels", dict=True):
    """A set of levels: integers times ``2^-frac_bits``.

    A number becomes the nearest level; from halfway on it is the upper one. Numbers beyond the ends become
    the ends: they are counted as clipped from half a step of the outermost pair on.

    Raises
    ------
    InputError
        If there are fewer than two levels, they do not ascend, or one needs more than 32 bits.
    """

    levels: tuple[int, ...]
    frac_bits: int = 0

    def __post_init__(self) -> None:
        ascends = len(self.levels) > 1 and all(
            a < b for a, b in zip(self.levels, self.levels[1:], strict=False)
        )
        fits = ascends and len(self.levels) <= MOST_LEVELS and self.magnitude <= MAX_LEVEL
        if not fits or not 0 <= self.frac_bits <= 256:
            few = f"{list(self.levels[:8])}".replace("]", ", …]" if len(self.levels) > 8 else "]")
            raise InputError(
                f"The levels {few} with {self.frac_bits} fraction bits are no format: 2 to {MOST_LEVELS:,} "
                "ascending integers within 32 bits and 0 to 256 fraction bits are allowed. Mend the list."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the levels written as `text`: ``{-1,1}``, ``{-5,0,1}``, ``{-15:15:2}.3``.

        In the second form the numbers are the first and last level and their distance; what follows the
        braces are fraction bits.
        """
        if match := _LIST.fullmatch(text):
            return cls(tuple(int(level) for level in match[1].split(",")), int(match[2] or 0))
        if (match := _RANGE.fullmatch(text)) and int(match[3]) > 0:
            levels = range(int(match[1]), int(match[2]) + 1, int(match[3]))
            return cls(tuple(levels[: MOST_LEVELS + 1]), int(match[4] or 0))
        raise InputError(
            f"{text[:60]!r} is not a set of levels. Write ascending integers, such as {{-1,0,1}}, or first, "
            "last and distance, such as {-15:15:2}.3 with 3 fraction bits."
        )

    @cached_property
    def text(self) -> str:
        """The form that `parse` reads."""
        distances = {b - a for a, b in zip(self.levels, self.levels[1:], strict=False)}
        if len(self.levels) > 3 and len(distances) == 1:
            inside = f"{self.low}:{self.high}:{distances.pop()}"
        else:
            inside = ",".join(map(str, self.levels))
        return f"{{{inside}}}" + (f".{self.frac_bits}" if self.frac_bits else "")

    @property
    def bits(self) -> int:
        """Bits that tell the levels apart."""
        return (len(self.levels) - 1).bit_length()

    @property
    def sentence(self) -> str:
        """Range and step for a reader."""
        return f"{self.text}: {len(self.levels)} levels, {plain(self.minimum)} … {plain(self.maximum)}"


class PowerOfTwo(
    LevelSet, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="power-of-two", dict=True
):
    """Plus or minus a power of two: a sign bit and `exponent_bits` for exponents from `top` downwards.

    The states of Simard and Graf (NIPS 1993): a mantissa of one bit and an exponent of 2 or 3, from ``2^0``
    down. Their text leaves a zero open: with ``zero`` it takes the place of the smallest power of either
    sign. Numbers become the nearest value, as in `Levels`.

    Raises
    ------
    InputError
        If the exponent has not 1 to 4 bits.
    """

    exponent_bits: int
    top: int = 0
    zero: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.exponent_bits <= 4 or abs(self.top) > 128:
            raise InputError(
                f"Powers of two with exponents of {self.exponent_bits} bits up to {self.top} can not be "
                "used: 1 to 4 bits and exponents within ±128 are allowed. Choose other ones."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the format written as `text`: ``p3.0`` has 3 exponent bits, ``p3.0z`` a zero too."""
        if not (match := _POWERS.fullmatch(text)):
            raise InputError(
                f"{text[:60]!r} is not a power-of-two format. Write p, exponent bits, a point and the "
                "largest exponent, such as p3.0, and z for a zero."
            )
        return cls(int(match[1]), int(match[2]), bool(match[3]))

    @property
    def text(self) -> str:
        """The form that `parse` reads."""
        return f"p{self.exponent_bits}.{self.top}{'z' if self.zero else ''}"

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The values in steps."""
        powers = [1 << exponent for exponent in range(self.zero, 1 << self.exponent_bits)]
        return (*(-power for power in reversed(powers)), *([0] if self.zero else []), *powers)

    @property
    def bits(self) -> int:
        """Bits of a value, the sign included."""
        return self.exponent_bits + 1

    @property
    def frac_bits(self) -> int:
        """The smallest power is ``2^-frac_bits`` (half of it where there is a zero)."""
        return (1 << self.exponent_bits) - 1 - self.top

    @property
    def sentence(self) -> str:
        """Range for a reader."""
        smallest = min(level for level in self.levels if level > 0) * self.step
        nought = ", and 0" if self.zero else ""
        return f"{self.text}: ±{plain(smallest)} … ±{plain(self.maximum)}, powers of two{nought}"


Format = Fixed | Levels | PowerOfTwo
_BEGINNING = re.compile(r"[sup]\d|\{")


def parse_format(text: str) -> Format:
    """Return the format written as `text`: see `Fixed.parse`, `Levels.parse` and `PowerOfTwo.parse`."""
    if text.startswith("{"):
        return Levels.parse(text)
    return PowerOfTwo.parse(text) if text.startswith("p") else Fixed.parse(text)


def begins_as_format(text: str) -> bool:
    """Return whether `text` is meant as a format, right or wrong, and not as a word."""
    return _BEGINNING.match(text) is not None


def twice_edges(form: Levels | PowerOfTwo) -> NDArray[np.int64]:
    """Return twice the numbers, in steps, from which on a value is the next level.

    The first and the last one are where clipping ends and begins: half a step beyond the ends.
    """
    levels = np.array(form.levels, np.int64)
    inner = levels[:-1] + levels[1:]
    return np.concatenate(([4 * levels[0] - inner[0]], inner, [4 * levels[-1] - inner[-1]]))


def encode(values: NDArray[Any], form: Format, seed: tuple[int, ...] = (0,)) -> tuple[NDArray[np.int64], int]:
    """Return real numbers as integers of any format, and how many were clipped; exact.

    Parameters
    ----------
    values : ndarray of float32 or float64
        Finite numbers, any shape.
    form
        The format; a value is its integer times ``form.step``.
    seed
        Decides stochastic rounding; other modes do not read it.

    Raises
    ------
    InputError
        If a value is infinite or not a number.
    """
    if isinstance(form, Fixed):
        return to_fixed_counted(values, form, seed)
    reals = finite(values, form.text)
    edges = twice_edges(form) * (0.5 * form.step)
    places = np.searchsorted(edges, reals, side="right")
    levels = np.array((form.low, *form.levels, form.high), np.int64)
    return levels[places], int(np.count_nonzero((places == 0) | (places == edges.size)))
