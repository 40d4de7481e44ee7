"""A picture of digits read: every stage of 1989 after the camera, one after the other (NC89 §5.2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.reading.forms import USPS16, Form
from retronet.reading.segments import Segment, digits_in
from retronet.reading.threshold import binarised, dark_on_light

Answer = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""Outputs (n, classes) for normalised digits (n, rows, columns): a network in any arithmetic."""


class ReadDigit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A digit in a picture.

    ``confidence`` is the difference of the two largest outputs, by which NC89 §5 rejects. The box counts rows
    and columns of the picture from 0.
    """

    digit: int
    confidence: float
    rejected: bool
    row: int
    column: int
    rows: int
    columns: int


class ReadPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a picture, line by line; ``turned`` if its ink was the lighter part."""

    lines: tuple[tuple[ReadDigit, ...], ...]
    turned: bool

    @property
    def texts(self) -> tuple[str, ...]:
        """The digits of each line; a rejected one is ``-``."""
        return tuple(
            "".join("-" if each.rejected else str(each.digit) for each in line) for line in self.lines
        )


@dataclass(frozen=True)
class Stages:
    """What each stage makes of a picture, in their order; `normalised` is (n, rows, columns)."""

    darkness: NDArray[np.float32]
    turned: bool
    ink: NDArray[np.bool_]
    lines: list[list[Segment]]
    normalised: NDArray[np.float32]

    @property
    def without_pictures(self) -> "Stages":
        """The same without the two pictures, which of a page take a hundred times as much as its digits."""
        return replace(self, darkness=self.darkness[:0].copy(), ink=self.ink[:0].copy())


def stages(
    darkness: NDArray[np.float32], digits: int | None = None, window: int | None = None, form: Form = USPS16
) -> Stages:
    """Return what comes before the network.

    Parameters
    ----------
    darkness : ndarray of float32, shape (rows, columns)
        The picture: 0 white, 1 black.
    digits
        How many digits each line has, if that is known.
    window
        Of the threshold: see `binarised`.
    form
        How the network reads a digit.

    Raises
    ------
    InputError
        If there are more pieces of ink than any page has. That there are no digits is no error here.
    """
    upright, turned = dark_on_light(darkness)
    ink = binarised(upright, window)
    lines = digits_in(ink, digits)
    each = [form.placed(part.ink) for line in lines for part in line]
    return Stages(
        upright, turned, ink, lines, np.array(each, np.float32).reshape(-1, form.rows, form.columns)
    )


def check_legible(name: str, made: Stages) -> None:
    """Refuse the picture called `name` if there is no digit in it.

    Raises
    ------
    InputError
        If the picture is empty.
    """
    if made.lines:
        return
    low, high = float(made.darkness.min()), float(made.darkness.max())
    rows, columns = made.darkness.shape
    what = (
        "all its pixels are alike"
        if low == high
        else f"no piece of ink in its {rows:,} × {columns:,} pixels has the size of a digit"
    )
    raise InputError(
        f"Nothing can be read in {name}: {what}; dark digits on light paper, or light ones on dark, are "
        "needed. Look at it, and scan it again."
    )


def confidences(outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the difference of the two largest of each row of `outputs` (n, classes)."""
    ranked = np.sort(outputs.astype(np.float64), axis=1)
    differences: NDArray[np.float64] = ranked[:, -1] - ranked[:, -2]
    return differences


def answered(made: Stages, answer: Answer, least_confidence: float = 0.0) -> ReadPicture:
    """Return what a network reads in a picture whose `stages` were made.

    Parameters
    ----------
    made
        See `stages`.
    answer
        The network, in any arithmetic.
    least_confidence
        Digits whose two largest outputs differ by less are rejected.
    """
    outputs = answer(made.normalised) if len(made.normalised) else np.zeros((0, 10))
    sure, largest = iter(confidences(outputs).tolist()), iter(outputs.argmax(axis=1).tolist())

    def read(part: Segment) -> ReadDigit:
        confidence = next(sure)
        rejected = confidence < least_confidence
        return ReadDigit(next(largest), confidence, rejected, part.row, part.column, *part.ink.shape)

    return ReadPicture(tuple(tuple(read(part) for part in line) for line in made.lines), made.turned)
