"""Every table of every command, in every form: the same numbers, of the types they have."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from retronet_cli import compiling, forms
from retronet_cli.forms import TEXTS, Form

from .test_help import LEAVES
from .test_streams import lines

Call = Callable[..., Result]
MORE: dict[str, tuple[object, ...]] = {
    "data verify": ("data", "verify", "digits5k"),
    "show chips": ("show", "chips"),
    "show recipes": ("show", "recipes"),
    "show networks": ("show", "networks"),
    "seeds": (
        "train",
        "--data",
        "digits5k",
        "--passes",
        1,
        "--set",
        "take=60",
        "--seeds",
        "0-1",
        "--jobs",
        1,
    ),
}
"""Beside the uses in which `test_streams` tries commands."""
SLOW = ("reproduce", "chip", "codes", "read-back", "retrain")
"""Minutes, or tried in the tests of their own."""
GAPS = re.compile(r"(?<!\\)\|")


def words_of(command: tuple[object, ...]) -> tuple[str, ...]:
    """Return the words that name the command at the beginning of a line."""
    first, *rest = map(str, command)
    return (first, rest[0]) if rest and (first, rest[0]) in LEAVES else (first,)


def gives_tables(command: click.Command) -> bool:
    return any("--format" in parameter.opts for parameter in command.params)


def with_tables() -> list[str]:
    """Return the names of uses of commands that give tables."""
    uses = {**lines(Path(), Path()), **MORE}
    return [
        name
        for name, use in uses.items()
        if name not in (*SLOW, "error", "no command") and gives_tables(LEAVES[words_of(use)])
    ]


def kinds(value: object) -> str:
    return type(value).__name__


def hold_together(rows: list[dict[str, Any]], name: str) -> None:
    """Compare the forms of one table."""
    by_kind: dict[str, set[str]] = {}
    for row in rows:
        for key, value in row.items():
            by_kind.setdefault(key, set()).add(kinds(value))
            assert not (isinstance(value, float) and not math.isfinite(value)), (name, key)
    mixed = {key: each for key, each in by_kind.items() if len(each - {"NoneType"}) > 1}
    assert not mixed, f"{name}: a column of one type in one row and another in the next"
    read = list(csv.DictReader(io.StringIO(TEXTS["csv"](rows))))
    assert len(read) == len(rows)
    for cells, row in zip(read, rows, strict=True):
        for key, value in row.items():
            match value:
                case None:
                    assert cells[key] == ""
                case bool():
                    assert cells[key] == str(value).lower()
                case int():
                    assert cells[key] == str(value), "whole numbers stay whole"
                case float():
                    assert float(cells[key]) == value, "in full"
                case _:
                    assert cells[key] == value
    marked = TEXTS["markdown"](rows).splitlines()
    assert len({len(GAPS.findall(line)) for line in marked}) <= 1
    assert len(marked) == (len(rows) + 2 if rows else 0)
    assert [json.loads(line) for line in TEXTS["jsonl"](rows).splitlines()] == rows


@pytest.fixture(scope="module")
def folder(call: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    assert call("data", "compose", "-o", folder / "codes", "--data", "digits5k").exit_code == 0
    return folder


@pytest.mark.parametrize("name", with_tables())
def test_every_form_of_every_table(
    call: Call, trained: Any, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one run of the command, quietly and into a file, whose form is that of its name."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.chdir(folder)
    given: list[tuple[Form, dict[str, list[Any]]]] = []
    chosen = forms._chosen

    def seen(form: Form, tables: Mapping[str, Any]) -> list[dict[str, Any]]:
        kept = {key: list(rows) for key, rows in tables.items()}
        given.append((form, kept))
        return chosen(form, kept)

    monkeypatch.setattr(forms, "_chosen", seen)
    # A watch that an earlier command of this process began says nothing here; this one may begin none.
    watches: list[str] = []
    monkeypatch.setattr(compiling, "talk", lambda _: None)
    monkeypatch.setattr(compiling, "tell_of_compiling", lambda: watches.append(name))
    use = {**lines(trained.folder, folder), **MORE}[name]
    file = folder / "table.parquet"
    kept = ("--rows", folder / "rows.jsonl") if name == "sweep" else ()
    result = call(*use, *kept, "-o", file, "--format", "parquet", "-q")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    said = [line for line in result.stderr.splitlines() if not line.startswith("Warning: ")]
    assert (said, watches) == ([], []), "quiet, but for warnings"
    ((form, tables),) = given
    for key in tables:
        hold_together(chosen(Form(form="csv", table=key), tables), key)
    first = next(iter(tables))
    assert parquet.read_table(file).to_pylist() == chosen(Form(form="csv", table=first), tables)
    assert form.kind == "parquet"


def test_every_command_with_tables_is_tried() -> None:
    uses = {**lines(Path(), Path()), **MORE}
    tried = {words_of(use) for name, use in uses.items() if name not in ("error", "no command")}
    lacking = {path for path, command in LEAVES.items() if gives_tables(command)} - tried
    assert lacking <= {("data", "fetch"), ("show", "sweep")}
