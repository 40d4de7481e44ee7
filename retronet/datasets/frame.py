"""Where a digit lies in the picture that a network reads, and between which levels."""

from typing import Literal

import msgspec

from retronet.errors import InputError


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A square of `size` pixels, paper `low` and ink `high`, with a digit in it.

    The longer side of the digit's box is `box` pixels. At `middle`, in pixels from the upper and the left
    edge, lies the middle of that box, or of the ``mass`` of its ink.
    """

    size: int
    box: float
    centre: Literal["box", "mass"]
    middle: float
    low: float
    high: float


REDUCED = 16 / 28
USPS = Frame(16, 16.0, "box", 8.0, -1.0, 1.0)
"""The digits show it: their longer side fills the square, on the shorter one they are centred."""
MNIST = Frame(28, 20.0, "mass", 14.5, 0.0, 1.0)
"""MNIST's own page: fitted into 20×20, the centre of mass in the middle of 28×28. The digits show that it is
half a pixel beyond, on average."""
SMALL = Frame(16, 20 * REDUCED, "mass", 14.5 * REDUCED, -1.0, 1.0)
USPS_IN_28 = Frame(28, 16.0, "box", 14.0, -1.0, 1.0)
SMALL_IN_28 = Frame(28, SMALL.box, "mass", 6 + SMALL.middle, -1.0, 1.0)
FRAMES: dict[tuple[int, str], Frame] = {
    (16, "none"): USPS,
    (16, "bipolar28"): USPS_IN_28,
    (16, "neighbours28"): USPS_IN_28,
    (28, "bipolar16"): SMALL,
    (28, "antialiased16"): SMALL,
    (28, "bipolar28"): SMALL_IN_28,
    (28, "neighbours28"): SMALL_IN_28,
    (28, "unit28"): MNIST,
    (28, "standard28"): Frame(28, 20.0, "mass", 14.5, -0.1307 / 0.3081, 0.8693 / 0.3081),
    (28, "lenet5_32"): Frame(32, 20.0, "mass", 16.5, -0.1, 0.922 / 0.78),
    (28, "unit32"): Frame(32, 20.0, "mass", 16.5, 0.0, 1.0),
}
"""By rows of the decoded digits and name of the preparation: see `retronet.datasets.prepare`."""


def frame_of(size: tuple[int, int], preparation: str) -> Frame:
    """Return where a digit lies that was decoded at `size` and prepared so.

    Raises
    ------
    InputError
        If no frame is known for that preparation.
    """
    if (size[0], preparation) not in FRAMES:
        raise InputError(
            f"How digits of {size[0]}×{size[1]} lie after the preparation '{preparation}' is not known; it "
            f"is for {', '.join(sorted({name for _, name in FRAMES}))}. Choose data with one of them."
        )
    return FRAMES[size[0], preparation]
