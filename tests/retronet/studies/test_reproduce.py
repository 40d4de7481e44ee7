"""Verdicts on published figures, from records made up for the purpose."""

import math

import pytest
from msgspec.structs import replace

from retronet.errors import InputError
from retronet.evaluate import Score, wilson_percent
from retronet.recipe import load_recipe
from retronet.studies.reproduce import Figure, Published, choose, findings, likelihoods, next_of, published
from retronet.studies.seeds import SeedResult
from retronet.training.train import PassRecord


def result(seed: int, misses: int) -> SeedResult:
    score = Score(2007, misses, 100 * misses / 2007, 0.0, 0.0, 0.01, 10.0)
    return SeedResult(seed, "", (PassRecord(1, 1, 1.0, 0.0, score, score),))


def verdict(values: list[int], figure: Figure) -> tuple[float | None, float | None, bool | None]:
    one = findings(Published("x", (figure,), (0,)), [result(*each) for each in enumerate(values)])[0]
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


def test_the_next_seed_is_told_by_many_seeds_themselves() -> None:
    """Of n values and one more all orders are equally likely: k from each end hold it with 1 − 2k/(n + 1)."""
    assert next_of(list(range(38))) is None
    assert next_of(list(range(39))) == (0, 38)
    assert next_of([*range(100)][::-1]) == (1, 98)
    for n in (39, 79, 100, 250):
        k = next(k for k in range(n, 0, -1) if 1 - 2 * k / (n + 1) >= 0.95)
        assert next_of(list(range(n))) == (k - 1, n - k)
    low, high, inside = verdict([*range(100)], figure(1))
    assert (low, high, inside) == (1, 98, True)
    assert verdict([*range(100)], figure(0.5))[2] is False


def test_how_many_seeds_do_as_well_is_counted() -> None:
    train = Figure(number=1, digits="train", quantity="misses", published=70, source="s")
    others = (figure(3, tolerance=1.0), figure(2, bound="at most"))
    results = [result(seed, misses) for seed, misses in enumerate([*range(50)] * 2)]
    # The train misses of a seed are those of another: 99 − misses.
    results = [
        SeedResult(
            each.seed,
            "",
            (replace(each.records[0], train=result(0, 99 - each.records[0].test.misses).records[0].train),),
        )
        for each in results
    ]
    likely = likelihoods(Published("x", (figure(39), train, *others), (0,)), results)
    assert [(each.seeds, each.of) for each in likely] == [(80, 100), (42, 100), (22, 100)]
    assert [len(each.figures) for each in likely] == [1, 1, 2]
    both = likely[-1]
    assert (both.percent, both.percent_low, both.percent_high) == (22.0, *wilson_percent(22, 100))
    assert likelihoods(Published("x", (figure(39),), (0,)), results[:38]) == ()
    assert likelihoods(Published("x", others, (0,)), results) == ()


def test_every_published_recipe_exists_and_reaches_its_passes() -> None:
    for each in published():
        passes = load_recipe(each.recipe).passes
        assert all(1 <= figure.number <= passes for figure in each.figures), each.recipe
        assert each.chosen_seeds


def test_unknown_recipe() -> None:
    with pytest.raises(
        InputError, match=r"no recipe with published figures 'lecun198'.*Did you mean 'lecun1989'"
    ):
        choose(["lecun198"])
