"""Made-up pictures in the frame of Graf's chip, its own templates, and thinning with them."""

from typing import Any

import numpy as np
from scipy import ndimage

from hw_sim.chips.graf54.features import FRAME, thinned
from hw_sim.chips.graf54.templates import currents, graf_sizes, load_templates
from hw_sim.chips.load import load_chip

GRAF = load_chip("graf54")
SIZES = graf_sizes(GRAF)
THINNING, FEATURES = load_templates("graf-thinning", SIZES), load_templates("graf-features", SIZES)


def blobs(count: int, seed: int, rough: float = 1.2) -> Any:
    """Return frames of random strokes and spots, some at the border."""
    noise = np.random.default_rng(seed).normal(size=(count, *FRAME))
    return (ndimage.gaussian_filter(noise, (0, rough, rough)) > 0.08).astype(np.uint8)


def drawn(rows: list[str], row: int = 10, column: int = 6) -> Any:
    frame = np.zeros((1, *FRAME), np.uint8)
    for down, marks in enumerate(rows):
        for right, mark in enumerate(marks):
            frame[0, row + down, column + right] = mark == "#"
    return frame


def thin(frames: Any) -> Any:
    return thinned(frames, currents(THINNING, 5)).frames
