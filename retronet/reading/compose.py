"""Composed zip codes: digits of a data set side by side as on an envelope, with what makes them hard to part.

The envelopes of 1989 are not public. These pictures are made up: what a figure on them is worth is the
comparison between difficulties, and between segmentation and recognition, not the post's error rate.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset
from retronet.errors import InputError
from retronet.reading.normalise import box_of

Difficulty = Literal["easy", "medium", "hard"]


class Layout(msgspec.Struct, frozen=True):
    """How digits are set. Lengths are shares of a full digit's height; pairs are ranges drawn from evenly.

    Attributes
    ----------
    gap
        From one digit's ink to the next one's; negative ones overlap, and may touch.
    size
        A digit's height.
    baseline
        How far a digit's foot lies off the line, at most, to either side.
    specks
        Specks for each digit, on average; each a square of one to three pixels.
    lines
        The probability of a line drawn under the code.
    """

    gap: tuple[float, float]
    size: tuple[float, float]
    baseline: float
    specks: int
    lines: float


LAYOUTS: dict[Difficulty, Layout] = {
    "easy": Layout((0.15, 0.4), (0.95, 1.0), 0.03, 0, 0.0),
    "medium": Layout((0.02, 0.25), (0.8, 1.0), 0.08, 2, 0.0),
    "hard": Layout((-0.1, 0.15), (0.7, 1.0), 0.15, 6, 0.5),
}
HEIGHT = 48
"""Rows of a digit of full size; NC89 §2.2 speaks of digits of about 40 by 60 pixels."""
MARGIN = 24
INK, PAPER, NOISE = 0.85, 0.08, 0.16
"""Darkness of ink and of paper, and how far either wavers at most."""


@dataclass(frozen=True)
class ComposedCode:
    """A picture: grey `levels` (rows, columns), 255 being white, its digits and their places in the data."""

    levels: NDArray[np.uint8]
    text: str
    digits: tuple[int, ...]

    @property
    def without_picture(self) -> "ComposedCode":
        """The same without its picture, where many codes are kept."""
        return replace(self, levels=self.levels[:0].copy())

    @property
    def darkness(self) -> NDArray[np.float32]:
        """The picture as the stages of reading take it: 0 white, 1 black."""
        dark: NDArray[np.float32] = 1 - self.levels.astype(np.float32) / np.float32(255)
        return dark


def compose(
    dataset: Dataset, digits: int = 5, seed: int = 0, number: int = 0, difficulty: Difficulty = "medium"
) -> ComposedCode:
    """Return code `number` of a row that `seed` decides.

    Parameters
    ----------
    dataset
        Where the digits come from, −1 paper and +1 ink.
    digits
        How many stand in the code.
    seed, number
        The same two give the same digits, whatever else is composed and however difficult it is.
    difficulty
        One of `LAYOUTS`.

    Raises
    ------
    InputError
        If there are no digits, or the data are not of that form.
    """
    if digits < 1 or dataset.images.min() != -1 or dataset.images.max() <= 0:
        raise InputError(
            f"A code of {digits} digits of {dataset.provenance.name} can not be composed: at least one, "
            "prepared from −1 to +1, is needed. Choose another number or the natural preparation."
        )
    layout = LAYOUTS[difficulty]
    rng = np.random.default_rng([seed, number, digits])
    chosen = rng.integers(0, len(dataset.labels), digits)
    pictures = [enlarged(dataset.images[each], round(HEIGHT * _within(rng, layout.size))) for each in chosen]
    gaps = [0, *(round(HEIGHT * _within(rng, layout.gap)) for _ in pictures[1:])]
    feet = [round(HEIGHT * _within(rng, (-layout.baseline, layout.baseline))) for _ in pictures]
    rows, width = 2 * HEIGHT, sum(picture.shape[1] for picture in pictures) + sum(gaps)
    cover = np.zeros((rows, width + 2 * MARGIN))
    column = MARGIN
    for picture, gap, foot in zip(pictures, gaps, feet, strict=True):
        column += gap
        row = HEIGHT // 2 + HEIGHT - picture.shape[0] + foot
        place = cover[row : row + picture.shape[0], column : column + picture.shape[1]]
        np.maximum(place, picture, out=place)
        column += picture.shape[1]
    for _ in range(int(rng.integers(0, 2 * layout.specks * digits + 1))):
        side = int(rng.integers(1, 4))
        row, left = (int(rng.integers(0, size - side)) for size in cover.shape)
        cover[row : row + side, left : left + side] = 1
    if rng.random() < layout.lines:
        row, thick = int(rng.integers(HEIGHT // 2 + HEIGHT + 4, rows - 4)), int(rng.integers(1, 4))
        cover[row : row + thick] = 1
    # Wavering is even, not normal: no logarithm of a system's library decides a bit.
    darkness = PAPER + (INK - PAPER) * cover + NOISE * (rng.random(cover.shape) - 0.5)
    levels = np.clip(np.rint(255 * (1 - darkness)), 0, 255).astype(np.uint8)
    text = "".join(str(dataset.labels[each]) for each in chosen)
    return ComposedCode(levels, text, tuple(int(each) for each in chosen))


def _within(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return ends[0] + (ends[1] - ends[0]) * rng.random()


def enlarged(image: NDArray[np.float32], height: int) -> NDArray[np.float64]:
    """Return a digit's ink, 0 to 1, in a square so high before the paper around it is cut off.

    Between the middles of the old pixels the grey runs straight; ink is where it is above 0, with an edge
    about a pixel wide.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        −1 is paper, +1 ink.
    height
        Rows of the larger square.
    """
    values = image.astype(np.float64)
    scale = height / values.shape[0]
    big = stretched(stretched(values, height).T, round(values.shape[1] * scale)).T
    ink: NDArray[np.float64] = np.clip(big * scale / 2 + 0.5, 0, 1)
    return ink[box_of(ink)]


def stretched(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Return `values` with `rows` rows, straight lines between the middles of the old ones."""
    last = values.shape[0] - 1
    places = [(row + 0.5) * values.shape[0] / rows - 0.5 for row in range(rows)]
    inside = [min(max(place, 0.0), float(last)) for place in places]
    lower = np.array([math.floor(place) for place in inside])
    share = np.array([place - math.floor(place) for place in inside])[:, np.newaxis]
    between: NDArray[np.float64] = values[lower] * (1 - share) + values[np.minimum(lower + 1, last)] * share
    return between
