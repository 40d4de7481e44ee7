"""Binary pictures: placed in a frame, thinned by templates, searched for features.

A template's sum over a window is looked up row by row: a row of the window is a small binary number, and
``table[row, number]`` holds what these pixels add to the sum of every template. All templates stand side by
side there, as on the chip, and any current a connection may have costs the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import entry, njit, part

Bits = NDArray[Any]
TemplateTable = NDArray[Any]


@part(later=True)
def bilinear(picture: NDArray[Any], y: float, x: float) -> float:
    """Return the grey value at a point; around the picture all is white, −1."""
    row, column = int(np.floor(y)), int(np.floor(x))
    total = 0.0
    for down in range(2):
        for right in range(2):
            at_row, at_column = row + down, column + right
            inside = 0 <= at_row < picture.shape[0] and 0 <= at_column < picture.shape[1]
            value = np.float64(picture[at_row, at_column]) if inside else -1.0
            total += value * (1.0 - abs(y - at_row)) * (1.0 - abs(x - at_column))
    return total


@njit()
def shear_of(picture: NDArray[Any], black_from: float) -> tuple[float, float, int]:
    """Return the shear that takes the xy moment of the ink to 0, the mean row and the number of pixels."""
    count, sum_x, sum_y = 0, 0.0, 0.0
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            if picture[y, x] >= black_from:
                count, sum_x, sum_y = count + 1, sum_x + x, sum_y + y
    if count == 0:
        return 0.0, 0.0, 0
    mean_x, mean_y = sum_x / count, sum_y / count
    moment_xy, moment_yy = 0.0, 0.0
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            if picture[y, x] >= black_from:
                moment_xy += (x - mean_x) * (y - mean_y)
                moment_yy += (y - mean_y) ** 2
    return (moment_xy / moment_yy if moment_yy > 0 else 0.0), mean_y, count


@part(later=True)
def place_digit(picture: NDArray[Any], black_from: float, frame: Bits) -> None:
    """Deskew and enlarge one digit into a white `frame`, in its middle; see `place_digits`."""
    shear, mean_y, count = shear_of(picture, black_from)
    if count == 0:
        return
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            if picture[y, x] >= black_from:
                straight = x - shear * (y - mean_y)
                left, right = min(left, straight), max(right, straight)
                top, bottom = min(top, np.float64(y)), max(bottom, np.float64(y))
    rows, columns = frame.shape
    scale = min(rows / (bottom - top + 1.0), columns / (right - left + 1.0))
    for row in range(rows):
        y = (top + bottom) / 2 + (row + 0.5 - rows / 2) / scale
        for column in range(columns):
            x = (left + right) / 2 + (column + 0.5 - columns / 2) / scale + shear * (y - mean_y)
            frame[row, column] = bilinear(picture, y, x) >= black_from


@entry(nogil=True)
def place_digits(pictures: NDArray[Any], black_from: float, frames: Bits) -> None:
    """Deskew and enlarge digits into frames of black (1) and white (0).

    Parameters
    ----------
    pictures : ndarray of float32, shape (n, rows, columns)
        Grey values, white −1 to black 1.
    black_from
        The least grey value that counts as black.
    frames : ndarray of uint8, shape (n, frame rows, frame columns)
        White; what is black is put in. The ink is sheared until its xy moment is 0, and enlarged with its
        aspect ratio kept until its sheared bounding box touches the frame; grey values between pixels are
        interpolated.
    """
    for index in range(pictures.shape[0]):
        place_digit(pictures[index], black_from, frames[index])


@part(later=True)
def row_codes(frame: Bits, size: int, codes: NDArray[Any]) -> None:
    """Fill ``codes[row + size // 2, column]`` with `size` pixels around a place as a number, the left first.

    Rows of `codes` above and below the frame stay 0: outside all is white.
    """
    half, mask = size // 2, (1 << size) - 1
    rows, columns = frame.shape
    for row in range(rows):
        code = 0
        for column in range(columns + half):
            pixel = int(frame[row, column]) if column < columns else 0
            code = ((code << 1) & mask) | pixel
            if column >= half:
                codes[row + half, column - half] = code


@part()
def template_sums(
    codes: NDArray[Any], row: int, column: int, table: TemplateTable, sums: NDArray[Any]
) -> None:
    """Fill `sums` with the sum of every template over the window around a place, the top row first."""
    for template in range(sums.size):
        sums[template] = 0.0
    for down in range(table.shape[0]):
        code = codes[row + down, column]
        for template in range(sums.size):
            sums[template] += table[down, code, template]


@part(later=True)
def thin(
    frame: Bits,
    table: TemplateTable,
    thresholds: NDArray[Any],
    codes: NDArray[Any],
    sums: NDArray[Any],
    gone: Bits,
) -> int:
    """Thin one frame in place; return its scans, the last of which changed nothing."""
    rows, columns = frame.shape
    scans, changed = 0, True
    while changed:
        changed = False
        scans += 1
        row_codes(frame, table.shape[0], codes)
        for row in range(rows):
            for column in range(columns):
                gone[row, column] = 0
                # A white centre stays white whatever the templates say.
                if frame[row, column]:
                    template_sums(codes, row, column, table, sums)
                    for template in range(sums.size):
                        if sums[template] >= thresholds[template]:
                            gone[row, column] = 1
                            changed = True
        for row in range(rows):
            for column in range(columns):
                frame[row, column] &= 1 - gone[row, column]
    return scans


@entry(nogil=True)
def thin_frames(
    frames: Bits,
    table: TemplateTable,
    thresholds: NDArray[Any],
    scans: NDArray[Any],
    codes: NDArray[Any],
    sums: NDArray[Any],
    gone: Bits,
) -> None:
    """Thin frames in place, scan after scan until nothing changes.

    Every scan reads the picture as the scan before left it: a pixel is deleted if any template matches.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, rows, columns)
        Black 1, white 0.
    table : ndarray of float64, shape (size, 2**size, templates)
        What each row of a window adds to each template's sum.
    thresholds : ndarray of float64, shape (templates,)
        A template matches where its sum is not below.
    scans : ndarray of int64, shape (n,)
        Filled: scans of each frame, the last one, which changed nothing, included.
    codes : ndarray of int64, shape (rows + size - 1, columns)
        Zeros, room for the rows of windows as numbers.
    sums : ndarray of float64, shape (templates,)
    gone : ndarray of uint8, shape (rows, columns)
        Room.
    """
    for index in range(frames.shape[0]):
        scans[index] = thin(frames[index], table, thresholds, codes, sums, gone)


@part(later=True)
def mark_features(
    matched: Bits, groups: NDArray[Any], members: NDArray[Any], block: int, marks: Bits
) -> None:
    """Set ``marks[map, block]`` for each group of templates that all match."""
    for group in range(groups.shape[0]):
        at = groups[group, 0]
        if marks[at, block] == 0:
            every = True
            for member in range(groups[group, 1], groups[group, 2]):
                if matched[members[member]] == 0:
                    every = False
                    break
            if every:
                marks[at, block] = 1


@entry(nogil=True)
def find_features(
    frames: Bits,
    table: TemplateTable,
    thresholds: NDArray[Any],
    groups: NDArray[Any],
    members: NDArray[Any],
    blocks: NDArray[Any],
    features: Bits,
    codes: NDArray[Any],
    sums: NDArray[Any],
    matched: Bits,
) -> None:
    """Search frames for features and keep of each map whether it is anywhere in a block.

    Parameters
    ----------
    frames, table, thresholds, codes, sums
        As in `thin_frames`.
    groups : ndarray of int64, shape (groups, 3)
        The map of each group, and where its templates start and end in `members`. A map has a feature where
        any of its groups matches, a group where all its templates do.
    members : ndarray of int64
        Templates by number.
    blocks : ndarray of int64, shape (rows, columns)
        The block of each place.
    features : ndarray of uint8, shape (n, maps, blocks)
        Zeros; what is there is marked.
    matched : ndarray of uint8, shape (templates,)
        Room.
    """
    count, rows, columns = frames.shape
    # In a white window every sum is exactly 0.
    white_matches = False
    for template in range(thresholds.size):
        white_matches |= thresholds[template] <= 0
    for index in range(count):
        row_codes(frames[index], table.shape[0], codes)
        for row in range(rows):
            for column in range(columns):
                ink = 0
                for down in range(table.shape[0]):
                    ink |= codes[row + down, column]
                if ink == 0 and not white_matches:
                    continue
                template_sums(codes, row, column, table, sums)
                some = 0
                for template in range(sums.size):
                    matched[template] = sums[template] >= thresholds[template]
                    some += matched[template]
                if some:
                    mark_features(matched, groups, members, blocks[row, column], features[index])
