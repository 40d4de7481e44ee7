"""Ink to digits: components, those too small or large dropped, broken strokes joined, digits parted.

NC89 §5.2 has the components and the dropping; neither it nor the papers beside it state sizes, nor how
strokes are joined and touching digits parted. All constants below are ours, and assumed.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from retronet.errors import InputError

SPECK = 0.12
"""Components smaller than this share of a digit's height, in both directions, are dirt."""
SHORT = 0.4
"""What is left and lower than this share of a digit's height is no digit."""
LOWEST = 6
"""Rows that a digit has at least: what is lower can not be told from dirt."""
HIGH = 3.0
"""What is higher than this many digits is no digit."""
LINE = 12.0
"""What is this many times wider than high is a drawn line; a row of touching digits is not."""
OVERLAP = 0.4
"""Strokes belong together where they share this much of the narrower one's columns."""
WIDE = 1.35
"""What is wider than this many times its line's height is several digits that touch."""
PITCH = 0.8
"""About how wide a digit is, of its height."""
SLACK = 0.3
"""How far from even spacing a cut may lie, in digit widths."""
BREAK = 0.2
"""Pieces of one broken stroke lie no farther apart than this share of their line's height; assumed."""
MOST_COMPONENTS = 100_000
"""A page of print has some thousands; a picture of noise has millions."""


@dataclass(frozen=True)
class Segment:
    """The ink of one digit, and where it lies in the picture: the first row and column of the array."""

    ink: NDArray[np.bool_]
    row: int
    column: int

    @property
    def bottom(self) -> int:
        """The row after the last."""
        return self.row + int(self.ink.shape[0])

    @property
    def right(self) -> int:
        """The column after the last."""
        return self.column + int(self.ink.shape[1])


def components(ink: NDArray[np.bool_]) -> list[Segment]:
    """Return the connected components, diagonal neighbours counted, from left to right.

    Raises
    ------
    InputError
        If there are more than `MOST_COMPONENTS`.
    """
    labels, count = ndimage.label(ink, np.ones((3, 3), int))
    if count > MOST_COMPONENTS:
        raise InputError(
            f"The picture can not be read: it falls into {count:,} pieces of ink; at most "
            f"{MOST_COMPONENTS:,} are allowed. Scan it again, or cut the part with the digits out."
        )
    boxes = ndimage.find_objects(labels, count)
    pieces = [
        Segment(labels[box] == label, box[0].start, box[1].start) for label, box in enumerate(boxes, start=1)
    ]
    return sorted(pieces, key=lambda each: (each.column, each.row))


def digit_height(parts: list[Segment]) -> float:
    """Return how high the digits are: the median height of components that are no lines, weighed by ink."""
    upright = [each for each in parts if each.ink.shape[1] <= LINE * each.ink.shape[0]]
    if not upright:
        return 0.0
    heights = np.array([each.ink.shape[0] for each in upright])
    weights = np.array([int(each.ink.sum()) for each in upright])
    order = np.argsort(heights, kind="stable")
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(heights[order][middle])


def digits_in(ink: NDArray[np.bool_], digits: int | None = None) -> list[list[Segment]]:
    """Return the digits, line by line from the top, each from left to right.

    Parameters
    ----------
    ink
        Where ink is, shape (rows, columns).
    digits
        How many stand in each line, if that is known, as of a zip code: pieces that lie close are put
        together until there are no more, and the widest are parted until there are so many.

    Raises
    ------
    InputError
        If there are too many pieces of ink: see `components`.
    """
    lines = []
    for parts in lines_in(ink):
        low = SHORT * digit_height(parts)
        lines.append([each for each in joined(parts) if each.ink.shape[0] >= low])
    return [parted(line) if digits is None else counted(line, digits) for line in lines]


def lines_in(ink: NDArray[np.bool_]) -> list[list[Segment]]:
    """Return the components of each line of digits, from the top, each from left to right; dirt is dropped.

    Raises
    ------
    InputError
        If there are too many pieces of ink: see `components`.
    """
    parts = components(ink)
    height = digit_height(parts)
    if height < LOWEST:
        return []
    lines = text_lines([each for each in parts if _may_be_digit(each, height)])
    return [line for line in lines if max(each.ink.shape[0] for each in line) >= SHORT * height]


def _may_be_digit(part: Segment, height: float) -> bool:
    """Return whether a component is a digit or a part of one: neither too small nor too large (NC89 §5.2)."""
    rows, columns = part.ink.shape
    large = max(rows, columns) >= SPECK * height
    return bool(large and rows <= HIGH * height and columns <= LINE * rows)


def text_lines(parts: list[Segment]) -> list[list[Segment]]:
    """Return components in lines, from the top, each from left to right.

    The tallest come first; another joins the line in which some component has its middle row, the first of
    several. So a bar of a broken five joins the line of its neighbours.
    """
    lines: list[list[Segment]] = []
    for part in sorted(parts, key=lambda each: (-each.ink.shape[0], each.column, each.row)):
        middle = (part.row + part.bottom) / 2
        near = (line for line in lines if any(each.row <= middle < each.bottom for each in line))
        line = next(near, None)
        if line is None:
            lines.append([part])
        else:
            line.append(part)
    lines.sort(key=lambda line: min(each.row for each in line))
    return [sorted(line, key=lambda each: (each.column, each.row)) for line in lines]


