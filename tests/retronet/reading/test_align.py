"""The alignment against every parting there is."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.errors import InputError
from retronet.reading import align
from retronet.reading.align import CUTS, LONGEST, SHORTEST, aligned, costs_of, picture_of, scanned
from retronet.reading.forms import FORMS
from retronet.reading.segments import components
from retronet.reading.strip import Strip
from retronet.recipe import load_recipe

FORM = FORMS[16, 16]["bipolar28"]
LINE = components(np.ones((32, 80), bool))[0]


def strip(places: int, first: float, last: float) -> Strip:
    field = np.zeros((28, 28 + 4 * (places - 1)), np.float32)
    return Strip(field, first, last, LINE, 0.5)


def cheapest(costs: NDArray[np.float64], one: Strip, digits: int) -> tuple[float, tuple[int, ...]] | None:
    """Return the least cost of all partings, and the digits of that parting."""
    length = one.last - one.first
    pieces = round(CUTS * length / 4)
    best = None
    for cuts in combinations(range(1, pieces), digits - 1):
        ends = [one.first + length * cut / pieces for cut in (0, *cuts, pieces)]
        total, answer = 0.0, []
        for start, stop in pairwise(ends):
            if not SHORTEST * 16 <= stop - start <= LONGEST * 16:
                break
            place = min(max(round(((start + stop) / 2 - 14) / 4), 0), len(costs) - 1)
            total += costs[place].min()
            answer.append(int(costs[place].argmin()))
        else:
            if best is None or total < best[0] - 1e-12:
                best = total, tuple(answer)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_parting_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.random((11, 10))
    one, digits = strip(11, 14.0, 14.0 + rng.uniform(20, 42)), int(rng.integers(1, 5))
    wanted, found = cheapest(costs, one, digits), aligned(costs, one, FORM, 4, digits)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert found.cost == pytest.approx(wanted[0])
    assert sum(
        costs[place, digit] for digit, place in zip(found.digits, found.places, strict=True)
    ) == pytest.approx(found.cost)
    assert found.ends[0][0] == one.first
    assert found.ends[-1][1] == one.last
    assert all(before[1] == after[0] for before, after in pairwise(found.ends))
    assert all(SHORTEST * 16 <= stop - start <= LONGEST * 16 for start, stop in found.ends)


def test_costs_are_half_the_squared_error_of_each_class() -> None:
    outputs = np.random.default_rng(0).uniform(-1, 1, (7, 10)).astype(np.float32)
    costs = costs_of(outputs, load_recipe("lenet1"))
    for place in range(7):
        for digit in range(10):
            wanted = np.where(np.arange(10) == digit, 1.0, -1.0)
            assert costs[place, digit] == pytest.approx(0.5 * np.square(outputs[place] - wanted).sum())


def test_clear_answers_are_read_where_they_are() -> None:
    """Three digits, each answered clearly where it stands and nowhere else."""
    one = strip(11, 14.0, 62.0)
    outputs = np.full((1, 10, 1, 11), -0.2)
    for place, digit in ((2, 7), (6, 1), (10, 3)):
        outputs[0, :, 0, place] = -1
        outputs[0, digit, 0, place] = 1
    recipe = load_recipe("lenet1")
    ((line),) = scanned([one], lambda *_: outputs, recipe, FORM, 4, 3)
    assert [each.digit for each in line] == [7, 1, 3]
    assert [each.confidence for each in line] == [2, 2, 2]
    assert [each.column for each in line] == sorted(each.column for each in line)
    assert line[0].column == LINE.column
    assert line[-1].column + line[-1].columns == pytest.approx(LINE.column + 96, abs=2)
    read = picture_of("a.png", [line], False, 2.5)
    assert read.texts == ("---",)
    assert picture_of("a.png", [line], False, 0).texts == ("713",)
    assert scanned([], lambda *_: outputs, recipe, FORM, 4, 3) == []


def test_places_beyond_a_shorter_strip_do_not_count() -> None:
    short, wide = strip(3, 14.0, 30.0), strip(11, 14.0, 62.0)
    outputs = np.full((2, 10, 1, 11), -0.2)
    outputs[0, :, 0, 3:] = -1
    outputs[0, 9, 0, 3:] = 1
    lines = scanned([short, wide], lambda *_: outputs, load_recipe("lenet1"), FORM, 4, 1)
    assert lines[0][0].confidence == 0
    assert lines[1] == (), "one digit is not so wide"


def test_strips_in_batches_are_read_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as the widest of all, and each told how many came before."""
    strips = [strip(places, 14.0, 14.0 + 4 * places) for places in (5, 6, 5, 11, 7)]
    every = np.random.default_rng(3).uniform(-1, 1, (5, 10, 1, 11))
    taken: list[tuple[tuple[int, ...], int]] = []

    def slide(fields: NDArray[np.float32], before: int = 0) -> NDArray[np.float64]:
        taken.append((fields.shape, before))
        return every[before : before + len(fields)]

    recipe = load_recipe("lenet1")
    whole = scanned(strips, slide, recipe, FORM, 4, 1)
    assert any(whole)
    monkeypatch.setattr(align, "BATCH", 2)
    assert scanned(strips, slide, recipe, FORM, 4, 1) == whole
    assert taken == [((5, 28, 68), 0), ((2, 28, 68), 0), ((2, 28, 68), 2), ((1, 28, 68), 4)]
    assert scanned([each.without_ink for each in strips], slide, recipe, FORM, 4, 1) == whole


@pytest.mark.parametrize(
    ("lines", "why"), [([], "there is no line for"), ([()], "a line is too narrow or too wide")]
)
def test_what_can_not_be_scanned_is_said(lines: list[tuple[()]], why: str) -> None:
    with pytest.raises(InputError, match=rf"Nothing can be scanned in a\.png: {why}.*Ask for another number"):
        picture_of("a.png", lines, False, 0)
