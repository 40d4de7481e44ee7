"""`retronet show`: descriptions as they are written, with the counts that follow from them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from retronet.network import load_network, network_names
from retronet.recipe import load_recipe, override, recipe_names
from retronet_cli.views.descriptions import recipe_table

Call = Callable[..., Result]


def show_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("show", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert isinstance(printed, dict)
    return printed


def test_lists_hold_all_that_comes_with_the_package(call: Call) -> None:
    recipes, networks = show_json(call, "recipes"), show_json(call, "networks")

    assert [each["name"] for each in recipes["recipes"]] == recipe_names()
    assert [each["name"] for each in networks["networks"]] == network_names()
    for name in network_names():
        assert name in call("show", "networks").stdout


def test_the_counts_of_1989(call: Call) -> None:
    printed = show_json(call, "network", "lecun1989")
    counts = printed["counts"]

    assert (printed["schema"], printed["name"]) == ("retronet/network/1", "lecun1989")
    assert {key: counts[key] for key in ("units", "connections", "parameters", "macs", "border_macs")} == {
        "units": 1_256,
        "connections": 64_660,
        "parameters": 9_760,
        "macs": 63_660,
        "border_macs": 13_428,
    }
    assert [(layer["name"], layer["macs"]) for layer in counts["layers"]] == [
        ("h1", 19_200),
        ("h2", 38_400),
        ("h3", 5_760),
        ("output", 300),
    ]


def test_no_digit_is_lost_on_a_narrow_terminal(call: Call, columns: int) -> None:
    printed = call("show", "network", "lecun1989").stdout
    _, _, table = " ".join(printed.split()).partition(load_network("lecun1989").title)

    assert max(map(len, printed.splitlines())) <= columns
    for number in ("12×8×8", "19,968", "38,592", "2,592", "10,656", "1,256", "64,660", "9,760", "63,660"):
        assert number in table


@pytest.mark.parametrize("name", network_names())
def test_every_network_can_be_shown(call: Call, name: str, columns: int) -> None:
    result = call("show", "network", name)

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "…" not in result.stdout


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_in_short_has_all_its_values(call: Call, name: str) -> None:
    short, full = (call("show", "recipe", name, *words).stdout for words in ((), ("--details",)))
    table, words = recipe_table(load_recipe(name)), set(short.replace(",", " ").split())

    assert len(short.splitlines()) < len(full.splitlines())
    for key, value in zip(*(column.cells for column in table.columns), strict=True):
        assert key in words if value == "None" else set(str(value).replace(",", " ").split()) <= words


def test_what_is_assumed_is_said(call: Call) -> None:
    for what, description in (
        ("network", load_network("lecun1989")),
        ("recipe", load_recipe("lecun1989")),
    ):
        printed = " ".join(call("show", what, "lecun1989").stdout.split())
        assert description.assumptions
        for assumption in description.assumptions:
            assert f"Assumed. {assumption}" in printed


@pytest.mark.parametrize("name", recipe_names())
def test_every_value_shown_can_be_set(name: str) -> None:
    """The names in the table are those that --set takes."""
    recipe = load_recipe(name)
    shown = list(recipe_table(recipe).columns[0].cells)

    assert "passes" in shown
    for path in shown:
        value: Any = recipe
        for part in str(path).split("."):
            value = value.__struct_config__.tag if part == "kind" else getattr(value, part)
        assert override(recipe, {str(path): value}) == recipe


def test_a_file_of_ones_own(call: Call, tiny_network: Path) -> None:
    assert show_json(call, "network", tiny_network)["counts"]["parameters"] == 2 * 37 + 10 * 19


def test_names_are_shown_as_they_are_written(call: Call, tiny_network: Path, tmp_path: Path) -> None:
    """Brackets and colons are not a markup language."""
    odd = tmp_path / "odd.toml"
    text = tiny_network.read_text(encoding="utf-8").replace("A small one", "[bold]maps[/] of :smile: [/x]")
    odd.write_text(f'assumptions = ["Ranges [a, b] and :100:."]\n{text}', encoding="utf-8")

    result = call("show", "network", odd)

    assert result.exit_code == 0
    assert "tiny: [bold]maps[/] of :smile: [/x]" in result.stdout
    assert "Assumed. Ranges [a, b] and :100:." in result.stdout


@pytest.mark.parametrize("what", ["network", "recipe"])
def test_unknown_names_suggest_the_nearest(call: Call, what: str) -> None:
    result = call("show", what, "lecun1989-")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"There is no {what} 'lecun1989-'. Did you mean 'lecun1989'?" in result.stderr
    assert f"See `retronet show {what}s`" in result.stderr
