"""What `retronet data` prints, where, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retronet_cli.main import cli


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, arguments)])


def run_json(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_list_says_what_is_here(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "usps").mkdir()
    (tmp_path / "usps" / "usps.t.bz2").touch()

    here = run_json("list", "--data-dir", data_dir)
    elsewhere = {row["name"]: row["state"] for row in run_json("list", "--data-dir", tmp_path)["sets"]}

    assert here["schema"] == "retronet/data-list/1"
    usps = here["sets"][0]
    assert (usps["name"], usps["state"], usps["train_images"]) == ("usps", "here", 7291)
    assert (elsewhere["usps"], elsewhere["mnist"], elsewhere["digits5k"]) == (
        "incomplete",
        "absent",
        "embedded",
    )


@pytest.mark.parametrize("columns", ["80", "40"])
def test_names_stay_whole_in_the_table(tmp_path: Path, columns: str) -> None:
    # The width of the terminal is read once, when the command starts.
    printed = subprocess.run(
        [sys.executable, "-m", "retronet_cli", "data", "list", "--data-dir", tmp_path],
        env=os.environ | {"COLUMNS": columns, "PYTHONIOENCODING": "utf-8"},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout

    assert "mnist1989-train-first" in printed
    assert max(map(len, printed.splitlines())) <= int(columns)


def test_verify_prints_the_known_digests(data_dir: Path) -> None:
    found = run_json("verify", "usps", "--data-dir", data_dir)

    (usps,) = found["sets"]
    assert usps["problem"] is None
    assert usps["sha256"]["test"] == {
        "images": "c8d20aa8f19bae84192211340054be91bc13731398616889e78aef4ce6d72f78",
        "labels": "0b8b792b8ca1c5c704fd9d5bbd1b261623a359e6c8c65b23db428257beea7800",
    }
    assert "c8d20aa8f19bae84" in run("verify", "usps", "--data-dir", data_dir).stdout


def test_verify_without_names_takes_what_is_here_and_reports_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "usps").mkdir()
    (tmp_path / "usps" / "zip.train").write_text("<html>")

    found = run_json("verify", "--data-dir", tmp_path, code=3)
    result = run("verify", "--data-dir", tmp_path)

    problems = {row["name"]: row["problem"] for row in found["sets"]}
    assert set(problems) == {"usps", "digits5k"}
    assert "it is a web page" in problems["usps"]
    assert problems["digits5k"] is None
    assert result.exit_code == 3
    assert result.stderr == f"Error: {problems['usps']}\n"
    assert "digits5k" in result.stdout


def test_fetch_without_a_network_is_one_sentence_and_3(tmp_path: Path) -> None:
    result = run("fetch", "usps", "--data-dir", tmp_path / "new")

    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith("Error: The USPS train set is not in ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_path_is_the_folder_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRONET_DATA_DIR", str(tmp_path))

    assert run("path").stdout == f"{tmp_path}\n"
    assert run_json("path", "mnist1989-test-first")["path"] == str(tmp_path / "mnist")
    assert run("path", "digits5k").exit_code == 3
    assert run("path", "nonesuch").exit_code == 2
