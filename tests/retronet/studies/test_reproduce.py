"""Verdicts on published figures, from records made up for the purpose."""

import math

import pytest

from retronet.errors import InputError
from retronet.evaluate import Score
from retronet.recipe import load_recipe
from retronet.studies.reproduce import Figure, Published, choose, findings, published
from retronet.studies.seeds import SeedResult
from retronet.training.train import PassRecord


def result(seed: int, misses: int) -> SeedResult:
    score = Score(2007, misses, 100 * misses / 2007, 0.0, 0.0, 0.01, 10.0)
    return SeedResult(seed, "", (PassRecord(1, 1, 1.0, 0.0, score, score),))


def verdict(values: list[int], figure: Figure) -> tuple[float | None, float | None, bool | None]:
    one = findings(Published("x", (0,), (figure,)), [result(*each) for each in enumerate(values)])[0]
    return one.low, one.high, one.inside


def figure(value: float, **more: object) -> Figure:
    return Figure(number=1, digits="test", quantity="misses", published=value, source="s", **more)  # type: ignore[arg-type]


def test_verdict_by_the_next_seed() -> None:
    reach = 4.302652729911275 * math.sqrt(1 + 1 / 3)  # three values one apart have a deviation of 1
    low, high, inside = verdict([99, 100, 101], figure(104))
    assert (low, high) == (pytest.approx(100 - reach), pytest.approx(100 + reach))
    assert inside is True
    assert verdict([99, 100, 101], figure(106))[2] is False
    assert verdict([100], figure(100))[2] is None


def test_verdict_by_tolerance_and_bound() -> None:
    assert verdict([84], figure(82, tolerance=2))[2] is True
    assert verdict([85], figure(82, tolerance=2))[2] is False
    assert verdict([40], figure(40, bound="at most"))[2] is True
    assert verdict([41], figure(40, bound="at most"))[2] is False


def test_every_published_recipe_exists_and_reaches_its_passes() -> None:
    for each in published():
        passes = load_recipe(each.recipe).passes
        assert all(1 <= figure.number <= passes for figure in each.figures), each.recipe


def test_unknown_recipe() -> None:
    with pytest.raises(
        InputError, match=r"no recipe with published figures 'lecun198'.*Did you mean 'lecun1989'"
    ):
        choose(["lecun198"])
