"""`retronet reproduce`: published figures beside those of runs, which are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from support.printed import printed_json

from retronet.recipe import FOLDER
from retronet.studies import reproduce

Call = Callable[..., Result]
Publish = Callable[[float], None]

PUBLISHED = """
[[recipes]]
recipe = "RECIPE"
seeds = [0, 1]
[[recipes.figures]]
pass = 1
digits = "test"
quantity = "misses"
published = VALUE
source = "made up"
tolerance = 0.5
"""


@pytest.fixture
def publish(
    tiny_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiled: None,  # noqa: ARG001
) -> Publish:
    """Let a figure of the small network be all that was ever published."""
    changed = {"network": f"'{tiny_network}'", "data": "'digits5k'", "passes": "1", "take": "100"}
    lines = (FOLDER / "lecun1989.toml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in changed]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "\n".join([f"{key} = {value}" for key, value in changed.items()] + kept), encoding="utf-8"
    )

    def write(value: float) -> None:
        text = PUBLISHED.replace("RECIPE", str(recipe)).replace("VALUE", str(value))
        (tmp_path / "published.toml").write_text(text, encoding="utf-8")

    monkeypatch.setattr(reproduce, "FILE", tmp_path / "published.toml")
    return write


def test_a_figure_is_compared_with_runs_that_are_kept(call: Call, publish: Publish, tmp_path: Path) -> None:
    words = ("reproduce", "--jobs", 1, "--runs", tmp_path / "runs", "--check")
    publish(-1.0)
    outside = call(*words, "--json")
    kept = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.*") if path.is_file()}
    assert outside.exit_code == 4, outside.stderr
    assert "1 published figures are outside" in outside.stderr

    found = printed_json(call, *words[:-1])
    (finding,) = found["recipes"][0]["findings"]
    assert (found["schema"], found["recipes"][0]["dataset"]) == ("retronet/reproduction/1", "digits5k")
    assert (finding["inside"], finding["figure"]["published"]) == (False, -1.0)
    assert 0 < finding["found"]["mean"] <= 1000

    publish(finding["found"]["mean"])
    inside = call(*words)
    assert inside.exit_code == 0, inside.stderr
    assert "inside" in inside.stdout
    assert f"{finding['found']['mean'] + 0.5:.1f}" in inside.stdout
    assert {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*.*") if path.is_file()} == kept


def test_recipes_without_published_figures_are_wrong_usage(call: Call, publish: Publish) -> None:
    publish(1.0)
    result = call("reproduce", "lenet1")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "no recipe with published figures 'lenet1'" in result.stderr
