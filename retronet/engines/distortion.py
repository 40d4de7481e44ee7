"""Distorted copies of digits, made anew whenever they are presented: nothing of them is kept.

What a copy looks like follows from the recipe's seed, the digit's place among those that are learnt and the
number of the copy, by whole numbers alone, so that every run, engine and processor has the same. Copy 0 is
the digit itself.
"""

import numpy as np
from numpy.typing import NDArray

from retronet.kernels.distorting import ONE, distort
from retronet.recipe import Distortion

Whole = NDArray[np.int64]
_STEP = 0x9E3779B97F4A7C15
_DRAWS = 5


def drawn(seed: int, digits: Whole, copies: Whole) -> Whole:
    """Return five draws for each copy of a digit, shape (n, 5), odd numbers between −2²⁴ and 2²⁴.

    They are counted, not drawn one after the other: the scrambled sums of splitmix64 (Steele, Lea, Flood,
    OOPSLA 2014), over the seed, the digit, the copy and the draw.

    Parameters
    ----------
    seed
        The recipe's.
    digits, copies
        Places of digits and numbers of copies, shape (n,).
    """
    state = _scrambled(np.full(len(digits), seed, np.uint64))
    for number in (digits, copies):
        state = _scrambled(state + number.astype(np.uint64))
    each = state[:, np.newaxis] + np.arange(_DRAWS, dtype=np.uint64) * np.uint64(_STEP)
    return 2 * (_scrambled(each) >> np.uint64(40)).astype(np.int64) + 1 - (1 << 24)


def moves_of(distortion: Distortion, seed: int, digits: Whole, copies: Whole) -> Whole:
    """Return the maps of copies of digits as :func:`retronet.kernels.distorting.distort` takes them.

    Parameters
    ----------
    distortion
        The ranges.
    seed, digits, copies
        As for `drawn`.
    """
    d = distortion
    ranges = [round(each * ONE) for each in (d.shift, d.shift, d.scale, d.squeeze, d.shear)]
    down, across, scale, squeeze, shear = (drawn(seed, digits, copies) * ranges >> 24).T
    larger = ONE + scale
    moves = np.stack(
        [down, across, larger * (ONE + squeeze) >> 16, larger * (ONE - squeeze) >> 16, shear], axis=1
    )
    moves[copies == 0] = 0, 0, ONE, ONE, 0
    return moves


def distorted(images: NDArray[np.floating], moves: Whole, paper: float) -> NDArray[np.floating]:
    """Return `images` (n, rows, columns), each seen through its map.

    Parameters
    ----------
    images
        The digits.
    moves
        One map each: see `moves_of`.
    paper
        What lies beyond an image.
    """
    out = np.empty_like(images)
    distort(images, moves, paper, out)
    return out


def _scrambled(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 bits each of which hangs on all those of ``numbers + step``."""
    z = numbers + np.uint64(_STEP)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
