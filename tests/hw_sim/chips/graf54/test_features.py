"""Digits through Graf's chip against windows read one by one, outside libraries and what must be kept."""

from typing import Any

import numba
import numpy as np
import pytest
from scipy import ndimage
from support import reference_graf
from support.graf_pictures import FEATURES, THINNING, blobs, drawn, thin

from hw_sim.chips.graf54.features import FRAME, block_of_place, features_of, frames_of, thinned
from hw_sim.chips.graf54.templates import currents
from hw_sim.kernels.graf import shear_of
from retronet.errors import InputError

compiled = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="thousands of pictures need compiled code"
)
EIGHT, FOUR = np.ones((3, 3), int), ndimage.generate_binary_structure(2, 1)


@pytest.mark.parametrize("inhibition", [1, 5])
def test_thinning_is_that_of_windows_read_one_by_one(inhibition: int) -> None:
    frames = blobs(6, seed=1)
    found = thinned(frames, currents(THINNING, inhibition))
    for frame, skeleton, scans in zip(frames, found.frames, found.scans, strict=True):
        expected, expected_scans = reference_graf.thin(THINNING, frame, inhibition)
        np.testing.assert_array_equal(skeleton, expected)
        assert scans == expected_scans
    assert found.scans.max() > 3


@pytest.mark.parametrize("inhibition", [1, 5])
def test_features_are_those_of_windows_read_one_by_one(inhibition: int) -> None:
    frames = np.concatenate([blobs(1, seed=2), thin(blobs(1, seed=3))])
    found = features_of(frames, FEATURES, currents(FEATURES, inhibition))
    assert found.shape == (2, 18, 15)
    for frame, each in zip(frames, found, strict=True):
        places = {(m, block // 3, block % 3) for m, block in np.argwhere(each)}
        assert places == reference_graf.features(FEATURES, frame, inhibition)


def test_inhibition_keeps_features_out() -> None:
    frames = blobs(3, seed=4)
    weak, strong = (features_of(frames, FEATURES, currents(FEATURES, b)) for b in (0.5, 5))
    assert (weak >= strong).all()
    assert weak.sum() > strong.sum()


@numba.njit  # type: ignore[untyped-decorator]
def shear(picture: Any) -> Any:
    return shear_of(picture, 0.0)[0]


def test_a_known_shear_is_found_and_undone() -> None:
    rows, columns = np.mgrid[:16, :16]
    slope = 0.5
    away = columns - 7.5 - slope * (rows - 7.5)
    picture = np.where(np.abs(away) <= 1.6, 1, -1).astype(np.float32)
    assert shear(picture) == pytest.approx(slope, abs=0.04)
    y, x = np.nonzero(frames_of(picture[np.newaxis], 0.0)[0])
    deviations = (x - x.mean()) * (y - y.mean())
    assert abs(deviations.mean()) < 0.02 * (y - y.mean()).std() ** 2
    assert (y.min(), y.max()) == (0, FRAME[0] - 1)
    assert x.max() - x.min() + 1 < 12


def test_placing_is_that_of_an_outside_interpolation() -> None:
    generator = np.random.default_rng(5)
    pictures = ndimage.gaussian_filter(generator.normal(size=(20, 16, 16)), (0, 1.5, 1.5)) * 4
    pictures = np.clip(pictures, -1, 1).astype(np.float32)
    pictures[:, :, :4] = -1
    black_from = 0.3
    for picture, frame in zip(pictures, frames_of(pictures, black_from), strict=True):
        y, x = np.nonzero(picture >= black_from)
        shear = np.cov(x, y)[0, 1] / np.var(y, ddof=1)
        straight = x - shear * (y - y.mean())
        scale = min(FRAME[0] / (np.ptp(y) + 1), FRAME[1] / (np.ptp(straight) + 1))
        rows, columns = np.mgrid[: FRAME[0], : FRAME[1]]
        at_y = (y.min() + y.max()) / 2 + (rows - (FRAME[0] - 1) / 2) / scale
        at_x = (straight.min() + straight.max()) / 2 + (columns - (FRAME[1] - 1) / 2) / scale
        at = np.stack([at_y, at_x + shear * (at_y - y.mean())])
        grey = ndimage.map_coordinates(picture.astype(float), at, order=1, mode="grid-constant", cval=-1)
        clear = np.abs(grey - black_from) > 1e-9
        np.testing.assert_array_equal(frame[clear], (grey >= black_from)[clear])
        assert clear.mean() > 0.99


def test_an_empty_picture_stays_white() -> None:
    frames = frames_of(np.full((1, 16, 16), -1, np.float32), 0.0)
    assert not frames.any()
    assert not features_of(thin(frames), FEATURES, currents(FEATURES, 5)).any()


@compiled
def test_thinning_keeps_parts_and_holes_of_every_small_picture() -> None:
    pictures = (np.arange(1 << 16)[:, np.newaxis] >> np.arange(16)) & 1
    frames = np.zeros((1 << 16, *FRAME), np.uint8)
    frames[:, 8:12, 8:12] = pictures.reshape(-1, 4, 4)

    def parts(found: Any, value: int, neighbours: Any) -> Any:
        tiles = found[:, 6:14, 6:14] == value
        if value == 1:
            tiles = np.pad(tiles, ((0, 0), (1, 1), (1, 1)))
        # A layer between two tiles keeps them apart: labels do not pass from one picture to the next.
        apart = np.zeros((3, 3, 3), int)
        apart[1] = neighbours
        labels, _ = ndimage.label(tiles, structure=apart)
        flat = np.sort(labels.reshape(len(found), -1), axis=1)
        return (np.diff(flat, axis=1) > 0).sum(axis=1) + (flat[:, 0] > 0)

    skeletons = thin(frames)
    np.testing.assert_array_equal(parts(skeletons, 1, EIGHT), parts(frames, 1, EIGHT))
    np.testing.assert_array_equal(parts(skeletons, 0, FOUR), parts(frames, 0, FOUR))


@compiled
def test_thinning_keeps_parts_and_holes_of_large_pictures() -> None:
    frames = blobs(300, seed=6)
    for frame, skeleton in zip(frames, thin(frames), strict=True):
        for value, neighbours in ((1, EIGHT), (0, FOUR)):
            before, after = (np.pad(each, 1) == value for each in (frame, skeleton))
            assert ndimage.label(before, neighbours)[1] == ndimage.label(after, neighbours)[1]


@pytest.mark.parametrize("width", [2, 3, 4, 5])
@pytest.mark.parametrize("direction", ["across", "down", "diagonal"])
def test_a_straight_stroke_becomes_one_pixel_wide(direction: str, width: int) -> None:
    frame = np.zeros((1, *FRAME), np.uint8)
    if direction == "diagonal":
        rows, columns = np.mgrid[: FRAME[0], : FRAME[1]]
        away = columns - (rows - 6)
        frame[0] = (np.abs(2 * away - (width - 1)) <= width) & (rows >= 8) & (rows < 22)
    elif direction == "down":
        frame[0, 6:26, 8 : 8 + width] = 1
    else:
        frame[0, 14 : 14 + width, 2:18] = 1
    line, stroke = (each.T if direction == "across" else each for each in (thin(frame)[0], frame[0]))
    along = np.flatnonzero(stroke.any(axis=1))
    assert (line.sum(axis=1)[along[width] : along[-width]] == 1).all()
    assert line.sum() > len(along) - 2 * width
    assert ndimage.label(line, EIGHT)[1] == 1


LINES = [
    ["############"],
    ["#"] * 12,
    ["." * k + "#" for k in range(12)],
    ["." * (11 - k) + "#" for k in range(12)],
    ["###.........", "...###......", "......###...", ".........###"],
    ["....#####...", "...#.....#..", "...#.....#..", "....#####..."],
]


@pytest.mark.parametrize("rows", LINES, ids=["across", "down", "falling", "rising", "steps", "ring"])
def test_single_pixel_lines_stay(rows: list[str]) -> None:
    frame = drawn(rows)
    np.testing.assert_array_equal(thin(frame), frame)


@pytest.mark.parametrize("quarter", range(4))
def test_a_line_is_a_stroke_with_two_ends_in_their_blocks(quarter: int) -> None:
    square = np.zeros((20, 20), np.uint8)
    square[9, 1:19] = 1
    frame = np.zeros((1, *FRAME), np.uint8)
    frame[0, 6:26] = np.rot90(square, quarter)
    found = features_of(frame, FEATURES, currents(FEATURES, 5))[0]
    maps = {each.name: set(np.flatnonzero(row)) for each, row in zip(FEATURES.maps, found, strict=True)}
    blocks = block_of_place()[np.nonzero(frame[0])]  # in reading order
    sides, orientation = ("ew", "e") if quarter % 2 == 0 else ("sn", "n")
    assert maps[f"end-{sides[0]}"] == {blocks[0]}
    assert maps[f"end-{sides[1]}"] == {blocks[-1]}
    assert maps[f"stroke-{orientation}"] == set(blocks)
    others = set(maps) - {f"end-{sides[0]}", f"end-{sides[1]}"}
    assert not any(maps[name] for name in others if not name.startswith("stroke"))
    assert not maps[f"stroke-{'n' if orientation == 'e' else 'e'}"]


def test_pictures_that_can_not_be_placed_are_refused() -> None:
    with pytest.raises(InputError, match="above -1"):
        frames_of(np.zeros((1, 16, 16), np.float32), -1.0)
    with pytest.raises(InputError, match="finite pictures"):
        frames_of(np.full((1, 16, 16), np.nan, np.float32), 0.0)
