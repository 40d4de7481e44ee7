"""Graf's templates: what thinning with them must keep, how they turn, what a chip makes of them."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from support import reference_graf
from support.chip_files import like
from support.graf_pictures import FEATURES, SIZES, THINNING, blobs, thin

from hw_sim.chips.graf54.features import FRAME, block_of_place, features_of, thinned
from hw_sim.chips.graf54.templates import FOLDER, currents, draw_mismatch, graf_sizes, load_templates, weights
from hw_sim.chips.load import load_chip
from retronet.errors import InputError


def test_thinning_meets_ronses_conditions() -> None:
    """Whatever the picture: single pixels and pairs that go are simple, and no small part goes whole."""
    templates, origin = THINNING.templates, (0, 0)

    def near(*places: tuple[int, int]) -> set[tuple[int, int]]:
        return {(row + r, column + c) for row, column in places for r, c in reference_graf.AROUND}

    for each in templates:
        for picture in reference_graf.completed(reference_graf.wanted(each), near(origin)):
            assert picture[origin] == 1
            assert reference_graf.is_simple(picture, origin), each.name
            assert sum(picture[place] for place in reference_graf.AROUND) > 1, (
                f"{each.name} eats an end of a line"
            )
    for one, other in product(templates, repeat=2):
        for beside in ((0, 1), (1, 0)):
            both = reference_graf.joined(reference_graf.wanted(one), reference_graf.wanted(other, beside))
            for picture in reference_graf.completed(both, near(origin, beside)) if both else ():
                assert reference_graf.is_simple(picture, origin)
                assert reference_graf.is_simple({**picture, origin: 0}, beside), (one.name, other.name)
    square = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for count in (2, 3, 4):
        for part in combinations(square, count):
            alone = {place: int(place in part) for place in product(range(-1, 3), repeat=2)}
            for chosen in product(templates, repeat=count):
                pictures = (reference_graf.wanted(each, at) for each, at in zip(chosen, part, strict=True))
                assert reference_graf.joined(alone, *pictures) is None, [each.name for each in chosen]


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
    none = draw_mismatch(SIZES, 0, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(
        features_of(
            thinned(frames, currents(THINNING, 5, none)).frames, FEATURES, currents(FEATURES, 5, none)
        ),
        features_of(thin(frames), FEATURES, currents(FEATURES, 5)),
    )


def test_a_deviating_chip_compares_its_own_currents() -> None:
    frames = thin(blobs(4, seed=8))
    mismatch = draw_mismatch(SIZES, 0.3, 1.0, np.random.default_rng(1))
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
        load_templates(str(file), SIZES)


def test_templates_that_are_not_there() -> None:
    with pytest.raises(InputError, match="There are: graf-features, graf-thinning"):
        load_templates("thinning", SIZES)


def test_a_file_of_ones_own_is_read_from_its_path() -> None:
    assert load_templates(str(FOLDER / "graf-thinning.toml"), SIZES) == THINNING


def test_templates_fit_into_the_amplifiers_and_inputs_of_the_chip(tmp_path: Path) -> None:
    few = graf_sizes(load_chip(str(like(tmp_path, "graf54", neurons=48))))
    with pytest.raises(
        InputError, match=r"they are 49; the chip compares at most 48 at once \(engine\.neurons"
    ):
        load_templates("graf-features", few)
    assert load_templates("graf-thinning", few) == THINNING
    short = graf_sizes(load_chip(str(like(tmp_path, "graf54", inputs=48))))
    with pytest.raises(InputError, match="'size' is 7; odd sizes of at most 48 pixels"):
        load_templates("graf-features", short)


def test_a_larger_chip_takes_larger_templates(tmp_path: Path) -> None:
    large = graf_sizes(load_chip(str(like(tmp_path, "graf54", inputs=81))))
    rows = "".join(f'"{row}",' for row in ["." * 9] * 8 + ["........+"])
    text = (
        'name = "corner"\ntitle = ""\nsize = 9\nstanding = ""\nrule = ""\n'
        f'[[templates]]\nname = "c"\nthreshold = 1\nrows = [{rows}]\n[[maps]]\nname = "c"\nany_of = [["c"]]\n'
    )
    file = tmp_path / "corner.toml"
    file.write_text(text, encoding="utf-8")
    corner = load_templates(str(file), large)
    frames = np.zeros((1, *FRAME), np.uint8)
    frames[0, 20, 12] = 1
    found = features_of(frames, corner, currents(corner, 5))[0, 0]
    # Its only black pixel is four places below and to the right of the one where it matches.
    assert np.flatnonzero(found).tolist() == [block_of_place()[16, 8]]
    with pytest.raises(InputError, match="'size' is 9; odd sizes of at most 54 pixels"):
        load_templates(str(file), SIZES)


def test_a_chip_is_drawn_as_large_as_it_is(tmp_path: Path) -> None:
    sizes = graf_sizes(load_chip(str(like(tmp_path, "graf54", neurons=60, inputs=49))))
    mismatch = draw_mismatch(sizes, 0.1, 0.2, np.random.default_rng(0))
    assert (mismatch.connections.shape, mismatch.offsets.shape) == ((60, 49), (60,))
