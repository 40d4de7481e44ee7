"""Choices told apart and counted, on records made up for the purpose; Welch's test beside scipy's."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from retronet.errors import InputError
from retronet.evaluate import Score, wilson_percent
from retronet.recipe import load_recipe
from retronet.studies.choices import chances, choices, choose_choices, differences, figures_held, holm, welch
from retronet.studies.seeds import SeedResult
from retronet.training.train import PassRecord


def results(train: list[int], test: list[int]) -> list[SeedResult]:
    """Return one result a seed; squared errors and rejects are as good as published in all."""

    def score(misses: int) -> Score:
        return Score(2007, misses, 100 * misses / 2007, 0.0, 0.0, 0.001 + misses * 1e-6, 10.0)

    both = zip(train, test, strict=True)
    return [
        SeedResult(seed, "", (PassRecord(1, 1, 1.0, 0.0, score(one), score(other)),))
        for seed, (one, other) in enumerate(both)
    ]


def named(*names: str) -> tuple[str, ...]:
    return tuple(each.name for each in choose_choices(names))


def test_every_choice_is_a_recipe_of_its_own() -> None:
    recipes = [choice.to_recipe() for choice in choices()]
    assert len({repr(recipe) for recipe in recipes}) == 8
    assert recipes[0] == load_recipe("lecun1989")
    assert {recipe.passes for recipe in recipes} == {23}


def test_choices_are_chosen_in_the_order_of_their_file() -> None:
    assert named("sgd", "default") == ("default", "sgd")
    assert named()[0] == "default"
    with pytest.raises(InputError, match=r"no choice 'rolld'.*Did you mean 'rolled'"):
        choose_choices(["rolld"])


def test_a_squared_error_from_other_targets_is_not_compared() -> None:
    quantities = {
        name: [each.quantity for each in figures_held(choose_choices([name])[0])]
        for name in ("default", "targets")
    }
    assert len(quantities["default"]) == 5
    assert quantities["targets"] == [each for each in quantities["default"] if each != "half_mse"]


def test_welch_is_scipys() -> None:
    generator = np.random.default_rng(3)
    for sizes in ((2, 3), (10, 10), (100, 30)):
        first, second = generator.normal(10, 1, sizes[0]), generator.normal(10.5, 4, sizes[1])
        difference, p = welch(first.tolist(), second.tolist())
        assert difference == pytest.approx(second.mean() - first.mean())
        assert p == pytest.approx(ttest_ind(first, second, equal_var=False).pvalue, rel=1e-9)
    assert welch([1.0, 1.0], [1.0, 1.0]) == (0.0, 1.0)
    assert welch([1.0, 1.0], [2.0, 2.0]) == (1.0, 0.0)


def test_holm_by_hand() -> None:
    assert holm([0.03, 0.001, 0.04, 0.02]) == pytest.approx([0.06, 0.004, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_choices_that_differ_are_apart_in_what_differs() -> None:
    low, high = [10, 11, 12, 13] * 10, [20, 21, 22, 23] * 10
    found = differences({"default": results(low, low), "sgd": results(low, high), "zero": results(low, low)})
    assert len(found) == 3 * 5
    apart = {
        (each.first, each.second, each.figure.digits, each.figure.quantity) for each in found if each.apart
    }
    assert apart == {
        (*pair, "test", quantity)
        for pair in (("default", "sgd"), ("zero", "sgd"))
        for quantity in ("misses", "half_mse")
    }
    assert {each.difference for each in found if each.apart and each.figure.quantity == "misses"} == {10.0}


def test_how_many_seeds_do_as_well_is_counted_in_both_misses_too() -> None:
    default = choose_choices(["default"])[0]
    train, test = [10] * 20 + [11] * 20, ([102] * 5 + [103] * 15) * 2
    *_, both, every = counted = chances(default, results(train, test))
    assert [each.seeds for each in counted] == [40, 40, 20, 10, 40, 5, 5]
    assert (both.of, both.percent_low, both.percent_high) == (40, *wilson_percent(5, 40))
    assert {each.quantity for each in both.figures} == {"misses"}
    assert len(every.figures) == 5
    assert chances(default, results(train[:20], test[:20])) == ()
