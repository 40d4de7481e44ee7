"""Every loader of descriptions takes or refuses what a file holds, whatever that is: no other exception."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.mutants import COUNT
from support.small_network import NETWORK, plan_of
from support.toml_trees import damaged

import hw_sim
from hw_sim.chips import constants, load
from hw_sim.chips.graf54 import templates
from retronet import network, recipe
from retronet.errors import InputError


def network_counts(name: str) -> None:
    spec = network.load_network(name)
    network.parameter_shapes(spec)
    for sized in network.sized_layers(spec):
        assert sized.connections >= sized.macs >= sized.border_macs >= 0


def plan(name: str) -> None:
    found = hw_sim.load_plan(Path(name), NETWORK)
    found.describe()
    assert hw_sim.load_plan(Path(name), NETWORK) == found


def chip_constants(name: str) -> None:
    assert list(constants.constants(load.load_chip(name)))


def template_set(name: str) -> None:
    templates.load_templates(name, templates.graf_sizes(load.load_chip("graf54")))


def recipe_overridden(name: str) -> None:
    found = recipe.load_recipe(name)
    msgspec.json.encode(found)
    assert recipe.override(found, {}) == found


def of(folder: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


PLAN = tomllib.loads(hw_sim.plan_toml(plan_of(NETWORK, "s8.6", "s18.10:TRN:WRAP"))) | {
    "defaults": {"weight": "s8.6", "state": "{-1,0,1}", "activation": {"kind": "table", "limit": 2.0}}
}
LOADERS: dict[str, tuple[Callable[[str], Any], dict[str, Any]]] = {
    "network": (network_counts, of(network.FOLDER, "lenet5")),
    "small network": (network_counts, of(network.FOLDER, "lecun1989")),
    "recipe": (recipe_overridden, of(recipe.FOLDER, "chang2022-modern-4")),
    "recipe of 1989": (recipe_overridden, of(recipe.FOLDER, "lecun1989")),
    "chip": (chip_constants, of(load.FOLDER / "graf54", "graf54")),
    "array chip": (chip_constants, of(load.FOLDER / "anna", "anna")),
    "templates": (template_set, of(templates.FOLDER, "graf-features")),
    "plan": (plan, PLAN),
}


@pytest.mark.parametrize("name", LOADERS)
@settings(
    max_examples=COUNT,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_damaged_description_is_taken_or_refused_in_one_sentence(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    load, content = LOADERS[name]
    path = tmp_path / "mine.toml"
    path.write_text(data.draw(damaged(content)), encoding="utf-8")
    try:
        load(str(path))
    except InputError as error:
        said = str(error)
        assert said.isprintable()
        assert len(said) < 3000
