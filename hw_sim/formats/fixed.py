"""Number formats: what a bit pattern means, exactly.

The semantics are ap_fixed's: a value is an integer times ``2^-frac_bits``; a cast rounds to the fraction
bits of the destination and then treats what does not fit. ap_fixed's ``⟨W, I⟩`` is ``bits = W`` and
``frac_bits = W − I``; the integer bits count the sign.
"""

import re
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.casts import LIMIT, cast_integers, cast_reals
from hw_sim.formats.modes import Overflow, Rounding
from retronet.errors import InputError

MAX_BITS = 32
MAX_FRAC_BITS = 256
CAST_LIMIT = LIMIT
"""Integers below this magnitude can be cast without leaving 64 bits (see casts.py)."""
_TEXT = re.compile(rf"([su])(\d{{1,9}})\.(-?\d{{1,9}})(?::({'|'.join(Rounding)}):({'|'.join(Overflow)}))?")


class Fixed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """Fixed point: ``bits`` bits, the last ``frac_bits`` of them behind the binary point.

    ``frac_bits`` may be negative (steps above 1) or exceed ``bits`` (a range well inside ±1).

    Raises
    ------
    InputError
        If ``bits`` is not 1 … 32 or ``frac_bits`` is not −256 … 256.
    """

    bits: int
    frac_bits: int
    signed: bool = True
    rounding: Rounding = Rounding.RND
    overflow: Overflow = Overflow.SAT

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise InputError(
                f"A fixed-point format of {self.bits} bits can not be used: 1 to {MAX_BITS} bits are "
                "allowed, and 0 does not stand for 'exact'. Give a number of bits in that range."
            )
        if abs(self.frac_bits) > MAX_FRAC_BITS:
            raise InputError(
                f"A fixed-point format with {self.frac_bits} fraction bits can not be used: "
                f"−{MAX_FRAC_BITS} to {MAX_FRAC_BITS} are allowed. Rescale the numbers."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the format written as `text`: ``s8.6``, ``u8.8``, ``s8.-2``, ``s18.10:TRN:WRAP``.

        Raises
        ------
        InputError
            If `text` is not of that form.
        """
        match = _TEXT.fullmatch(text)
        if not match:
            raise InputError(
                f"{text[:60]!r} is not a number format. A format is s or u, bits, a point and fraction bits, "
                f"such as s8.6, and may be followed by a rounding mode ({', '.join(Rounding)}) and an "
                f"overflow mode ({', '.join(Overflow)}), such as s8.6:TRN:WRAP. Write one of that form."
            )
        sign, bits, frac_bits, rounding, overflow = match.groups()
        modes = (Rounding(rounding), Overflow(overflow)) if rounding else ()
        return cls(int(bits), int(frac_bits), sign == "s", *modes)

    @property
    def text(self) -> str:
        """The form that `parse` reads; the modes are left out where they are RND and SAT."""
        modes = (
            "" if (self.rounding, self.overflow) == ("RND", "SAT") else f":{self.rounding}:{self.overflow}"
        )
        return f"{'s' if self.signed else 'u'}{self.bits}.{self.frac_bits}{modes}"

    @property
    def low(self) -> int:
        """The smallest integer that a cast can produce."""
        if not self.signed:
            return 0
        return -(1 << (self.bits - 1)) + (self.overflow is Overflow.SAT_SYM)

    @property
    def high(self) -> int:
        """The largest integer that a cast can produce."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def step(self) -> float:
        """The distance of neighbouring values, ``2^-frac_bits``; exact."""
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
        """The largest absolute value of an integer of this format."""
        return max(self.high, -self.low)

    @property
    def sentence(self) -> str:
        """Range and step for a reader, such as ``s8.6: −2 … 1.984375, step 2^-6``."""
        ends = f"{plain(self.minimum)} … {plain(self.maximum)}"
        return f"{self.text}: {ends}, step 2^{-self.frac_bits}"


def to_fixed(values: NDArray[Any], form: Fixed, seed: tuple[int, ...] = (0,)) -> NDArray[np.int64]:
    """Cast real numbers to `form`; exact, as the numbers are binary fractions.

    Parameters
    ----------
    values : ndarray of float32 or float64
        Finite numbers, any shape.
    form
        The format to cast to.
    seed
        Decides stochastic rounding; other modes do not read it.

    Returns
    -------
    ndarray of int64
        The integers, shaped like `values`; a value is the integer times ``form.step``.

    Raises
    ------
    InputError
        If a value is infinite or not a number: no overflow mode says what those become.
    """
    return to_fixed_counted(values, form, seed)[0]


def to_fixed_counted(
    values: NDArray[Any], form: Fixed, seed: tuple[int, ...] = (0,)
) -> tuple[NDArray[np.int64], int]:
    """Return what `to_fixed` does, and how many values overflowed."""
    reals = finite(values, form.text)
    if form.rounding is Rounding.STOCHASTIC:
        reals = np.ldexp(reals, form.frac_bits)
        down = np.floor(reals)
        # The draw has 53 bits; a fraction that holds is never rounded up from nothing.
        up = np.random.default_rng(seed).random(reals.shape) < reals - down
        reals = np.ldexp(down + up, -form.frac_bits)
    # What chance has rounded is whole: any mode will do.
    mode = Rounding.RND if form.rounding is Rounding.STOCHASTIC else form.rounding
    return cast_reals(reals, form.frac_bits, mode, form.overflow, form.low, form.high)


def cast(integers: NDArray[Any], from_frac_bits: int, form: Fixed) -> NDArray[np.int64]:
    """Cast integers that stand for ``integer · 2^-from_frac_bits`` to `form`; exact.

    Parameters
    ----------
    integers : ndarray of integers
        Below ``2^61`` in magnitude, any shape.
    from_frac_bits
        Their fraction bits.
    form
        The format to cast to.

    Raises
    ------
    InputError
        If an integer is too large.
    """
    return cast_counted(integers, from_frac_bits, form)[0]


def cast_counted(integers: NDArray[Any], from_frac_bits: int, form: Fixed) -> tuple[NDArray[np.int64], int]:
    """Return what `cast` does, and how many values overflowed."""
    source = np.ascontiguousarray(integers, dtype=np.int64)
    if form.rounding is Rounding.STOCHASTIC:
        raise InputError(
            f"Integers can not be cast to {form.text}: stochastic rounding is for parameters, which are "
            "real. Choose another rounding mode for what is computed."
        )
    if source.size and (source.max() >= CAST_LIMIT or source.min() <= -CAST_LIMIT):
        raise InputError(
            f"Integers can not be cast to {form.text}: the largest is not below 2^61 in magnitude, as "
            "64-bit arithmetic needs. Use fewer bits."
        )
    shift = from_frac_bits - form.frac_bits
    return cast_integers(source, shift, form.rounding, form.overflow, form.low, form.high)


def finite(values: NDArray[Any], text: str) -> NDArray[np.float64]:
    """Return `values` in double precision; refuse numbers that no format holds."""
    reals = np.ascontiguousarray(values, dtype=np.float64)
    if not np.isfinite(reals).all():
        raise InputError(
            f"Numbers can not be cast to {text}: {np.count_nonzero(~np.isfinite(reals))} of {reals.size} "
            "are infinite or NaN; finite ones are allowed. Mend what made them."
        )
    return reals


def plain(number: float) -> str:
    """Return `number` with all its digits, without an empty fraction."""
    return repr(number).removesuffix(".0").replace("-", "−", 1 if number < 0 else 0)
