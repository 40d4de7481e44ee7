"""The formats of a plan as rows of a table, in real numbers."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from hw_sim.formats.fixed import Fixed, Overflow, Rounding
from hw_sim.formats.levels import Format

Role = Literal["input", "weight", "bias", "product", "accumulator", "preactivation", "state"]


class FormatRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One format of a plan, ready to be shown; ``text`` is ``exact`` for sums that are not cast.

    Range and step are in real numbers, scales included. Where every map has its own scale, ``step`` is the
    smallest one and ``largest_step`` the largest.
    """

    layer: str
    role: Role
    text: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    rounding: Rounding | None = None
    overflow: Overflow | None = None
    largest_step: float | None = None


def row_of(layer: str, role: Role, form: Format, scales: Sequence[float]) -> FormatRow:
    """Return the row of a format whose values are multiplied with one of `scales`."""
    least, most = min(scales), max(scales)
    return FormatRow(
        layer,
        role,
        form.text,
        min(form.minimum * least, form.minimum * most),
        max(form.maximum * least, form.maximum * most),
        form.step * least,
        form.rounding if isinstance(form, Fixed) else None,
        form.overflow if isinstance(form, Fixed) else None,
        form.step * most if most > least else None,
    )
