"""The reference of formats is the types', and the schemas take the files that the package brings."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from hw_sim.chips.load import FOLDER as CHIPS
from hw_sim.chips.load import chip_names
from retronet.descriptions import find, read_toml
from retronet.network import FOLDER as NETWORKS
from retronet.network import load_network, network_names
from retronet.recipe import FOLDER as RECIPES
from retronet.recipe import recipe_names
from retronet.refusals import parse_toml
from retronet_cli.commands.show import SCHEMAS as NAMES
from retronet_cli.main import cli
from retronet_cli.views.formats import KINDS, formats_page, schema_of

Call = Callable[..., Result]
PAGE = Path(__file__).parents[3] / "docs/formats.md"
FILES = [
    *(("network", find("network", name, NETWORKS)) for name in network_names()),
    *(("recipe", find("recipe", name, RECIPES)) for name in recipe_names()),
    *(("chip", find("chip", name, CHIPS)) for name in chip_names()),
]


def test_the_page_is_current(call: Call) -> None:
    """Print it anew where this fails: retronet show formats > docs/formats.md."""
    assert PAGE.read_text(encoding="utf-8") == formats_page()
    assert call("show", "formats").stdout == formats_page()


def test_every_key_is_on_the_page() -> None:
    page = formats_page()
    for kind in KINDS:
        for table in schema_of(kind)["$defs"].values():
            for key in table.get("properties", {}):
                assert f"`{key}`" in page or key == "kind" or key == "defaults"


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda each: getattr(each, "stem", each))
def test_files_of_the_package_are_valid(kind: str, path: Path) -> None:
    content = parse_toml(read_toml(path))
    validator = Draft202012Validator(schema_of(kind))
    validator.validate(content)
    assert not validator.is_valid(content | {"nonesuch": 1})
    assert not validator.is_valid({key: value for key, value in content.items() if key != "name"})


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_printed(call: Call, kind: str) -> None:
    printed = call("show", "schema", kind)
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == msgspec.to_builtins(schema_of(kind))
    assert tuple(KINDS) == NAMES


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_printed_file_is_read_again_whatever_the_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    path.write_bytes(
        CliRunner(charset=encoding).invoke(cli, ["show", "network", "lecun1989", "--toml"]).stdout_bytes
    )
    assert load_network(str(path)) == load_network("lecun1989")
    schema = CliRunner(charset=encoding).invoke(cli, ["show", "schema", "network"]).stdout_bytes
    assert json.loads(schema) == schema_of("network")


def test_a_layer_that_is_none_is_invalid() -> None:
    validator = Draft202012Validator(schema_of("network"))
    layer = {"kind": "dense", "name": "a", "units": 3, "activation": {"kind": "tanh"}}
    network = {"name": "n", "title": "", "input": [1, 2, 3]}
    assert validator.is_valid(network | {"layers": [layer]})
    for change in (
        {"units": 0},
        {"kind": "dance"},
        {"name": "A"},
        {"activation": {"kind": "x"}},
    ):
        assert not validator.is_valid(network | {"layers": [layer | change]}), change


@pytest.mark.parametrize(
    ("kind", "names"), [("network", network_names()), ("recipe", recipe_names()), ("chip", chip_names())]
)
def test_toml_that_is_printed_is_read_again(call: Call, tmp_path: Path, kind: str, names: list[str]) -> None:
    for name in names[::3]:
        printed = call("show", kind, name, "--toml")
        assert printed.exit_code == 0, printed.stderr
        path = tmp_path / f"{kind}.toml"
        path.write_text(printed.stdout, encoding="utf-8")
        assert call("show", kind, path, "--toml").stdout == printed.stdout
        assert call("show", kind, path, "--json").stdout == call("show", kind, name, "--json").stdout
