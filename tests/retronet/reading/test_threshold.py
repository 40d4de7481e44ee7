"""The threshold against the same rule pixel by pixel."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.reading.threshold import CONTRAST, LEAST_WINDOW, binarised, dark_on_light


def around(values: NDArray[np.float64], row: int, column: int, reach: int) -> NDArray[np.float64]:
    """Return the square around a pixel, the picture mirrored at its edges."""
    padded = np.pad(values, reach, mode="symmetric")
    return padded[row : row + 2 * reach + 1, column : column + 2 * reach + 1]


def slowly_binarised(
    darkness: NDArray[np.float32], reach: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where ink is, and where rounding may decide."""
    places = list(np.ndindex(darkness.shape))
    smooth, ink, close = (
        np.zeros(darkness.shape),
        np.zeros(darkness.shape, bool),
        np.zeros(darkness.shape, bool),
    )
    for row, column in places:
        smooth[row, column] = around(darkness.astype(np.float64), row, column, 1).mean()
    whole = smooth.max() - smooth.min()
    for row, column in places:
        near = around(smooth, row, column, reach)
        low, high = near.min(), near.max()
        ink[row, column] = high - low >= CONTRAST * whole and smooth[row, column] > (low + high) / 2
        close[row, column] = (
            min(abs(smooth[row, column] - (low + high) / 2), abs(high - low - CONTRAST * whole)) < 1e-6
        )
    return ink, close


@pytest.mark.parametrize("window", [5, 8, 31])
def test_ink_is_darker_than_the_middle_of_what_is_near(window: int) -> None:
    rng = np.random.default_rng(window)
    darkness = rng.random((26, 40)).astype(np.float32)
    darkness[:, 20:] *= np.float32(0.2)
    wanted, close = slowly_binarised(darkness, (window | 1) // 2)
    found = binarised(darkness, window)
    assert close.sum() < 20
    assert (found == wanted)[~close].all()
    assert 50 < found.sum() < found.size - 50


def test_the_threshold_follows_the_light() -> None:
    light = np.linspace(0, 0.6, 400, dtype=np.float32) * np.ones((100, 1), np.float32)
    ink = np.zeros((100, 400), bool)
    for column in range(20, 380, 40):
        ink[30:70, column : column + 6] = True
    found = binarised(light + np.float32(0.3) * ink)
    assert (found == ink).mean() > 0.99
    assert not ((light > 0.3) == ink).mean() > 0.9, "one threshold for all would not do"


def test_an_even_picture_has_no_ink() -> None:
    for value in (0, 0.5, 1):
        assert not binarised(np.full((40, 40), value, np.float32)).any()
    assert not binarised(np.zeros((1, 1), np.float32)).any()


def test_a_single_speck_sets_no_threshold_in_a_small_window() -> None:
    darkness = np.zeros((LEAST_WINDOW, LEAST_WINDOW), np.float32)
    darkness[4:20, 10:16] = 1
    darkness[25, 25] = 1
    found = binarised(darkness)
    assert found[8:16, 11:15].all()
    assert not found[25, 25]


def test_light_ink_is_turned_dark() -> None:
    darkness = np.ones((20, 20), np.float32)
    darkness[5:10, 5:10] = 0
    upright, turned = dark_on_light(darkness)
    assert turned
    assert upright.sum() == 25
    again, turned = dark_on_light(upright)
    assert not turned
    assert again is upright
    assert not dark_on_light(np.ones((20, 20), np.float32))[1], "no ink at all"


@pytest.mark.parametrize("size", [1, 9])
def test_a_shadow_over_most_of_a_picture_is_no_ink(size: int) -> None:
    """Most of the paper lies in a shade darker than the middle of all; large pictures are judged alike."""
    light = np.repeat(np.linspace(0, 0.6, 400, dtype=np.float32) ** np.float32(0.3), size)
    ink = np.zeros((100, 400), bool)
    for column in range(20, 380, 40):
        ink[30:70, column : column + 6] = True
    ink = np.kron(ink, np.ones((size, size), bool))
    darkness = light + np.float32(0.25) * ink
    assert np.median(darkness) > (darkness.min() + darkness.max()) / 2
    assert not dark_on_light(darkness)[1]
    assert dark_on_light(1 - darkness)[1]
