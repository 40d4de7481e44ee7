"""What a sweep asks and answers: its points and its rows."""

import msgspec

from hw_sim.formats.modes import Rounding
from retronet.evaluate import Score


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point of a sweep: what has `bits` bits (see `hw_sim.studies.sweep.grid`).

    `rounding` and `scale`, the text of a `ScaleRule`, hold for all weights and states; `seed` decides
    stochastic rounding and is 0 with any other.
    """

    bits: int
    tensors: str
    rounding: Rounding = Rounding.RND
    scale: str = "power-of-two"
    seed: int = 0


class SweepRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found at a point.

    ``subject`` is a digest of network, digits and the bits of the rest. ``agreements`` counts the digits to
    which the network in floating point gives the same answer. ``sqnr_db`` compares the outputs: signal over
    noise, absent where there is no noise. ``saturations`` (states) and ``overflows`` (sums) are counts over
    all digits, by layer.
    """

    subject: str
    point: Point
    score: Score
    agreements: int
    sqnr_db: float | None
    saturations: dict[str, int]
    overflows: dict[str, int]
    clipped_pixels: int
    warnings: tuple[str, ...]
