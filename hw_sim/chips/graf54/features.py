"""Digits through Graf's chip: placed in a frame, thinned, searched for features, coarse-blocked.

The steps are those of DENKER88. Placing runs on a general computer; thinning and the search are what the chip
does, one call for every place of a frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_sim.chips.graf54.templates import Currents, TemplateSet, feature_groups
from hw_sim.kernels.graf import find_features, place_digits, thin_frames
from retronet.errors import ChoiceError, InputError

FRAME = (32, 20)
"""Rows and columns of the frame (DENKER88)."""
BLOCKS = (5, 3)
"""Rows and columns of blocks to which each feature map is reduced (DENKER88)."""


@dataclass(frozen=True)
class Thinned:
    """Frames (n, 32, 20) of black 1 and white 0 after thinning, and the scans that each took."""

    frames: NDArray[np.uint8]
    scans: NDArray[np.int64]


def frames_of(images: NDArray[np.floating], black_from: float) -> NDArray[np.uint8]:
    """Return digits deskewed, enlarged into the frame and made black (1) and white (0).

    Parameters
    ----------
    images : (n, rows, columns)
        White −1 to black +1.
    black_from
        The least grey value that counts as black.

    Returns
    -------
    ndarray of uint8, shape (n, 32, 20)
        The aspect ratio is kept; a picture without black stays white.

    Raises
    ------
    InputError
        If `images` are not finite pictures or white would count as black.
    """
    if images.ndim != 3 or not np.isfinite(images).all():
        raise InputError(
            f"Digits of the shape {images.shape} can not be placed: finite pictures (n, rows, columns) are "
            "needed. Prepare them first."
        )
    if not -1 < black_from <= 1:
        raise ChoiceError(
            f"'black_from' is {black_from:g}: above -1 (white) and at most 1 (black) is allowed. Choose one."
        )
    frames = np.zeros((len(images), *FRAME), np.uint8)
    place_digits(np.ascontiguousarray(images, np.float32), black_from, frames)
    return frames


def thinned(frames: NDArray[np.uint8], currents: Currents) -> Thinned:
    """Return `frames` thinned by the templates that `currents` stand for."""
    result = np.ascontiguousarray(frames).copy()
    scans = np.zeros(len(frames), np.int64)
    gone = np.empty((FRAME[0] * FRAME[1], 2), np.uint64)
    thin_frames(result, currents.rows, currents.thresholds, scans, *_rooms(currents), gone)
    return Thinned(result, scans)


def block_of_place() -> NDArray[np.int64]:
    """Return the block of every place, row by row; blocks differ by at most a row or column in size."""
    rows, columns = (np.arange(size) * count // size for size, count in zip(FRAME, BLOCKS, strict=True))
    blocks: NDArray[np.int64] = rows[:, np.newaxis] * BLOCKS[1] + columns
    return blocks


def features_of(frames: NDArray[np.uint8], templates: TemplateSet, currents: Currents) -> NDArray[np.uint8]:
    """Return whether each feature map has its feature anywhere in each block.

    Parameters
    ----------
    frames : (n, 32, 20)
        Thinned.
    templates
        Says how templates make maps.
    currents
        What a chip makes of `templates`.

    Returns
    -------
    ndarray of uint8, shape (n, maps, 15)
        0 or 1; blocks row by row.
    """
    needed, groups = feature_groups(templates)
    features = np.zeros((len(frames), len(templates.maps), BLOCKS[0] * BLOCKS[1]), np.uint8)
    find_features(
        np.ascontiguousarray(frames),
        currents.rows,
        currents.thresholds,
        needed,
        groups,
        block_of_place(),
        features,
        *_rooms(currents),
        np.empty(needed.shape[1], np.uint64),
        bool((currents.thresholds <= 0).any()),  # in a white window every sum is exactly 0
    )
    return features


def _rooms(currents: Currents) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return room for a frame's windows as numbers, and for what one of them is looked up by."""
    size = currents.size
    return np.zeros((FRAME[0] + size - 1, FRAME[1]), np.uint64), np.empty(size, np.uint64)
