"""On a terminal of 80 columns and 24 lines the answer is on the screen when a command ends."""

import json
from pathlib import Path

import pytest

from .conftest import Call

LINES = 23
"""The last line is the shell's."""


@pytest.fixture
def run(begin: Call, tmp_path: Path) -> Path:
    assert begin(tmp_path / "run").exit_code == 0
    return tmp_path / "run"


def screen(text: str) -> str:
    return "\n".join(text.splitlines()[-LINES:])


@pytest.mark.parametrize(
    "words",
    [("evaluate", "--details"), ("simulate", "--bits", "5"), ("simulate", "--bits", "5", "--formats")],
)
def test_scores_are_the_last_thing(call: Call, run: Path, words: tuple[str, ...]) -> None:
    command, *options = words
    told = json.loads(call(command, run, *[each for each in options if each != "--details"], "--json").stdout)
    misses = told["test"]["misses"] if command == "evaluate" else told["misses"]
    shown = screen(call(command, run, *options).stdout)

    assert f" {misses:,} " in shown
    assert "95 % interval" in shown


def test_a_comparison_ends_with_both_scores(call: Call, run: Path) -> None:
    plans = ("--plan", "bits=8", "--plan", "bits=3")
    told = json.loads(call("compare", run, *plans, "--json").stdout)
    shown = screen(call("compare", run, *plans).stdout)

    for side in ("a", "b"):
        assert f" {told[side]['score']['misses']:,} " in shown


def test_a_report_ends_with_a_line_for_every_chip(call: Call) -> None:
    told = json.loads(call("report", "--json").stdout)
    shown = screen(call("report").stdout)

    for chip in told["modelled"]:
        assert f"  {chip['chip']} " in shown


def test_formats_are_shown_when_they_are_asked_for(call: Call, run: Path) -> None:
    assert "Formats" not in call("simulate", run, "--bits", 5).stdout
    assert "Formats" in call("simulate", run, "--bits", 5, "--formats").stdout
