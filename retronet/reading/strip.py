"""A line of digits as a strip that a network is slid over, not parted into digits (MATAN91).

Specks and drawn lines are dropped as for segments; the line is scaled so that its digits are as high as the
network's own, each pixel the mean of what it covers, paper and ink the numbers that the network knows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retronet.reading.forms import Form
from retronet.reading.normalise import coverage
from retronet.reading.segments import Segment, digit_height, lines_in, union


@dataclass(frozen=True)
class Strip:
    """A line as a network reads it.

    Attributes
    ----------
    field : ndarray of float32, shape (rows, columns)
    first, last : float
        Columns of the field between which its ink lies.
    line : Segment
        The ink, and where it lies in the picture.
    scale : float
        Pixels of the field for one of the picture.
    paper : float
        What stands for paper.
    """

    field: NDArray[np.float32]
    first: float
    last: float
    line: Segment
    scale: float
    paper: float = -1.0

    @property
    def without_ink(self) -> "Strip":
        """The same without the picture's ink, but for its size: many strips are kept that nobody draws."""
        nothing = np.broadcast_to(np.False_, self.line.ink.shape)
        return replace(self, line=replace(self.line, ink=nothing))


def strips_of(ink: NDArray[np.bool_], form: Form, step: int) -> list[Strip]:
    """Return the lines of a picture as strips, from the top.

    Parameters
    ----------
    ink : ndarray of bool, shape (rows, columns)
    form
        How the network reads a digit.
    step
        How far apart a slid network answers: the field is its own field, and a multiple of that more columns.

    Raises
    ------
    InputError
        If there are too many pieces of ink.
    """
    return [strip_of(line, form, step) for line in lines_in(ink)]


def strip_of(parts: Sequence[Segment], form: Form, step: int) -> Strip:
    """Return the pieces of ink of one line as a strip: see `strips_of`."""
    line = parts[0]
    for part in parts[1:]:
        line = union(line, part)
    rows, columns = line.ink.shape
    # What reaches above and below the network's field is pressed into it: its digits stand too unevenly.
    scale = min(form.height / digit_height(list(parts)), form.rows / rows)
    wide = columns * scale
    width = form.columns + step * math.ceil(wide / step)
    down, across = coverage(rows, form.rows, rows * scale), coverage(columns, width, wide)
    ink = line.ink.astype(np.float64)
    half = np.zeros((form.rows, columns))
    for row in range(rows):
        half += down[:, row, np.newaxis] * ink[row]
    grey = np.zeros((form.rows, width))
    for column in range(columns):
        grey += half[:, column, np.newaxis] * across[:, column]
    paper, full = form.levels
    field = (float(full - paper) * grey / grey.max() + float(paper)).astype(np.float32)
    first = (width - wide) / 2
    return Strip(field, first, first + wide, line, scale, float(paper))


def fields_of(strips: Sequence[Strip], columns: int | None = None) -> NDArray[np.float32]:
    """Return the fields of strips as one array (n, rows, columns), paper added at the right.

    `columns` are those of the widest, unless that is not among them.
    """
    width = columns or max(strip.field.shape[1] for strip in strips)
    wide = [
        np.pad(strip.field, ((0, 0), (0, width - strip.field.shape[1])), constant_values=strip.paper)
        for strip in strips
    ]
    return np.array(wide, np.float32)
