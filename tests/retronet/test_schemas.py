"""JSON Schemas of descriptions, as other programs read them."""

import json

import pytest
from jsonschema import Draft202012Validator

from retronet.descriptions import as_toml
from retronet.network import NetworkSpec, load_network, network_names
from retronet.recipe import Recipe, load_recipe, recipe_names
from retronet.refusals import parse_toml
from retronet.schemas import json_schema


def test_a_schema_is_one_and_says_what_it_is() -> None:
    schema = json_schema(NetworkSpec, "A network")
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "A network"
    assert json.loads(json.dumps(schema)) == schema
    assert "\\Z" not in json.dumps(schema)
    assert "`" not in json.dumps(schema)


@pytest.mark.parametrize("name", network_names())
def test_networks_as_they_are_printed(name: str) -> None:
    Draft202012Validator(json_schema(NetworkSpec, "")).validate(parse_toml(as_toml(load_network(name))))


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_as_they_are_printed(name: str) -> None:
    Draft202012Validator(json_schema(Recipe, "")).validate(parse_toml(as_toml(load_recipe(name))))
