"""`retronet show run` and `show sweep`: what a folder holds, in every form."""

import csv
import io
import json
from pathlib import Path

from retronet.runs.run import open_run

from ..conftest import Call


def test_a_run_is_shown_with_its_curve_and_its_score_last(call: Call, begin: Call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run, "--history", 100)
    records = open_run(run).records()
    told = json.loads(call("show", "run", run, "--json").stdout)
    passes = list(csv.DictReader(io.StringIO(call("show", "run", run, "--format", "csv").stdout)))
    history = call("show", "run", run, "--table", "history", "--format", "jsonl").stdout.splitlines()
    timings = call("show", "run", run, "--table", "timings", "--format", "jsonl").stdout.splitlines()

    assert [each["test"]["misses"] for each in told["passes"]] == [each.test.misses for each in records]
    assert [int(each["test_misses"]) for each in passes] == [each.test.misses for each in records]
    assert len(history) == len(open_run(run).snapshots()) == 6
    assert len(timings) == 3
    last = "\n".join(call("show", "run", run).stdout.splitlines()[-23:])
    assert f"{records[-1].test.misses:,} of {records[-1].test.n:,}" in last
    assert "retronet train" in last


def test_the_run_of_an_import_says_where_it_came_from(call: Call, imported: Path) -> None:
    shown = call("show", "run", imported).stdout

    assert "imported from w.npz" in " ".join(shown.split())
    assert json.loads(call("show", "run", imported, "--json").stdout)["passes"] == []


def test_rows_of_a_sweep_are_shown_without_measuring(call: Call, begin: Call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run)
    refused = call("show", "sweep", run)
    grid = ("--bits", "4,6", "--tensors", "all", "--rounding", "TRN", "--jobs", 1)
    measured = call("sweep", run, *grid, "--json")
    rows = list(csv.DictReader(io.StringIO(call("show", "sweep", run, "--format", "csv").stdout)))

    assert refused.exit_code == 1
    assert f"has no rows. Measure some first: retronet sweep {run}" in refused.stderr
    assert call("show", "sweep", run, "--rows", tmp_path / "none.jsonl").exit_code == 2, "no such file"
    wanted = json.loads(measured.stdout)["rows"]
    assert [int(row["misses"]) for row in rows] == [row["misses"] for row in wanted]
    assert [row["rounding"] for row in rows] == ["TRN", "TRN"]
    assert "all, rounding TRN" in call("show", "sweep", run).stdout
