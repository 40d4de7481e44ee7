"""Binary pictures: placed in a frame, thinned by templates, searched for features.

A template's sum over a window is looked up row by row: a row of the window is a small binary number, and a
table holds what these pixels add to the sum of every template. All templates stand side by side there, as on
the chip, eight to a register, and any current a connection may have costs the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.jit import entry, part
from retronet.kernels.vectors import add8, at_least8, load8, splat8

Bits = NDArray[Any]
Numbers = NDArray[np.uint64]
Currents = NDArray[np.float64]
_0, _8, _64 = np.uint64(0), np.uint64(8), np.uint64(64)


@part(later=True)
def bilinear(picture: NDArray[Any], y: float, x: float) -> float:
    """Return the grey value at a point; around the picture all is white, −1."""
    (rows, columns), row, column = picture.shape, np.int64(np.floor(y)), np.int64(np.floor(x))
    total = 0.0
    for down in range(2):
        for right in range(2):
            at_row, at_column = row + down, column + right
            inside = 0 <= at_row < rows and 0 <= at_column < columns
            value = np.float64(picture[at_row, at_column]) if inside else -1.0
            total += value * (1.0 - abs(y - at_row)) * (1.0 - abs(x - at_column))
    return total


@part(later=True)
def shear_of(picture: NDArray[Any], black_from: float) -> tuple[float, float, int]:
    """Return the shear that takes the xy moment of the ink to 0, the mean row and the number of pixels."""
    rows, columns = picture.shape
    count, sum_x, sum_y = 0, 0.0, 0.0
    for y in range(rows):
        for x in range(columns):
            if picture[y, x] >= black_from:
                count, sum_x, sum_y = count + 1, sum_x + x, sum_y + y
    if count == 0:
        return 0.0, 0.0, 0
    mean_x, mean_y = sum_x / count, sum_y / count
    moment_xy, moment_yy = 0.0, 0.0
    for y in range(rows):
        for x in range(columns):
            if picture[y, x] >= black_from:
                moment_xy += (x - mean_x) * (y - mean_y)
                moment_yy += (y - mean_y) ** 2
    return (moment_xy / moment_yy if moment_yy > 0 else 0.0), mean_y, count


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
    (count, height, width), (_, rows, columns) = pictures.shape, frames.shape
    for index in range(count):
        picture = pictures[index]
        shear, mean_y, ink = shear_of(picture, black_from)
        if ink == 0:
            continue
        left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
        for y in range(height):
            for x in range(width):
                if picture[y, x] >= black_from:
                    straight = x - shear * (y - mean_y)
                    left = straight if straight < left else left
                    right = straight if straight > right else right
                    top, bottom = top if y > top else np.float64(y), np.float64(y)
        scale, wide = rows / (bottom - top + 1.0), columns / (right - left + 1.0)
        scale = wide if wide < scale else scale
        for row in range(rows):
            at_y = (top + bottom) / 2 + (row + 0.5 - rows / 2) / scale
            for column in range(columns):
                at_x = (left + right) / 2 + (column + 0.5 - columns / 2) / scale + shear * (at_y - mean_y)
                frames[index, row, column] = bilinear(picture, at_y, at_x) >= black_from


@part(later=True)
def row_codes(frame: Bits, size: int, codes: Numbers) -> None:
    """Fill ``codes[row + size // 2, column]`` with `size` pixels around a place as a number, the left first.

    Rows of `codes` above and below the frame stay 0: outside all is white.
    """
    half, mask = size // 2, (1 << size) - 1
    rows, columns = frame.shape
    for row in range(rows):
        code = np.int64(0)
        for column in range(columns + half):
            pixel = np.int64(frame[row, column]) if column < columns else np.int64(0)
            code = ((code << 1) & mask) | pixel
            if column >= half:
                codes[row + half, column - half] = code


@part(later=True)
def window_rows(codes: Numbers, row: int, column: int, width: int, starts: Numbers) -> int:
    """Fill `starts` with where the currents of the window's rows lie, and return how many have any ink.

    The top row is the first; a row without ink adds exactly nothing.
    """
    size, count = starts.size, 0
    for down in range(size):
        code = codes[row + down, column]
        starts[count] = (np.uint64(down << size) + code) * np.uint64(width)
        count += code != _0
    return count


@part(later=True)
def matching(starts: Numbers, count: int, currents: Currents, thresholds: Currents, block: int) -> int:
    """Return which of eight templates match a window, the first as the lowest bit.

    What `count` rows of the window add starts at `starts` in the currents.
    """
    sums = splat8(np.float64(0))
    for row in range(count):
        sums = add8(sums, load8(currents, starts[row] + block))
    return at_least8(sums, load8(thresholds, block))


@entry(nogil=True)
def thin_frames(
    frames: Bits,
    currents: Currents,
    thresholds: Currents,
    scans: NDArray[np.int64],
    codes: Numbers,
    starts: Numbers,
    gone: Numbers,
) -> None:
    """Thin frames in place, scan after scan until nothing changes.

    Every scan reads the picture as the scan before left it: a pixel is deleted if any template matches.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, rows, columns)
        Black 1, white 0.
    currents : ndarray of float64, shape (size * 2**size * templates,)
        What each row of a window, read as a binary number, adds to each template's sum; templates in eights.
    thresholds : ndarray of float64, shape (templates,)
        A template matches where its sum is not below.
    scans : ndarray of int64, shape (n,)
        Filled: scans of each frame, the last one, which changed nothing, included.
    codes : ndarray of uint64, shape (rows + size - 1, columns)
        Zeros, room for the rows of windows as numbers.
    starts : ndarray of uint64, shape (size,)
    gone : ndarray of uint64, shape (rows * columns, 2)
        Room for the places that a scan deletes.
    """
    count, rows, columns = frames.shape
    for index in range(count):
        leaving = 1
        while leaving:
            leaving = 0
            scans[index] += 1
            row_codes(frames[index], starts.size, codes)
            for row in range(rows):
                for column in range(columns):
                    # A white centre stays white whatever the templates say.
                    if frames[index, row, column]:
                        inked = window_rows(codes, row, column, thresholds.size, starts)
                        for block in range(_0, np.uint64(thresholds.size), _8):
                            if matching(starts, inked, currents, thresholds, block):
                                gone[leaving, 0], gone[leaving, 1] = row, column
                                leaving += 1
                                break
            for which in range(leaving):
                frames[index, gone[which, 0], gone[which, 1]] = 0


@part(later=True)
def mark_features(
    matched: Numbers, needed: Numbers, groups: NDArray[np.int64], block: int, marks: Bits
) -> None:
    """Set ``marks[map, block]`` for each map that has a group of templates which all match."""
    for at in range(len(marks)):
        for group in range(groups[at], groups[at + 1]):
            if marks[at, block]:
                break
            missing = _0
            for word in range(matched.size):
                missing |= needed[group, word] & ~matched[word]
            marks[at, block] = missing == _0


@entry(nogil=True)
def find_features(
    frames: Bits,
    currents: Currents,
    thresholds: Currents,
    needed: Numbers,
    groups: NDArray[np.int64],
    blocks: NDArray[np.int64],
    features: Bits,
    codes: Numbers,
    starts: Numbers,
    matched: Numbers,
    white_matches: bool,
) -> None:
    """Search frames for features and keep of each map whether it is anywhere in a block.

    Parameters
    ----------
    frames, currents, thresholds, codes, starts
        As in `thin_frames`.
    needed : ndarray of uint64, shape (groups, words)
        The templates of each group, a bit for each, the first the lowest of the first word. A group matches
        where all its templates do, and a map has a feature where any of its groups matches.
    groups : ndarray of int64, shape (maps + 1,)
        Where each map's groups start, and in the end their number.
    blocks : ndarray of int64, shape (rows, columns)
        The block of each place.
    features : ndarray of uint8, shape (n, maps, blocks)
        Zeros; what is there is marked.
    matched : ndarray of uint64, shape (words,)
        Room for a bit of each template.
    white_matches
        Whether any template matches a white window, so that these are looked at too.
    """
    count, rows, columns = frames.shape
    for index in range(count):
        row_codes(frames[index], starts.size, codes)
        for row in range(rows):
            for column in range(columns):
                inked = window_rows(codes, row, column, thresholds.size, starts)
                if inked == 0 and not white_matches:
                    continue
                some = _0
                for word in range(matched.size):
                    matched[word] = _0
                for block in range(_0, np.uint64(thresholds.size), _8):
                    found = np.uint64(matching(starts, inked, currents, thresholds, block))
                    matched[block // _64] |= found << block % _64
                    some |= found
                if some:
                    mark_features(matched, needed, groups, blocks[row, column], features[index])
