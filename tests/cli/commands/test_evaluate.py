"""`retronet evaluate`: the training's own scores, on whichever digits, of whichever run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Call = Callable[..., Result]


def evaluate_json(call: Call, *arguments: object) -> dict[str, Any]:
    result = call("evaluate", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert isinstance(printed, dict)
    return printed


def test_the_scores_are_those_of_the_training(call: Call, trained: Any) -> None:
    printed = evaluate_json(call, trained.folder)

    assert (printed["schema"], printed["dataset"]) == ("retronet/evaluation/1", "digits5k")
    assert (printed["passes"], printed["run"]) == (2, str(trained.folder))
    assert (printed["train"], printed["test"]) == (trained.printed["train"], trained.printed["test"])


def test_other_digits_are_scored_when_asked_for(call: Call, trained: Any, data_dir: Path) -> None:
    printed = evaluate_json(call, trained.folder, "--data", "usps", "--data-dir", data_dir)

    assert (printed["dataset"], printed["train"]["n"], printed["test"]["n"]) == ("usps", 7291, 2007)
    assert printed["test"]["misses"] > trained.printed["test"]["misses"]


def test_without_a_name_the_latest_run_is_taken_and_named(
    call: Call, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = call("evaluate", "--runs", trained.folder.parent)
    quiet = call("evaluate", "--runs", trained.folder.parent, "--quiet")
    monkeypatch.setenv("RETRONET_RUNS_DIR", str(trained.folder.parent))
    by_environment = call("evaluate")

    assert loud.stderr == by_environment.stderr == f"Taking the latest run: {trained.folder}\n"
    assert quiet.stderr == ""
    assert loud.stdout == quiet.stdout == by_environment.stdout
    assert loud.stdout.startswith("lecun1989 after pass 2, on digits5k")


def test_no_run_no_score(call: Call, tmp_path: Path) -> None:
    nothing = call("evaluate", "--runs", tmp_path)
    nowhere = call("evaluate", tmp_path / "none")

    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert (nowhere.exit_code, nowhere.stdout) == (2, "")
    assert f"There is no trained run in {tmp_path}. Make one with `retronet train`" in nothing.stderr
    assert f"There is no run in {tmp_path / 'none'}" in nowhere.stderr


def test_no_digit_is_lost_on_a_narrow_terminal(call: Call, trained: Any, columns: int) -> None:
    table = call("evaluate", trained.folder, "--details").stdout
    score = trained.printed["test"]

    assert max(map(len, table.splitlines())) <= columns
    for number in (
        "4,000",
        f"{score['misses']:,}",
        f"{score['error_percent']:.2f}",
        f"{score['error_percent_low']:.2f}–{score['error_percent_high']:.2f}",
        f"{score['half_mse']:.3e}",
    ):
        assert number in table


def test_arrays_go_into_a_folder_that_is_there(call: Call, trained: Any, tmp_path: Path) -> None:
    result = call("evaluate", trained.folder, "--arrays", tmp_path / "none" / "arrays.npz")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"there is no folder {tmp_path / 'none'}. Make it, or name another." in result.stderr


@pytest.mark.usefixtures("compiled")
def test_the_heading_names_the_network_that_ran(call: Call, tiny_network: Path, tmp_path: Path) -> None:
    """A recipe can be trained with another network than its own, and a network by another's recipe."""
    folder = tmp_path / "run"
    begin = ("train", "--data", "digits5k", "--network", tiny_network, "--passes", 1, "--set", "take=60")
    assert call(*begin, "--run", folder).exit_code == 0

    for words in (
        ("evaluate", folder),
        ("simulate", folder),
        ("show", "plan", folder),
        ("compare", folder, "--plan", "bits=8", "--plan", "bits=4"),
        ("simulate", folder, "--chip", "dsp32c-80ns"),
    ):
        printed = call(*words).stdout
        assert "tiny, recipe lecun1989, after pass 1" in " ".join(printed.split()), words
    assert call("sweep", folder, "--bits", 4, "--tensors", "all", "--jobs", 1).stdout.startswith("tiny: ")
