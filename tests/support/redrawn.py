"""Digits drawn again: enlarged eight times and thresholded, then normalised and read by a page."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.frame import Frame
from retronet.reading.normalise import box_of

TIMES = 8
READ = """([inks, side]) => inks.map((rows) => {
  const ink = Uint8Array.from(rows, Number), { network, frame } = retronet;
  const image = retronet.normalised(ink, side, side, frame);
  return [network.reals(image).answer, network.integers(image).answer];
})"""


def enlarged(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where a digit's ink is at eight times its size: straight lines between the middles of pixels."""
    big = image.astype(np.float64)
    for axis in (0, 1):
        size = big.shape[axis]
        places = np.clip((np.arange(size * TIMES) + 0.5) / TIMES - 0.5, 0, size - 1)
        lower = np.minimum(places.astype(int), size - 2)
        share = (places - lower).reshape((-1, 1) if axis == 0 else (1, -1))
        big = np.take(big, lower, axis) * (1 - share) + np.take(big, lower + 1, axis) * share
    return np.asarray(big > 0)


def misread(page: Any, images: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many a page of `retronet draw` misreads, in floating point and on integers."""
    inks = ["".join("1" if each else "0" for each in enlarged(image).ravel()) for image in images]
    side = images.shape[1] * TIMES
    answers = np.array(page.evaluate(READ, [inks, side]))
    real, whole = (answers != labels[:, np.newaxis]).sum(axis=0)
    return int(real), int(whole)


def weighed(ink: NDArray[np.integer], frame: Frame) -> NDArray[np.float32]:
    """Return ink normalised into any frame, as the page's script does it."""
    part = np.asarray(ink)[box_of(ink)].astype(np.float64)
    shares = []
    for axis in (0, 1):
        count = part.shape[axis]
        length = frame.box * count / max(part.shape)
        scale, sums = length / count, part.sum(axis=1 - axis)
        start = frame.middle - length / 2
        if frame.centre == "mass":
            moment = sum(each * (cell + 0.5) for cell, each in enumerate(sums.tolist()))
            start = frame.middle - scale * moment / sum(sums.tolist())
        begins = start + scale * np.arange(count)
        pixels = np.arange(frame.size)[:, np.newaxis]
        overlap = np.minimum(pixels + 1, begins + scale) - np.maximum(pixels, begins)
        shares.append(np.maximum(overlap, 0) / scale)
    down, across = shares
    half, grey = np.zeros((frame.size, part.shape[1])), np.zeros((frame.size, frame.size))
    for row in range(part.shape[0]):
        half += down[:, row, np.newaxis] * part[row]
    for column in range(part.shape[1]):
        grey += half[:, column, np.newaxis] * across[:, column]
    low, high = float(grey.min()), float(grey.max())
    if high - low <= 1e-9 * high:
        return np.full(grey.shape, frame.high, np.float32)
    return ((frame.high - frame.low) * (grey - low) / (high - low) + frame.low).astype(np.float32)
