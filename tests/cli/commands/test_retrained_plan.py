"""A retrained run and its plan: simulated under it, and told when it was edited."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from retronet.runs.run import open_run

Call = Callable[..., Result]


def test_a_retrained_run_is_simulated_under_its_own_plan(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "runs/a")
    call("retrain", tmp_path / "runs/a", "--passes", 2, "--run", tmp_path / "runs/b")
    os.utime(tmp_path / "runs/a/checkpoint.safetensors", (1e9, 1e9))
    last = open_run(tmp_path / "runs/b").records()[-1].test

    own = call("simulate", "--runs", tmp_path / "runs", "--json")
    shown = call("show", "plan", tmp_path / "runs/b", "--toml")
    other = call("simulate", "--runs", tmp_path / "runs", "--bits", 8, "--json")

    assert json.loads(own.stdout)["misses"] == last.misses
    assert json.loads(own.stdout)["bits"] is None
    assert shown.stdout == (tmp_path / "runs/b/plan.toml").read_text(encoding="utf-8")
    assert (
        f"Taking the latest run: {tmp_path / 'runs/b'} (retrained from {tmp_path / 'runs/a'}; " in own.stderr
    )
    assert "the newest checkpoint of 2)" in own.stderr
    assert "runs under its own plan" in own.stderr
    assert json.loads(other.stdout)["bits"] == 8
    assert "the formats asked for take its place" in other.stderr
    assert "its weights in floating point" in call("evaluate", tmp_path / "runs/b").stderr


def test_an_edited_plan_is_not_passed_over_in_silence(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "a")
    call("retrain", tmp_path / "a", "--passes", 1, "--run", tmp_path / "b")
    path = tmp_path / "b/plan.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 0", "seed = 1"), encoding="utf-8")

    refused = call("simulate", tmp_path / "b")

    assert refused.exit_code == 1
    assert "is not the one that the run was retrained under" in refused.stderr
    assert call("simulate", tmp_path / "b", "--plan", path).exit_code == 0
    path.unlink()
    assert call("simulate", tmp_path / "b").exit_code == 0


def test_the_plan_that_is_written_is_that_of_the_run(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "a")
    plan, again = tmp_path / "three.toml", tmp_path / "again.toml"
    words = ("--passes", 1, "--run", tmp_path / "b", "--json")
    retrained = call("retrain", tmp_path / "a", *words, "--plan-out", plan)
    resumed = call("retrain", "--resume", tmp_path / "b", "--plan-out", again)
    simulated = call("simulate", tmp_path / "b", "--plan", plan, "--json")

    assert (retrained.exit_code, resumed.exit_code) == (0, 0)
    assert plan.read_text(encoding="utf-8") == again.read_text(encoding="utf-8")
    assert plan.read_bytes() == (tmp_path / "b/plan.toml").read_bytes()
    assert (
        json.loads(simulated.stdout)["misses"] == json.loads(retrained.stdout)["passes"][-1]["test"]["misses"]
    )
