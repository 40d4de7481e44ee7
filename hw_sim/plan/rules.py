"""Precision as three rules: what format weights get, what format states get, and how sums are kept.

A rule is a record, and a text that says the same: ``6 bits, mse/map`` or ``{-1,0,1}, threshold:0.7`` of a
tensor, ``s18.10:TRN:WRAP`` or ``16 bits, sat, fused`` of sums. `hw_sim.plan.calibrate` applies them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Self, get_args

import msgspec

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, begins_as_format, parse_format
from hw_sim.formats.modes import Overflow, Rounding
from hw_sim.formats.scales import ScaleKind, ScaleRule, parse_rule
from hw_sim.plan.plan import Accumulator
from retronet.errors import InputError

_COMMA = re.compile(r",(?![^{}]*\})")
_BITS = re.compile(r"(\d+) *bits?")
_PRODUCTS = re.compile(r"products +(.*)")
MODES = f"a rounding mode ({', '.join(Rounding)}) and an overflow mode ({', '.join(Overflow)})"


class TensorRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How weights, or pixels and states, get their format and scale.

    Attributes
    ----------
    bits
        Bits of the format, its sign counted; absent, with no `form` either: those that `calibrate` is given.
    form
        A format for all of them, instead of bits.
    scale
        The rule of the scale. Absent: the scale is 1, and the step of a format of so many bits is the
        smallest power of two that holds the largest magnitude; so it is with ``power-of-two`` too, which for
        a given format chooses the scale.
    rounding, overflow
        Modes of a format of so many bits, and, where the rule is that of weights, of biases; absent: RND and
        SAT. A given format has its own.

    Raises
    ------
    InputError
        If both bits and format are given, or the bits are not 1 to 32.
    """

    bits: int | None = None
    form: Format | None = None
    scale: ScaleRule | None = None
    rounding: Rounding | None = None
    overflow: Overflow | None = None

    def __post_init__(self) -> None:
        _check_width(self.bits, self.form)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule written as `text`, its parts between commas in any order.

        ``6 bits``, ``s4.2``, ``6 bits, mse/map``, ``{-1,0,1}, threshold:0.7``, ``4 bits, TRN, WRAP``; the
        rule that says nothing is ``default``.

        Raises
        ------
        InputError
            If a part is none of these or comes twice.
        """
        return cls(**_fields(text, "default", _TENSOR, _TENSOR_PARTS))

    @property
    def text(self) -> str:
        """The form that `parse` reads."""
        scale = None if self.scale is None else self.scale.text
        parts = (_width(self.bits, self.form), scale, self.rounding, self.overflow)
        return ", ".join(filter(None, parts)) or "default"


class SumRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sums are kept: exact, or cast after every MAC.

    Attributes
    ----------
    bits
        Bits of sums that have the fraction bits of a product.
    form
        A format for the sums of all layers, instead of bits. Neither of the two: exact sums.
    rounding, overflow
        Modes of sums of so many bits; absent: RND and WRAP. A given format has its own.
    fused
        Whether the exact product is added; else it is cast before, to `product`, or as the sum is.
    product
        The format of products, if it is another than that of the sum.

    Raises
    ------
    InputError
        If the fields contradict each other.
    """

    bits: int | None = None
    form: Fixed | None = None
    rounding: Rounding | None = None
    overflow: Overflow | None = None
    fused: bool = False
    product: Fixed | None = None

    def __post_init__(self) -> None:
        _check_width(self.bits, self.form)
        modes = [mode for mode in (self.rounding, self.overflow) if mode is not None]
        if self.bits is None and self.form is None and (modes or self.fused or self.product is not None):
            raise InputError(
                "A rule of sums says how they are cast, and gives neither bits nor a format: without those "
                "sums are exact. Give one, such as '16 bits, SAT', or leave the rest out."
            )
        if self.form is not None and modes:
            raise InputError(
                f"A rule of sums gives the format {self.form.text} and the mode {modes[0]} besides: a format "
                "has its modes behind colons, such as s18.10:TRN:WRAP. Leave the mode out, or write it there."
            )
        self.accumulator(0)  # refuses what does not go together

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule written as `text`, its parts between commas in any order.

        ``exact``, ``16 bits, sat, fused``, ``s18.10:TRN:WRAP``, ``s18.10, products s16.8``.

        Raises
        ------
        InputError
            If a part is none of these or comes twice, or parts contradict each other.
        """
        return cls(**_fields(text, "exact", _SUMS, _SUM_PARTS))

    @property
    def text(self) -> str:
        """The form that `parse` reads."""
        width = _width(self.bits, self.form)
        product = None if self.product is None else f"products {self.product.text}"
        parts = (width, self.rounding, self.overflow, "fused" if self.fused else None, product)
        return ", ".join(filter(None, parts)) or "exact"

    def accumulator(self, frac_bits: int) -> Accumulator | None:
        """Return the accumulator where products have so many fraction bits; none for exact sums."""
        form = self.form
        if self.bits is not None:
            form = Fixed(
                self.bits, frac_bits, True, self.rounding or Rounding.RND, self.overflow or Overflow.WRAP
            )
        return None if form is None else Accumulator(form, self.fused, self.product)


def _check_width(bits: int | None, form: Format | None) -> None:
    if bits is not None:
        Fixed(bits, 0)  # refuses a number of bits that no format has
        if form is not None:
            raise InputError(
                f"A rule gives {bits} bits and the format {form.text}, which has {form.bits}: one of the two "
                "is allowed. Leave the other out."
            )


def _width(bits: int | None, form: Format | None) -> str | None:
    if form is not None:
        return form.text
    return None if bits is None else f"{bits} bits"


PartParser = Callable[[str], Any]


def _fixed(part: str) -> Fixed | None:
    return Fixed.parse(part) if begins_as_format(part) else None


_WIDTH: dict[str, PartParser] = {
    "bits": lambda part: int(match[1]) if (match := _BITS.fullmatch(part)) else None,
    "rounding": lambda part: Rounding.__members__.get(part.upper()),
    "overflow": lambda part: Overflow.__members__.get(part.upper()),
}
_TENSOR = (
    "a rule for weights or states",
    "a number of bits (6 bits), a format (s4.2, {-1,0,1}, p3.0), a scale rule "
    f"({', '.join(get_args(ScaleKind))}), {MODES}",
    "6 bits, mse/map",
)
_TENSOR_PARTS: dict[str, PartParser] = _WIDTH | {
    "form": lambda part: parse_format(part) if begins_as_format(part) else None,
    "scale": lambda part: parse_rule(part) if re.split("[:/]", part)[0] in get_args(ScaleKind) else None,
}
_SUMS = (
    "a rule for sums",
    f"exact alone, or a number of bits (16 bits), a format (s18.10:TRN:WRAP), {MODES}, fused and products "
    "with a format (products s16.8)",
    "16 bits, SAT",
)
_SUM_PARTS: dict[str, PartParser] = _WIDTH | {
    "form": _fixed,
    "fused": lambda part: True if part == "fused" else None,
    "product": lambda part: Fixed.parse(match[1]) if (match := _PRODUCTS.fullmatch(part)) else None,
}


def _fields(
    text: str, nothing: str, kind: tuple[str, str, str], readers: Mapping[str, PartParser]
) -> dict[str, Any]:
    """Return the fields that the parts of `text` stand for; `nothing` is the text of none of them."""
    what, allowed, example = kind
    fields: dict[str, Any] = {}
    for part in [] if text.strip() == nothing else map(str.strip, _COMMA.split(text)):
        read = {name: value for name, reader in readers.items() if (value := reader(part)) is not None}
        if not read:
            raise InputError(
                f"'{text}' is not {what}: '{part}' is no part of one. Allowed between commas, each once: "
                f"{allowed}. Write it like '{example}'."
            )
        if twice := fields.keys() & read:
            raise InputError(
                f"'{text}' is not {what}: '{part}' is one more for '{twice.pop()}'; each is allowed once. "
                "Leave one of them out."
            )
        fields |= read
    return fields
