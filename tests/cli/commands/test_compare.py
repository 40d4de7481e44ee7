"""The command `retronet compare`: the tables and the JSON object, and plans it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.trained_run import train_briefly

from retronet_cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_briefly(tmp_path_factory.mktemp("runs") / "brief").folder


def test_tables_and_json_say_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    arguments = ["compare", str(run), "--plan", "bits=8", "--plan", "bits=4 scale=mse accumulator-bits=11"]

    tables = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    as_json = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)

    found = json.loads(as_json.stdout)
    assert found["schema"] == "retronet/comparison/1"
    assert found["parts_at"] == "input"
    assert max(map(len, tables.stdout.splitlines())) <= 80
    assert f"Answers that changed: {len(found['changed_answers']):,} of 1,000" in tables.stdout
    for name in ("a", "b"):
        assert f" {found[name]['score']['misses']:,} " in tables.stdout
    overflows = {layer: counts["overflows"] for layer, counts in found["b"]["counts"].items()}
    assert any(overflows.values())
    for layer, count in overflows.items():
        if count:
            assert f"{count:,} in {layer}" in tables.stderr


@pytest.mark.parametrize(
    ("plans", "code", "said"),
    [
        (["bits=8"], 2, "it was given 1 times"),
        (["bits=8", "bytes=1"], 2, "'bytes=1' is no word of a plan: bits, weight-bits"),
        (["bits=8", "bits=eight"], 2, "The plan 'bits=eight' can not be read"),
        (["bits=8", "bits=0"], 2, "do not stand for 'exact'"),
        (["bits=8", "rounding=up"], 2, "'up' is not one of"),
        (["bits=8", "nowhere.toml"], 2, "There is no plan file 'nowhere.toml'"),
    ],
)
def test_what_is_no_plan_is_refused(run: Path, plans: list[str], code: int, said: str) -> None:
    result = CliRunner().invoke(
        cli, ["compare", str(run), *(part for plan in plans for part in ("--plan", plan))]
    )

    assert result.exit_code == code
    assert said in result.stderr
