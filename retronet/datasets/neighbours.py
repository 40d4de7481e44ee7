"""Digits between other digits, as a network that is slid over a line of them sees each: to train it on.

MATAN91 trains its network on whole strings. This stands in for it, and is ours: other digits of the same half
are set to the left and the right of each, as far away as on an envelope or touching, and all is moved by a
pixel or two, since a slid network stops only every few.
"""

import numpy as np
from numpy.typing import NDArray

GAPS = 7
"""Columns between two digits: 0 to 6."""
ALONE = 8
"""One side in so many has no neighbour, as the ends of a line have none."""
DOWN, ACROSS = 1, 2
"""How far all is moved, at most, either way."""
INK = np.float32(-0.9)
SEED = 1991


def between_neighbours(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return digits (n, rows, columns), −1 paper to +1 ink, with others beside them, always the same ones."""
    rng = np.random.default_rng(SEED)
    count, rows, columns = images.shape
    others = rng.integers(0, count, (count, 2))
    gaps = rng.integers(0, GAPS, (count, 2))
    missing = rng.integers(0, ALONE, (count, 2)) == 0
    moves = np.stack([rng.integers(0, 2 * DOWN + 1, count), rng.integers(0, 2 * ACROSS + 1, count)], axis=1)
    wide = np.pad(images, ((0, 0), (DOWN, DOWN), (ACROSS, ACROSS)), constant_values=-1)
    boxes = [_columns(image) for image in wide]
    pictures = np.empty_like(images)
    for index, image in enumerate(wide):
        field = image.copy()
        for side in (0, 1):
            if missing[index, side]:
                continue
            other = others[index, side]
            first, stop = boxes[other]
            ink, gap = wide[other][:, first:stop], gaps[index, side]
            start = boxes[index][0] - gap - (stop - first) if side == 0 else boxes[index][1] + gap
            low, high = max(start, 0), min(start + stop - first, field.shape[1])
            if low < high:
                place = field[:, low:high]
                np.maximum(place, ink[:, low - start : high - start], out=place)
        down, across = moves[index]
        pictures[index] = field[down : down + rows, across : across + columns]
    return pictures


def _columns(image: NDArray[np.float32]) -> tuple[int, int]:
    """Return the first column with ink and the one after the last; the middle where there is none."""
    inked = np.flatnonzero((image > INK).any(axis=0))
    return (int(inked[0]), int(inked[-1]) + 1) if inked.size else (image.shape[1] // 2,) * 2
