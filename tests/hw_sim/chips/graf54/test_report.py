"""Graf's chip against windows read one by one, outside libraries and what thinning must keep."""

from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import msgspec
import numba
import numpy as np
import pytest
from scipy import ndimage
from support import reference_graf as reference

from hw_sim.chips.graf54.features import FRAME, block_of_place, features_of, frames_of, thinned
from hw_sim.chips.graf54.report import GrafOptions, GrafReport, run_graf
from hw_sim.chips.graf54.templates import (
    FOLDER,
    currents,
    draw_mismatch,
    load_templates,
    weights,
)
from hw_sim.kernels.graf import shear_of
from retronet.datasets import DigitSets, load
from retronet.errors import InputError

compiled = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="thousands of pictures need compiled code"
)

THINNING, FEATURES = load_templates("graf-thinning"), load_templates("graf-features")
EIGHT, FOUR = np.ones((3, 3), int), ndimage.generate_binary_structure(2, 1)


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


@pytest.mark.parametrize("inhibition", [1, 5])
def test_thinning_is_that_of_windows_read_one_by_one(inhibition: int) -> None:
    frames = blobs(6, seed=1)
    found = thinned(frames, currents(THINNING, inhibition))
    for frame, skeleton, scans in zip(frames, found.frames, found.scans, strict=True):
        expected, expected_scans = reference.thin(THINNING, frame, inhibition)
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
        assert places == reference.features(FEATURES, frame, inhibition)


def test_inhibition_keeps_features_out() -> None:
    frames = blobs(3, seed=4)
    weak, strong = (features_of(frames, FEATURES, currents(FEATURES, b)) for b in (0.5, 5))
    assert (weak >= strong).all()
    assert weak.sum() > strong.sum()


def test_a_known_shear_is_found_and_undone() -> None:
    rows, columns = np.mgrid[:16, :16]
    slope = 0.5
    away = columns - 7.5 - slope * (rows - 7.5)
    picture = np.where(np.abs(away) <= 1.6, 1, -1).astype(np.float32)
    assert shear_of(picture, 0.0)[0] == pytest.approx(slope, abs=0.04)
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


def test_thinning_meets_ronses_conditions() -> None:
    """Whatever the picture: single pixels and pairs that go are simple, and no small part goes whole."""
    templates, origin = THINNING.templates, (0, 0)

    def near(*places: tuple[int, int]) -> set[tuple[int, int]]:
        return {(row + r, column + c) for row, column in places for r, c in reference.AROUND}

    for each in templates:
        for picture in reference.completed(reference.wanted(each), near(origin)):
            assert picture[origin] == 1
            assert reference.is_simple(picture, origin), each.name
            assert sum(picture[place] for place in reference.AROUND) > 1, f"{each.name} eats an end of a line"
    for one, other in product(templates, repeat=2):
        for beside in ((0, 1), (1, 0)):
            both = reference.joined(reference.wanted(one), reference.wanted(other, beside))
            for picture in reference.completed(both, near(origin, beside)) if both else ():
                assert reference.is_simple(picture, origin)
                assert reference.is_simple({**picture, origin: 0}, beside), (one.name, other.name)
    square = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for count in (2, 3, 4):
        for part in combinations(square, count):
            alone = {place: int(place in part) for place in product(range(-1, 3), repeat=2)}
            for chosen in product(templates, repeat=count):
                pictures = (reference.wanted(each, at) for each, at in zip(chosen, part, strict=True))
                assert reference.joined(alone, *pictures) is None, [each.name for each in chosen]


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


def test_templates_turn_into_each_other() -> None:
    """A quarter turn of a direction's template is that of the direction four steps on, as the rule says."""
    around = [
        "e",
        "ene",
        "ne",
        "nne",
        "n",
        "nnw",
        "nw",
        "wnw",
        "w",
        "wsw",
        "sw",
        "ssw",
        "s",
        "sse",
        "se",
        "ese",
    ]
    found = {each.name: each for each in FEATURES.templates}
    assert len(found) == 49
    for kind, directions in (("end", 16), ("ray", 16), ("stroke", 8), ("clean", 8)):
        for step in range(directions):
            turned = np.rot90([list(row) for row in found[f"{kind}-{around[step]}"].rows])
            other = found[f"{kind}-{around[(step + 4) % directions]}"]
            assert ["".join(row) for row in turned] == list(other.rows)
            assert other.threshold == found[f"{kind}-{around[step]}"].threshold
            if kind in ("end", "ray"):
                black = weights(FEATURES, 0)[list(found).index(other.name)]
                beside = np.delete(black, 3, axis=0).sum(1).max(), np.delete(black, 3, axis=1).sum(0).max()
                assert max(beside) < other.threshold <= black.sum()


