"""Descriptions as text read again as themselves, whatever stands in them."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_networks import random_network, random_pools

from hw_sim.chips.load import chip_names, load_chip
from hw_sim.chips.spec import ChipConstant, ChipSpec, Fact
from retronet.descriptions import as_toml
from retronet.network import NetworkSpec, load_network, network_names
from retronet.recipe import Recipe, load_recipe, override, recipe_names
from retronet.refusals import as_kind, parse_toml

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=150)


def back(value: msgspec.Struct) -> object:
    return as_kind(parse_toml(as_toml(value)), type(value))


@pytest.mark.parametrize("name", network_names())
def test_networks(name: str, tmp_path: Path) -> None:
    path = tmp_path / "again.toml"
    path.write_text(as_toml(load_network(name)), encoding="utf-8")
    assert load_network(str(path)) == load_network(name)


@pytest.mark.parametrize("name", recipe_names())
def test_recipes(name: str) -> None:
    assert back(load_recipe(name)) == load_recipe(name)


@pytest.mark.parametrize("name", chip_names())
def test_chips(name: str) -> None:
    assert back(load_chip(name)) == load_chip(name)
    assert "[engine]" in as_toml(load_chip(name))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("draw", [random_network, random_pools])
def test_random_networks(draw: Callable[[int], NetworkSpec], seed: int) -> None:
    assert back(draw(seed)) == draw(seed)


@settings(max_examples=60, deadline=None)
@given(title=ANY_TEXT, assumptions=st.lists(ANY_TEXT, max_size=4), rate=st.floats(1e-12, 1e6))
def test_any_text_and_number(title: str, assumptions: list[str], rate: float) -> None:
    network = msgspec.structs.replace(random_network(3), title=title, assumptions=tuple(assumptions))
    recipe = override(load_recipe("lecun1989"), {"title": title, "schedule.rate": rate})
    chip = msgspec.structs.replace(load_chip("anna"), facts=(Fact("a", title, "b"),) if title else ())
    assert isinstance(back(network), NetworkSpec)
    assert back(network) == network
    assert isinstance(back(recipe), Recipe)
    assert back(recipe) == recipe
    assert isinstance(back(chip), ChipSpec)
    assert back(chip) == chip


def test_what_has_its_default_is_left_out() -> None:
    text = as_toml(ChipConstant(5.0, "a source"))
    assert text == 'value = 5.0\nsource = "a source"\n'
    assert "sees" not in as_toml(load_network("lecun1989-full"))
    assert max(map(len, as_toml(load_network("lenet5")).splitlines())) < 250
