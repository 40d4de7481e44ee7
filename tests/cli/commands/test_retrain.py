"""The command `retronet retrain`: what it prints is what the new run holds."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.trained_run import train_briefly

from retronet.runs.run import open_run
from retronet_cli.main import cli


def test_before_and_after_in_one_table_and_a_new_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run, new = train_briefly(tmp_path / "brief").folder, tmp_path / "new"
    arguments = ["retrain", str(run), "--passes", "2", "--run", str(new)]

    table = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    again = CliRunner().invoke(cli, arguments)
    as_json = CliRunner().invoke(cli, [*arguments, "--force", "--json"], catch_exceptions=False)

    found = json.loads(as_json.stdout)
    assert found["schema"] == "retronet/retraining/1"
    assert [record["pass"] for record in found["passes"]] == [0, 1, 2]
    kept = open_run(new).records()
    assert [record.test.misses for record in kept] == [
        record["test"]["misses"] for record in found["passes"][1:]
    ]
    lines = [line for line in table.stdout.splitlines() if line.strip()]
    assert max(map(len, lines)) <= 80
    for name, score in [("float", found["float"]["test"]), ("before", found["passes"][0]["test"])]:
        assert f" {score['misses']:,} " in next(line for line in lines if line.strip().startswith(name))
    assert again.exit_code == 1
    assert "holds a run already" in again.stderr


def test_the_new_run_simulates_by_its_plan(tmp_path: Path) -> None:
    run, new = train_briefly(tmp_path / "brief").folder, tmp_path / "new"
    options = ["--weight-format", "{-1,0,1}", "--scale", "threshold:0.7", "--passes", "1", "--run", str(new)]
    CliRunner().invoke(cli, ["retrain", str(run), *options], catch_exceptions=False)

    simulated = CliRunner().invoke(
        cli, ["simulate", str(new), "--plan", str(new / "plan.toml"), "--json"], catch_exceptions=False
    )

    assert json.loads(simulated.stdout)["misses"] == open_run(new).records()[-1].test.misses
