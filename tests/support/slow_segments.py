"""Ink to digits once more, by sets of pixels and plain loops: what `retronet.reading.segments` states."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Piece = frozenset[tuple[int, int]]


def flooded(ink: NDArray[np.bool_]) -> list[Piece]:
    """Return the connected pieces, diagonals counted, from left to right and then from the top."""
    left = {(row, column) for row, column in np.argwhere(ink).tolist()}
    pieces = []
    while left:
        edge, piece = [left.pop()], set()
        while edge:
            row, column = edge.pop()
            piece.add((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            edge += near
        pieces.append(frozenset(piece))
    return in_order(pieces)


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    return sorted(pieces, key=lambda piece: (box(piece)[2], box(piece)[0]))


def box(piece: Piece) -> tuple[int, int, int, int]:
    """Return the first row, the row after the last, and the same of columns."""
    rows, columns = {row for row, _ in piece}, {column for _, column in piece}
    return min(rows), max(rows) + 1, min(columns), max(columns) + 1


def rows_of(piece: Piece) -> int:
    return box(piece)[1] - box(piece)[0]


def columns_of(piece: Piece) -> int:
    return box(piece)[3] - box(piece)[2]


def height_of_digits(pieces: list[Piece]) -> int:
    """Return the height at which half of the ink is in pieces no higher; drawn lines are left out."""
    upright = sorted((piece for piece in pieces if columns_of(piece) <= 12 * rows_of(piece)), key=rows_of)
    total, below = sum(map(len, upright)), 0
    for piece in upright:
        below += len(piece)
        if 2 * below >= total:
            return rows_of(piece)
    return 0


def lines_of(pieces: list[Piece]) -> list[list[Piece]]:
    """Put each piece, the highest first, into the first line in which some piece has its middle row."""
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-rows_of(piece), box(piece)[2], box(piece)[0])):
        first, last, _, _ = box(piece)
        for line in lines:
            if any(2 * box(each)[0] <= first + last < 2 * box(each)[1] for each in line):
                line.append(piece)
                break
        else:
            lines.append([piece])
    return [in_order(line) for line in sorted(lines, key=lambda line: min(box(each)[0] for each in line))]


def above_each_other(one: Piece, other: Piece) -> bool:
    """Return whether two pieces are strokes of one digit: 40 % of columns shared, no more than half apart."""
    (top, bottom, left, right), (top2, bottom2, left2, right2) = box(one), box(other)
    shared = min(right, right2) - max(left, left2)
    narrower, higher = min(right - left, right2 - left2), max(bottom - top, bottom2 - top2)
    return shared >= 0.4 * narrower and max(top, top2) - min(bottom, bottom2) < higher / 2


def joined_strokes(line: list[Piece]) -> list[Piece]:
    """Join a piece to the one before it, from the left, again and again until none is joined any more."""
    while True:
        groups: list[Piece] = []
        for piece in line:
            if groups and above_each_other(groups[-1], piece):
                groups[-1] |= piece
            else:
                groups.append(piece)
        if len(groups) == len(line):
            return groups
        line = groups


def cut_apart(piece: Piece, count: int) -> list[Piece]:
    """Cut a piece straight down where there is least ink, within 0.3 of a digit of even spacing."""
    _, _, left, right = box(piece)
    columns = right - left
    if count == 1 or columns < 2 * count:
        return [piece]
    profile = [sum(column == at for _, column in piece) for at in range(left, right)]
    pitch, cuts = columns / count, [0]
    for number in range(1, count):
        first = max(cuts[-1] + 1, round((number - 0.3) * pitch))
        last = max(first + 1, min(columns - 1, round((number + 0.3) * pitch)))
        cuts.append(min(range(first, last), key=lambda at: (profile[at], abs(at - number * pitch), at)))
    ends = [left + cut for cut in (*cuts, columns)]
    parts = [
        frozenset(pixel for pixel in piece if start <= pixel[1] < stop) for start, stop in pairwise(ends)
    ]
    return [part for part in parts if part]


def put_together(line: list[Piece], digits: int) -> list[Piece]:
    """Join the two neighbours that lie closest, while there are too many and some are near enough."""
    tallest = max(map(rows_of, line), default=0)
    while len(line) > digits:
        best = None
        for place, (one, other) in enumerate(pairwise(line)):
            closest = min((r - r2) ** 2 + (c - c2) ** 2 for r, c in one for r2, c2 in other)
            near = 25 * closest <= tallest**2 and columns_of(one | other) <= 1.35 * tallest
            if near and (best is None or closest < best[0]):
                best = closest, place
        if best is None:
            return line
        place = best[1]
        line = [*line[:place], line[place] | line[place + 1], *line[place + 2 :]]
    return line


def slow_digits(ink: NDArray[np.bool_], digits: int | None = None) -> list[list[Piece]]:
    """Return the pixels of each digit, line by line."""
    pieces = flooded(ink)
    height = height_of_digits(pieces)
    if height < 6:
        return []
    kept = [
        piece
        for piece in pieces
        if max(rows_of(piece), columns_of(piece)) >= 0.12 * height
        and rows_of(piece) <= 3 * height
        and columns_of(piece) <= 12 * rows_of(piece)
    ]
    done = []
    for line in lines_of(kept):
        if max(map(rows_of, line)) < 0.4 * height:
            continue
        least = 0.4 * height_of_digits(line)
        strokes = [piece for piece in joined_strokes(line) if rows_of(piece) >= least]
        if digits is not None:
            strokes = put_together(strokes, digits)
        counts = [1] * len(strokes)
        if digits is None:
            tallest = max(map(rows_of, strokes))
            for place, piece in enumerate(strokes):
                if columns_of(piece) > 1.35 * tallest:
                    counts[place] = max(2, round(columns_of(piece) / (0.8 * tallest)))
        else:
            while strokes and sum(counts) < digits:
                shares = [columns_of(piece) / count for piece, count in zip(strokes, counts, strict=True)]
                counts[shares.index(max(shares))] += 1
        done.append(
            [part for piece, count in zip(strokes, counts, strict=True) for part in cut_apart(piece, count)]
        )
    return done