def joined(line: list[Segment]) -> list[Segment]:
    """Join strokes of a line that stand one above the other, as a five's bar stands above its bow."""
    groups: list[Segment] = []
    for part in line:
        if groups and _belong_together(groups[-1], part):
            groups[-1] = union(groups[-1], part)
        else:
            groups.append(part)
    return groups if len(groups) == len(line) else joined(groups)


def _belong_together(one: Segment, other: Segment) -> bool:
    shared = min(one.right, other.right) - max(one.column, other.column)
    gap = max(one.row, other.row) - min(one.bottom, other.bottom)
    taller = max(one.ink.shape[0], other.ink.shape[0])
    return bool(shared >= OVERLAP * min(one.ink.shape[1], other.ink.shape[1]) and gap < taller / 2)


def union(one: Segment, other: Segment) -> Segment:
    """Return two pieces of ink as one."""
    row, column = min(one.row, other.row), min(one.column, other.column)
    ink = np.zeros((max(one.bottom, other.bottom) - row, max(one.right, other.right) - column), bool)
    for part in (one, other):
        ink[part.row - row : part.bottom - row, part.column - column : part.right - column] |= part.ink
    return Segment(ink, row, column)


def parted(line: list[Segment]) -> list[Segment]:
    """Part what is too wide for one digit where there is least ink."""
    height = max(part.ink.shape[0] for part in line)
    done: list[Segment] = []
    for part in line:
        columns = part.ink.shape[1]
        done += cut(part, max(2, round(columns / (PITCH * height)))) if columns > WIDE * height else [part]
    return done


def counted(line: list[Segment], digits: int) -> list[Segment]:
    """Put broken strokes together, and part the widest, for each digit in them, until there are so many."""
    line = gathered(line, digits)
    counts = [1] * len(line)
    while line and sum(counts) < digits:
        widest = max(range(len(line)), key=lambda index: line[index].ink.shape[1] / counts[index])
        counts[widest] += 1
    return [piece for part, count in zip(line, counts, strict=True) for piece in cut(part, count)]


def gathered(line: list[Segment], digits: int) -> list[Segment]:
    """Put the neighbours whose ink lies closest together, while there are more than `digits`.

    They have to be pieces of one stroke: no farther apart than `BREAK`, together no wider than one digit. So
    the two halves of a zero that is broken above and below are one, though none stands above the other. Of
    pairs equally close the first is taken.
    """
    line = list(line)
    height = max((part.ink.shape[0] for part in line), default=0)
    while len(line) > digits:
        near = [
            (apart(*pair), index)
            for index, pair in enumerate(pairwise(line))
            if max(each.right for each in pair) - pair[0].column <= WIDE * height
        ]
        closest, index = min(near, default=(math.inf, 0))
        if closest > BREAK * height:
            break
        line[index : index + 2] = [union(line[index], line[index + 1])]
    return line


def apart(one: Segment, other: Segment) -> float:
    """Return how far the ink of two pieces lies apart, in pixels, from middle to middle."""
    row, column = min(one.row, other.row), min(one.column, other.column)
    paper = np.ones((max(one.bottom, other.bottom) - row, max(one.right, other.right) - column), bool)
    paper[one.row - row : one.bottom - row, one.column - column : one.right - column] = ~one.ink
    distances = ndimage.distance_transform_edt(paper)
    box = distances[other.row - row : other.bottom - row, other.column - column : other.right - column]
    return float(box[other.ink].min())


def cut(part: Segment, count: int) -> list[Segment]:
    """Return `part` in `count` pieces, cut at the columns of least ink near even spacing."""
    columns = part.ink.shape[1]
    if count == 1 or columns < 2 * count:
        return [part]
    profile, pitch = part.ink.sum(axis=0), columns / count
    cuts = [0]
    for number in range(1, count):
        first = max(cuts[-1] + 1, round((number - SLACK) * pitch))
        last = max(first + 1, min(columns - 1, round((number + SLACK) * pitch)))
        near = np.arange(first, last)
        # Of equally thin columns the one nearest to even spacing.
        cuts.append(int(near[np.lexsort((np.abs(near - number * pitch), profile[near]))[0]]))
    pieces = []
    for start, stop in zip(cuts, [*cuts[1:], columns], strict=True):
        ink = part.ink[:, start:stop]
        if ink.any():
            pieces.append(trimmed(Segment(ink, part.row, part.column + start)))
    return pieces


def trimmed(part: Segment) -> Segment:
    """Return a piece without the rows and columns around it that hold no ink."""
    rows, columns = np.flatnonzero(part.ink.any(axis=1)), np.flatnonzero(part.ink.any(axis=0))
    ink = part.ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Segment(ink, part.row + int(rows[0]), part.column + int(columns[0]))