def test_deviations_of_zero_are_the_ideal_chip_bit_for_bit() -> None:
    frames = blobs(5, seed=7)
    none = draw_mismatch(0, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(
        features_of(
            thinned(frames, currents(THINNING, 5, none)).frames, FEATURES, currents(FEATURES, 5, none)
        ),
        features_of(thin(frames), FEATURES, currents(FEATURES, 5)),
    )


def test_a_deviating_chip_compares_its_own_currents() -> None:
    frames = thin(blobs(4, seed=8))
    mismatch = draw_mismatch(0.3, 1.0, np.random.default_rng(1))
    found = features_of(frames, FEATURES, currents(FEATURES, 5, mismatch))
    connections = weights(FEATURES, 5) * (1 + mismatch.connections[:49, :49].reshape(49, 7, 7))
    limits = [each.threshold - 0.5 for each in FEATURES.templates] + mismatch.offsets[:49]
    names = [each.name for each in FEATURES.templates]
    blocks = block_of_place()
    for frame, each in zip(frames, found, strict=True):
        matched = {
            name: ndimage.correlate(frame.astype(float), kernel, mode="constant") >= limit
            for name, kernel, limit in zip(names, connections, limits, strict=True)
        }
        for index, feature in enumerate(FEATURES.maps):
            where = np.any([np.all([matched[n] for n in group], axis=0) for group in feature.any_of], axis=0)
            assert set(np.flatnonzero(each[index])) == set(blocks[where].tolist())
    assert (found != features_of(frames, FEATURES, currents(FEATURES, 5))).any()


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        ("size = 5", "size = 9", "'size' is 9; odd sizes of at most 54 pixels"),
        ("size = 5", "size = 3", "is not 3×3"),
        ('name = "edge-e"', 'name = "edge-n"', "two templates have one name"),
        ("threshold = 4", "threshold = 6", "threshold 6; at most 4 fits"),
        ('".---."', '".-?-."', "matching regex"),
        (
            "\n[[templates]]",
            '\n[[maps]]\nname = "m"\nany_of = [["nothing"]]\n[[templates]]',
            "map 'm' names \\['nothing'\\]",
        ),
    ],
)
def test_templates_that_do_not_hold_together(
    written: str, instead: str, message: str, tmp_path: Path
) -> None:
    text = (FOLDER / "graf-thinning.toml").read_text(encoding="utf-8")
    assert written in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(written, instead, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_templates(str(file))


def test_templates_that_are_not_there() -> None:
    with pytest.raises(InputError, match="There are: graf-features, graf-thinning"):
        load_templates("thinning")
    with pytest.raises(InputError, match="above -1"):
        frames_of(np.zeros((1, 16, 16), np.float32), -1.0)
    with pytest.raises(InputError, match="finite pictures"):
        frames_of(np.full((1, 16, 16), np.nan, np.float32), 0.0)


def test_a_file_of_ones_own_is_read_from_its_path() -> None:
    assert load_templates(str(FOLDER / "graf-thinning.toml")) == THINNING


def few_digits(train: int, test: int) -> DigitSets:
    digits = load("digits5k")

    def first(half: Any, count: int) -> Any:
        return replace(half, images=half.images[:count], labels=half.labels[:count])

    return DigitSets(first(digits.train, train), first(digits.test, test), None)


@compiled
def test_the_method_on_the_embedded_digits() -> None:
    digits = few_digits(2000, 500)
    options = GrafOptions(current_deviation=0.3, offset_deviation=0.5, chips=2, passes=5)
    report = run_graf(digits, options, seed=3)
    assert run_graf(digits, options, seed=3) == report
    assert report.inputs == 270
    assert report.test.n == 500
    assert report.test.misses < 75
    thinning = thinned(frames_of(digits.test.images, 0.0), currents(THINNING, 5))
    assert report.work.scans == thinning.scans.mean()
    assert report.work.thinning_calls == 640 * thinning.scans.mean()
    assert report.work.modelled_images_per_s == pytest.approx(1e6 / (640 * (thinning.scans.mean() + 1)))
    assert [each.chip for each in report.chips] == [0, 1]
    assert report.chips[0] != msgspec.structs.replace(report.chips[1], chip=0)
    assert all(each.differing_features_percent > 0 and each.test.n == 500 for each in report.chips)
    published = {each.source.split(":")[0]: each for each in report.figures[:1]}
    assert published["DENKER88"].found == report.test.error_percent
    assert published["DENKER88"].low == report.test.error_percent_low
    assert msgspec.json.decode(msgspec.json.encode(report), type=GrafReport) == report


@compiled
def test_an_ideal_chip_draws_none() -> None:
    report = run_graf(few_digits(300, 100), GrafOptions(chips=5, passes=1))
    assert report.chips == ()
    with pytest.raises(InputError, match="make no maps"):
        run_graf(few_digits(20, 10), GrafOptions(features="graf-thinning"))
