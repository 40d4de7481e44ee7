"""How the rate goes from step to step."""

from typing import Annotated, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.elementary import half_cosine, whole_power
from retronet.network import Positive

Rate = Annotated[float, msgspec.Meta(gt=0, le=3.4e38)]
"""No more than single precision holds: an infinite rate is refused where it is written."""
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"):
    """One rate for all passes."""

    rate: Rate


class Steps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="steps"):
    """Rates with the number of passes each holds for; the last one holds from there on."""

    rates: Annotated[tuple[tuple[Positive, Rate], ...], msgspec.Meta(min_length=1)]


class Linear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear"):
    """A rate that moves in equal parts from that of the first pass to that of the last."""

    first: Rate
    last: Rate


class Exponential(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="exponential"
):
    """A rate that is multiplied by `factor` after each pass."""

    rate: Rate
    factor: Rate


class OneCycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="one-cycle"):
    """A rate that rises to `peak` over the first share `warm` of all steps, then falls, along half cosines.

    It starts at ``peak / start_divisor`` and ends at ``1 / end_divisor`` of that, as torch's OneCycleLR.
    """

    peak: Rate
    warm: Share = 0.3
    start_divisor: Rate = 25.0
    end_divisor: Rate = 1e4


Schedule = Constant | Steps | Linear | Exponential | OneCycle


def step_rates(schedule: Schedule, number: int, passes: int, steps: int) -> NDArray[np.floating]:
    """Return the rate of every step of a pass.

    Parameters
    ----------
    schedule
        How the rate goes.
    number
        The pass, counted from 1.
    passes
        All passes.
    steps
        The steps of a pass.
    """
    match schedule:
        case Constant(rate=rate):
            pass
        case Steps(rates=rates):
            ends = np.cumsum([count for count, _ in rates])
            rate = rates[min(int(np.searchsorted(ends, number)), len(rates) - 1)][1]
        case Linear(first=first, last=last):
            share = (number - 1) / max(passes - 1, 1)
            rate = (1 - share) * first + share * last
        case Exponential(rate=start, factor=factor):
            rate = start * whole_power(factor, number - 1)
        case OneCycle(peak=peak, warm=warm, start_divisor=start_divisor, end_divisor=end_divisor):
            start = peak / start_divisor
            top = warm * passes * steps - 1
            step = np.arange((number - 1) * steps, number * steps)
            rising = _half_cosine(start, peak, step / top if top > 0 else np.ones(steps))
            falling = _half_cosine(peak, start / end_divisor, (step - top) / (passes * steps - 1 - top))
            return np.where(step <= top, rising, falling)
        case _ as unreachable:
            assert_never(unreachable)
    return np.full(steps, rate)


def _half_cosine(start: float, end: float, share: NDArray[np.floating]) -> NDArray[np.floating]:
    return end + (start - end) / 2 * (1 + half_cosine(share))
