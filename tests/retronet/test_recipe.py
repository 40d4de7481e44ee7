"""Recipes: what is refused, what changing a value does, rates by pass."""

from pathlib import Path

import msgspec
import pytest

from retronet.errors import InputError
from retronet.network import load_network
from retronet.recipe import (
    FOLDER,
    Distortion,
    SdlmRunning,
    Sgd,
    Targets,
    load_recipe,
    override,
    recipe_names,
)
from retronet.schedule import Constant, Steps, step_rates

BASE = load_recipe("lecun1989")


def test_the_recipe_of_1989_has_the_constants_of_its_sources() -> None:
    """NC89 §§4–5; SN's defaults as in papers.md §7.3."""
    assert BASE.passes == 23
    assert BASE.rule == SdlmRunning(mu=0.05, gamma=0.05)
    assert BASE.schedule == Constant(5e-4)
    assert BASE.targets == Targets(1.0, -1.0)
    assert (BASE.data, BASE.order, BASE.seed) == ("auto", "file", 0)
    assert (BASE.initial.bound, BASE.initial.divisor, BASE.initial.bias) == (2.4, "fan-in", "drawn")


def test_recipes_that_come_with_the_package_hold_together() -> None:
    assert {"lecun1989", "lecun1989-batch"} <= set(recipe_names())
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.source
        load_network(recipe.network)
        assert override(recipe, {}) == recipe


def test_steps_of_1998() -> None:
    """PIEEE98's schedule (papers.md §7.1): 2 passes, 3, 3, 4, and the last rate from there on."""
    steps = Steps(((2, 5e-4), (3, 2e-4), (3, 1e-4), (4, 5e-5), (1, 1e-5)))

    found = [step_rates(steps, number, 20, 3).tolist() for number in range(1, 21)]

    expected = [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5] * 8
    assert found == [[rate] * 3 for rate in expected]
    assert {*step_rates(Constant(0.03), 1, 23, 2), *step_rates(Constant(0.03), 23, 23, 2)} == {0.03}


def test_override_changes_what_it_names_and_nothing_else() -> None:
    changed = override(
        BASE, {"rule.mu": 0.02, "schedule.rate": 1, "passes": 3, "order": "shuffled", "preparation": "x"}
    )

    assert changed == msgspec.structs.replace(
        BASE,
        rule=SdlmRunning(mu=0.02, gamma=0.05),
        schedule=Constant(1.0),
        passes=3,
        order="shuffled",
        preparation="x",
    )
    assert override(BASE, {"rule": {"kind": "sgd"}}).rule == Sgd()
    assert load_recipe("lecun1989") == BASE


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("rule.my", 1, r"'lecun1989' has no value 'rule\.my'\. It has: .*passes, .*rule\.mu, rule\.gamma, "),
        ("rule.mu.x", 1, r"has no value 'rule\.mu\.x'"),
        ("nothing.at.all", 1, r"has no value 'nothing\.at\.all'"),
        ("passes", 0, r"can not be changed so: Expected `int` >= 1 - at `\$\.passes`"),
        ("passes", "many", r"Expected `int`, got `str` - at `\$\.passes`"),
        ("rule.gamma", 1.5, r"Expected `float` <= 1\.0 - at `\$\.rule\.gamma`"),
        ("schedule.rate", 0.0, r"Expected `float` > 0\.0 - at `\$\.schedule\.rate`"),
        ("schedule.rate", float("nan"), r"at `\$\.schedule\.rate`"),
        ("order", "random", r"Invalid enum value 'random' - at `\$\.order`"),
        ("rule.kind", "sgd", r"unknown field `mu` - at `\$\.rule`"),
    ],
)
def test_override_refuses(path: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        override(BASE, {path: value})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"copies": 0}, r"`int` >= 1 - at `\$\.distortion\.copies`; found 0, .* from 1 to 9,999"),
        (
            {"shift": 16.5},
            r"at `\$\.distortion\.shift`; found 16\.5, allowed is a number from 0 to 16\. Give",
        ),
        ({"scale": -0.1}, r"at `\$\.distortion\.scale`; found -0\.1, allowed is a number from 0 to 0\.5"),
        ({"squeeze": 0.6}, r"at `\$\.distortion\.squeeze`; found 0\.6, allowed is a number from 0 to 0\.5"),
        ({"shear": float("nan")}, r"at `\$\.distortion\.shear`; found nan, allowed is a number from 0 to 2"),
        ({"each_pass": "two"}, r"value 'two' - at `\$\.distortion\.each_pass`; allowed is one of all, one"),
        (
            {"shift": 0.0, "shear": 0.0},
            r"are all 0, so that .* has to be above 0 - at `\$\.distortion`\. Give",
        ),
    ],
)
def test_distortions_that_are_refused(changes: dict[str, object], said: str) -> None:
    allowed = {"copies": 2, "shift": 1.0, "shear": 0.1}
    assert override(BASE, {"distortion": allowed}).distortion == Distortion(copies=2, shift=1.0, shear=0.1)

    with pytest.raises(InputError, match=said):
        override(BASE, {"distortion": allowed | changes})


def test_the_distorted_patterns_are_the_540_000_of_1998() -> None:
    plain, distorted = load_recipe("lenet5"), load_recipe("lenet5-distorted")

    assert distorted.distortion is not None
    assert distorted.distortion.copies * 60_000 == 540_000
    told = ("name", "title", "assumptions")
    changes = {name: getattr(plain, name) for name in told} | {"distortion": None}
    assert msgspec.structs.replace(distorted, **changes) == plain


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no recipe 'lecun198'\. Did you mean 'lecun1989'\?"):
        load_recipe("lecun198")
    with pytest.raises(InputError, match=r"no recipe file '/none/mine\.toml'"):
        load_recipe("/none/mine.toml")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("passes = 23", "passes = 23\nepochs = 3", "unknown field `epochs`"),
        ("passes = 23", "", "missing required field `passes`"),
        ("passes = 23", "passes = 2.5", r"Expected `int`, got `float` - at `\$\.passes`"),
        ('"sdlm-running"', '"sdlm"', r"Invalid value 'sdlm' - at `\$\.rule\.kind`"),
        (", gamma = 0.05", "", r"missing required field `gamma` - at `\$\.rule`"),
    ],
)
def test_a_damaged_recipe_is_refused_by_file_and_key(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    text = (FOLDER / "lecun1989.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert load_recipe(str(path)) == BASE

    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        load_recipe(str(path))
    assert str(path) in str(caught.value)
