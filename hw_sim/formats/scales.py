"""Rules that choose the scale of a format from numbers: of weights, or of states seen on training images."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from hw_sim.formats.fixed import Fixed
from hw_sim.formats.levels import Format, encode
from retronet.errors import ChoiceError, InputError

Reals = NDArray[np.float64]
_RULE = re.compile(
    r"(power-of-two|max-abs|mse|percentile:(\d+(?:\.\d+)?)|threshold(?::(\d+(?:\.\d+)?))?)(/map)?"
)


ScaleKind = Literal["power-of-two", "max-abs", "percentile", "mse", "threshold"]


def _powers(first: int, last: int, parts: int) -> Reals:
    """Return 2 to the power of ``first / parts`` to ``last / parts``, each the nearest double.

    By decimals: the last bit of a library's power depends on the processor, and a scale decides integers.
    """
    return np.array([float(Decimal(2) ** (Decimal(k) / parts)) for k in range(first, last + 1)])


COARSE, FINE = _powers(-48, 4, 8), _powers(-16, 16, 128)
"""What a scale of least squared error is sought among: 2^-6 to 2^0.5, then 2^±0.125 around the best."""


class ScaleRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scale is chosen.

    ``power-of-two`` is the smallest one that holds the largest magnitude, ``max-abs`` holds it exactly,
    ``percentile`` holds that share of the magnitudes in percent, ``mse`` has the least squared error.
    ``threshold`` is for three levels {−1, 0, +1}: numbers beyond `value` times the mean magnitude become ±1,
    and the scale is their mean magnitude. With `per_map` each map of weights has its own scale; states never
    do.
    """

    kind: ScaleKind = "power-of-two"
    value: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    per_map: bool = False

    @property
    def text(self) -> str:
        """The form that `parse_rule` reads."""
        value = "" if self.value is None else f":{np.format_float_positional(self.value, trim='-')}"
        return self.kind + value + ("/map" if self.per_map else "")


def parse_rule(text: str) -> ScaleRule:
    """Return the rule written as `text`: ``max-abs``, ``percentile:99.9``, ``mse/map``, ``threshold:0.7``.

    Raises
    ------
    InputError
        If `text` is no rule.
    """
    match = _RULE.fullmatch(text)
    value = None if match is None else match[2] or match[3]
    if match is None or (value and not 0 < float(value) <= 100):
        raise ChoiceError(
            f"'{text}' is no scale rule: power-of-two, max-abs, percentile:P with P up to 100, mse and "
            "threshold:T are allowed, each with /map for one scale a map. Write one of those."
        )
    kind = match[1].split(":")[0]
    number = float(value) if value else 0.7 if kind == "threshold" else None
    return msgspec.convert({"kind": kind, "value": number, "per_map": bool(match[4])}, ScaleRule)


def fit_scale(rule: ScaleRule, values: Reals, form: Format) -> tuple[float, float]:
    """Return the scale of `form` for `values`, and what to divide them by before the cast.

    Raises
    ------
    InputError
        If the rule is for three levels and the format has others.
    """
    sizes = np.abs(values).ravel()
    peak = float(sizes.max(initial=0.0))
    top = min(form.maximum, -form.minimum) if form.minimum < 0 else form.maximum
    if top <= 0:
        raise InputError(f"No scale makes {form.text} hold numbers of both signs. Give it more bits.")
    if peak == 0:
        return 1.0, 1.0
    match rule.kind:
        case "max-abs":
            scale = peak / top
        case "power-of-two":
            fraction, exponent = math.frexp(peak / top)
            scale = math.ldexp(1.0, exponent - (fraction == 0.5))
        case "percentile":
            scale = float(np.quantile(sizes, (rule.value or 100.0) / 100)) / top or peak / top
        case "mse":
            scale = _least_error(values, form, peak / top)
        case "threshold":
            return _three_levels(rule, sizes, form)
        case _ as unreachable:
            assert_never(unreachable)
    return float(scale), float(scale)


def _least_error(values: Reals, form: Format, largest: float) -> float:
    """Return the scale of least squared error: a geometric grid, then a finer one around its best point."""

    def error(scale: float) -> float:
        return float(np.square(values - encode(values / scale, form)[0] * (form.step * scale)).sum())

    best = _best(error, largest * COARSE)
    return _best(error, best * FINE)


def _best(error: Callable[[float], float], scales: Reals) -> float:
    return float(scales[np.argmin([error(float(scale)) for scale in scales])])


def _three_levels(rule: ScaleRule, sizes: Reals, form: Format) -> tuple[float, float]:
    levels = range(form.low, form.high + 1) if isinstance(form, Fixed) else form.levels
    if tuple(levels) != (-1, 0, 1) or form.frac_bits != 0:
        raise ChoiceError(
            f"The threshold rule is for the levels {{-1,0,1}}; the format is {form.text}. Choose another "
            "rule, such as mse."
        )
    threshold = (rule.value or 0.7) * float(sizes.mean())
    return float(sizes[sizes >= threshold].mean()), 2 * threshold
