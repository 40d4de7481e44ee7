"""`retronet read-back`: USPS within 1.5 points of the digits themselves; other digits through its network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]


def back_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("read-back", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_misses_stand_beside_those_of_the_digits_themselves(call: Call, trained: Any) -> None:
    printed = back_json(call, trained.folder)
    assert printed["schema"] == "retronet/read-back/1"
    assert printed["times"] == 4
    assert printed["direct"]["misses"] == trained.printed["test"]["misses"]
    assert abs(printed["read_back"]["error_percent"] - printed["direct"]["error_percent"]) < 1.5
    assert printed["read_back"] != printed["direct"]
    rows = call("read-back", trained.folder, "--format", "jsonl").stdout
    assert [json.loads(row)["digits"] for row in rows.splitlines()] == ["direct", "read_back"]
    result = call("read-back", trained.folder, "-q")
    assert "drawn 4 times as large and read back" in " ".join(result.stdout.split())


def test_usps_digits_come_back(call: Call, data_dir: Path, tmp_path: Path, compiled: None) -> None:  # noqa: ARG001
    """Of a network trained for a few passes, so that the test is quick: what counts is the difference."""
    run = tmp_path / "run"
    words = ("--data", "usps", "--data-dir", data_dir, "--passes", 3, "--run", run, "-q")
    assert call("train", "lecun1989", *words).exit_code == 0
    own = back_json(call, run, "--data-dir", data_dir)
    assert own["times"] == 8
    assert own["direct"]["n"] == 2007
    assert abs(own["read_back"]["error_percent"] - own["direct"]["error_percent"]) <= 1.5
    other = back_json(call, run, "--data", "digits5k", "--data-dir", data_dir)
    assert other["read_back"]["misses"] < other["direct"]["misses"] / 2, "normalised as the network learnt"


def test_a_data_set_that_is_not_there_is_named(
    call: Call, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRONET_OFFLINE", "1")
    result = call("read-back", trained.folder, "--data", "mnist", "--data-dir", tmp_path)
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: ")
