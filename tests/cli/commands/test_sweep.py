"""The command `retronet sweep`: one grid, four ways to print it, kept rows and clear refusals."""

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.trained_run import train_briefly

from retronet.runs.lines import stamped, unstamped
from retronet_cli.main import cli

GRID = ("--bits", "3,8", "--tensors", "all,sums", "--jobs", "1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_briefly(tmp_path_factory.mktemp("runs") / "brief").folder


def call(run: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["sweep", str(run), *GRID, *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result


def edited(line: str, old: str, new: str) -> str:
    """Return a line with other content, its digest made to fit."""
    content = unstamped(line.encode())
    assert content is not None
    return stamped(content.replace(old.encode(), new.encode())).decode()


def test_every_format_prints_the_rows_that_the_file_keeps(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = json.loads(call(run, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(call(run, "--format", "csv").stdout)))
    markdown = call(run, "--format", "markdown").stdout.splitlines()
    table = call(run).stdout

    kept = [json.loads(line) for line in (run / "sweep.jsonl").read_text().splitlines()]
    assert found["schema"] == "retronet/sweep/1"
    assert found["other_bits"] == 12
    assert [(row["bits"], row["tensors"]) for row in found["rows"]] == [
        (3, "all"), (8, "all"), (3, "sums"), (8, "sums"),
    ]  # fmt: skip
    assert [row["score"]["misses"] for row in kept] == [row["misses"] for row in found["rows"]]
    assert [row["misses"] for row in rows] == [str(row["misses"]) for row in found["rows"]]
    assert [row["bits"] for row in rows] == ["3", "8", "3", "8"], "whole numbers stay whole"
    assert {row["float_misses"] for row in rows} == {str(found["float"]["misses"])}
    assert len(markdown) == 2 + 4
    for row in found["rows"]:
        assert f"{row['misses']:,} " in table
        assert f"{row['error_percent_low']:.2f}–{row['error_percent_high']:.2f}" in table
    assert max(map(len, table.splitlines())) <= 80


def test_rows_that_are_there_are_not_measured_again(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    call(run, "-o", str(output))
    lines = output.read_text().splitlines(keepends=True)
    altered = edited(lines[0], '"agreements":', '"agreements":1')
    output.write_text(altered + "".join(lines[1:3]))

    again = call(run, "-o", str(output), "--json")

    assert "3 of 4 points are in" in again.stderr
    assert output.read_text().splitlines(keepends=True) == [altered, *lines[1:]]
    assert json.loads(again.stdout)["rows"][0]["agreements"] == json.loads(altered)["agreements"]


def test_rows_without_a_digest_are_measured_again_and_changed_ones_refused(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    call(run, "-o", str(output))
    lines = output.read_text().splitlines(keepends=True)
    output.write_text(lines[0].partition(',"sha256"')[0].replace('"agreements":', '"agreements":1') + "}\n")
    again = call(run, "-o", str(output))
    assert f"1 rows in {output} have no digest" in again.stderr
    assert output.read_text().splitlines(keepends=True)[1:] == lines

    for changed in (
        lines[0].replace('"agreements":', '"agreements":1'),
        lines[0].replace("sha256", "sha257"),
    ):
        output.write_text(changed + "".join(lines[1:]))
        refused = CliRunner().invoke(cli, ["sweep", str(run), *GRID, "-o", str(output)])
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"Line 1 of {output} is not a row of a sweep" in refused.stderr


def test_overflows_are_said_with_the_worst_place(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    call(run, "-o", str(output))
    lines = output.read_text().splitlines(keepends=True)
    for index, count in ((2, 7), (3, 1234)):
        lines[index] = edited(
            lines[index], '"overflows":{"h1":0,"h2":0', f'"overflows":{{"h1":1,"h2":{count}'
        )
    output.write_text("".join(lines))

    said = call(run, "-o", str(output)).stderr

    assert (
        "Casts of sums overflowed at 2 of 4 points, most often in h2 with 8 bits of sums: 1,234 times" in said
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bits", "0-8"), "not in the range 2<=x<=32"),
        (("--bits", "eight"), "is not a list of numbers; write 0-9 or 0,3,5"),
        (("--rounding", "UP"), "'UP' is no rounding mode"),
    ],
)
def test_wrong_words_are_wrong_usage(run: Path, arguments: tuple[str, str], said: str) -> None:
    result = CliRunner().invoke(cli, ["sweep", str(run), *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


def test_no_scheduler_is_a_sentence(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    result = CliRunner().invoke(
        cli, ["sweep", str(run), "-o", str(tmp_path / "rows.jsonl"), "--dask", "nowhere://1"]
    )

    assert result.exit_code == 1
    assert "No dask scheduler answers at 'nowhere://1'" in result.stderr


def test_points_that_can_not_run_are_refused_before_the_first_is_measured(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    result = CliRunner().invoke(cli, ["sweep", str(run), "--bits", "3,24", "-o", str(output), "--jobs", "1"])

    assert result.exit_code == 2
    assert "2 of 6 points can not be simulated: 24 bits of all, 24 bits of states." in result.stderr
    assert "Nothing was measured" in result.stderr
    assert result.stdout == ""
    assert not output.exists()


def test_a_cluster_that_gives_up_is_a_sentence_and_its_rows_are_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that die again and again make dask give up; here all but the workers is real."""
    distributed = pytest.importorskip("distributed")

    class Cluster:
        def __enter__(self) -> "Cluster":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def get_executor(self, pure: bool) -> "Cluster":
            assert not pure
            return self

        def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if arguments[2].bits == 3:
                future.set_result(function(*arguments))
            else:
                future.set_exception(distributed.KilledWorker("measure", None, 3))
            return future

    monkeypatch.setattr(distributed, "Client", lambda *_, **__: Cluster())
    output, words = tmp_path / "rows.jsonl", ["--tensors", "all", "--dask", "tcp://here", "-o"]
    result = CliRunner().invoke(cli, ["sweep", str(run), "--bits", "3-5", *words, str(output)])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: The dask cluster at 'tcp://here' gave up (KilledWorker)." in result.stderr
    assert f"go on with: retronet sweep {run} --bits 3-5 --tensors all" in result.stderr
    assert output.read_bytes().count(b"\n") <= 1
