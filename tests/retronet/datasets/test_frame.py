"""Frames say where the digits of the data sets lie: they are held against those digits."""

from pathlib import Path

import numpy as np
import pytest

from retronet.datasets import load
from retronet.datasets.frame import FRAMES, frame_of
from retronet.datasets.prepare import PREPARATIONS
from retronet.errors import InputError


def test_every_preparation_has_a_frame() -> None:
    assert set(FRAMES) == {(size[0], name) for size, names in PREPARATIONS.items() for name in names}


ALONE = [name for name in PREPARATIONS[28, 28] if name != "neighbours28"]
"""Preparations whose pictures hold one digit and nothing else."""


@pytest.mark.parametrize("name", ALONE)
def test_digits_of_mnist_lie_as_their_frame_says(name: str) -> None:
    images, frame = load("digits5k", name).test.images.astype(float), frame_of((28, 28), name)
    assert images.shape[1:] == (frame.size, frame.size)
    assert images.min() == pytest.approx(frame.low)
    assert images.max() == pytest.approx(frame.high, abs=0.02)
    ink = images - frame.low
    for axis in (1, 2):
        places = np.arange(frame.size) + 0.5
        mass = ink.sum(axis=axis)
        middles = (mass * places).sum(axis=1) / mass.sum(axis=1)
        assert middles.mean() == pytest.approx(frame.middle, abs=0.08)
    sides = [np.max([np.flatnonzero((each > 0.02).any(axis=axis)).size for axis in (0, 1)]) for each in ink]
    assert np.median(sides) == pytest.approx(frame.box, abs=1.6)


def test_digits_of_usps_fill_their_frame(data_dir: Path) -> None:
    images, frame = load("usps", data_dir=data_dir).test.images, frame_of((16, 16), "none")
    longer = []
    for image in images[:500]:
        sides = [np.flatnonzero((image > frame.low).any(axis=axis)) for axis in (0, 1)]
        longer.append(max(side.size for side in sides))
        shorter = min(sides, key=lambda side: side.size)
        assert abs(shorter[0] - (frame.size - 1 - shorter[-1])) <= 2
    assert np.mean(np.array(longer) == frame.box) > 0.95
    assert (images.min(), images.max()) == (frame.low, frame.high)


def test_other_digits_are_refused() -> None:
    with pytest.raises(InputError, match=r"How digits of 8×8 lie after the preparation 'none' is not known"):
        frame_of((8, 8), "none")
