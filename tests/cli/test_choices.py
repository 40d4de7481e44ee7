"""`retronet reproduce --choices`: rows that differ in one choice, from runs that are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from support.printed import printed_json

from retronet.recipe import FOLDER
from retronet.studies import choices

Call = Callable[..., Result]

ROWS = """
[[choices]]
name = "as-it-is"
title = "As it is"
recipe = "RECIPE"
[[choices]]
name = "slow"
title = "Hardly learns"
recipe = "RECIPE"
changes = { "schedule.rate" = 1e-9 }
[[choices]]
name = "targets"
title = "Other targets"
recipe = "RECIPE"
changes = { "targets.on" = 0.8 }
"""


@pytest.fixture
def rows(
    tiny_network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiled: None,  # noqa: ARG001
) -> None:
    """Let rows of the small network be all that any paper leaves open."""
    changed = {"network": f"'{tiny_network}'", "data": "'digits5k'", "passes": "3", "take": "300"}
    lines = (FOLDER / "lecun1989.toml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in changed]
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "\n".join([f"{key} = {value}" for key, value in changed.items()] + kept), encoding="utf-8"
    )
    (tmp_path / "choices.toml").write_text(ROWS.replace("RECIPE", str(recipe)), encoding="utf-8")
    monkeypatch.setattr(choices, "FILE", tmp_path / "choices.toml")


@pytest.mark.usefixtures("rows")
def test_rows_are_trained_and_told_apart(call: Call, tmp_path: Path) -> None:
    words = ("reproduce", "--choices", "all", "--seeds", "0-4", "--jobs", 1, "--runs", tmp_path / "runs")
    told = printed_json(call, *words, "--json")
    assert told["schema"] == "retronet/choices/1"
    assert [row["name"] for row in told["choices"]] == ["as-it-is", "slow", "targets"]
    assert {row["spread"]["test"]["misses"]["count"] for row in told["choices"]} == {5}
    figures = [(each["first"], each["second"]) for each in told["differences"]]
    # Of targets that differ, squared errors are not compared.
    assert [figures.count(pair) for pair in sorted(set(figures))] == [5, 3, 3]
    misses = {
        (each["first"], each["second"]): each
        for each in told["differences"]
        if (each["figure"]["digits"], each["figure"]["quantity"]) == ("train", "misses")
    }
    assert misses["as-it-is", "slow"]["apart"], misses
    assert misses["as-it-is", "slow"]["difference"] > 0
    spread = [row["spread"]["train"]["misses"]["mean"] for row in told["choices"]]
    assert misses["as-it-is", "slow"]["difference"] == pytest.approx(spread[1] - spread[0])

    table = call(*words)
    assert table.exit_code == 0, table.stderr
    assert "as-it-is, slow" in table.stdout
    assert f"{spread[0]:.1f}" in table.stdout
    # Five seeds are too few to say how likely the paper's run is.
    assert "as good as the published run" not in table.stdout
    assert "slow: Hardly learns; seeds 0, 1, 2, 3, 4, 3 passes." in table.stderr

    one = call(*words, "--format", "csv", "--table", "differences")
    assert one.stdout.count("\n") == 1 + len(figures)


@pytest.mark.usefixtures("rows")
def test_what_does_not_go_together_is_refused(call: Call) -> None:
    for more in (("lecun1989",), ("--check",)):
        refused = call("reproduce", *more, "--choices", "all")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "it takes no RECIPE and no --check" in refused.stderr
    unknown = call("reproduce", "--choices", "as-it-is,slwo")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "no choice 'slwo'" in unknown.stderr
