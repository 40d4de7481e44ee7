"""Tables in other forms: the same numbers in each, of the types they had; what does not go is said."""

import builtins
import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retronet.errors import ChoiceError, InputError
from retronet_cli.forms import Form, csv_text, flat, give, json_lines, markdown_text

from .conftest import Call

ROWS = [
    {"name": "a|b", "bits": 8, "share": 1 / 3, "right": True, "none": None},
    {"name": "c\nd", "bits": 6, "share": 2.0, "right": False, "none": 1},
]


class Inner(msgspec.Struct):
    low: float
    high: float


class Outer(msgspec.Struct):
    name: str
    inner: Inner
    shape: tuple[int, ...]


def test_nesting_is_joined_and_lists_are_json() -> None:
    made = flat(msgspec.to_builtins(Outer("a", Inner(1.0, 2.0), (3, 4))))

    assert made == {"name": "a", "inner_low": 1.0, "inner_high": 2.0, "shape": "[3, 4]"}


def test_csv_keeps_numbers_in_full_and_whole_ones_whole() -> None:
    read = list(csv.DictReader(io.StringIO(csv_text(ROWS))))

    assert [row["bits"] for row in read] == ["8", "6"]
    assert float(read[0]["share"]) == 1 / 3
    assert (read[0]["right"], read[0]["none"], read[1]["name"]) == ("true", "", "c\nd")
    assert csv_text([]) == markdown_text([]) == ""


def test_markdown_is_one_line_a_row() -> None:
    lines = markdown_text(ROWS).splitlines()

    assert lines[0] == "| name | bits | share | right | none |"
    assert lines[2:] == [r"| a\|b | 8 | 0.3333 | true |  |", "| c d | 6 | 2 | false | 1 |"]


def test_json_lines_are_the_rows() -> None:
    assert [json.loads(line) for line in json_lines(ROWS).splitlines()] == ROWS


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        (Form(), "table"),
        (Form(as_json=True), "json"),
        (Form(form="csv"), "csv"),
        (Form(form="json", as_json=True), "json"),
        (Form(output=Path("a.md")), "markdown"),
        (Form(output=Path("a.JSON")), "json"),
        (Form(output=Path("a.jsonl")), "jsonl"),
        (Form(form="csv", output=Path("a.txt")), "csv"),
        (Form(as_json=True, output=Path("a.txt")), "json"),
    ],
    ids=str,
)
def test_the_form_is_the_one_given_or_that_of_the_name(form: Form, kind: str) -> None:
    assert form.kind == kind
    assert form.given == (kind != "table")


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"as_json": True, "form": "csv"}, ChoiceError, "--json and --format csv were given.*Leave one"),
        ({"output": Path("a.txt")}, ChoiceError, r"ends in '.txt'; .csv, .md, .json, .jsonl, .parquet are"),
        ({"output": Path("none/a.csv")}, InputError, "there is no folder none. Make it"),
        (
            {"form": "parquet"},
            ChoiceError,
            "no text for a terminal; a file is needed",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(fields: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Form(**fields)


def test_parquet_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"needs the package pyarrow.*pip install 'retronet\[parquet\]'"):
        Form(output=Path("a.parquet"))


def test_parquet_keeps_types_and_absent_values(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    give(Form(output=tmp_path / "a.parquet"), "what", {}, {"rows": ROWS})

    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == ROWS
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {"name": "string", "bits": "int64", "share": "double", "right": "bool", "none": "int64"}


def test_a_table_is_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    tables = {"first": ROWS, "second": [Inner(1.0, 2.0)]}
    give(Form(form="csv", table="second"), "what", {}, tables)

    assert capsys.readouterr().out == "low,high\n1.0,2.0\n"
    with pytest.raises(ChoiceError, match="no table 'third' here: first, second are there"):
        give(Form(form="csv", table="third"), "what", {}, tables)


PRINTED = {
    "rates": (("rates", "--data", "digits5k", "--lots", 3, "--lot", 2), ("points",)),
    "report": (("report",), ("modelled",)),
    "data list": (("data", "list"), ("sets",)),
    "show chips": (("show", "chips"), ("chips",)),
    "show recipe": (("show", "recipe", "lecun1989"), ()),
    "show network": (("show", "network", "lenet1"), ("counts", "layers")),
    "show chip": (("show", "chip", "anna"), ("constants",)),
    "data verify": (("data", "verify", "digits5k"), ()),
}


@pytest.mark.parametrize("name", PRINTED)
def test_every_form_of_a_command_has_as_many_rows(call: Call, tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    words, path = PRINTED[name]
    as_csv = list(csv.DictReader(io.StringIO(call(*words, "--format", "csv").stdout)))
    markdown = call(*words, "--format", "markdown").stdout.splitlines()
    lines = call(*words, "--format", "jsonl").stdout.splitlines()
    for suffix in (".csv", ".parquet", ".json"):
        result = call(*words, "-o", tmp_path / f"a{suffix}")
        assert (result.exit_code, result.stdout) == (0, ""), result.stderr

    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert len(as_csv) == len(markdown) - 2 == len(lines) == table.num_rows > 0
    assert list(as_csv[0]) == table.column_names
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == call(*words, "--json").stdout
    found = json.loads(call(*words, "--json").stdout)
    for key in path:
        found = found[key]
    if path and name != "report":
        assert len(found) == len(as_csv)
    whole = [field.name for field in table.schema if str(field.type) == "int64"]
    assert all("." not in row[key] for row in as_csv for key in whole)


def test_piped_tables_end_without_blanks(call: Call) -> None:
    for words in (("report",), ("data", "list"), ("show", "chip", "anna"), ("show", "network", "lecun1989")):
        lines = call(*words).stdout.splitlines()
        assert [line for line in lines if line != line.rstrip()] == []
