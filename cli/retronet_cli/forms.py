"""The forms in which a command gives its tables besides that for people: the same options for all."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from retronet.errors import ChoiceError, InputError
from retronet_cli.options import as_record

Kind = Literal["table", "csv", "markdown", "json", "jsonl", "parquet"]
Rows = Iterable[Any]
JSONL = ".jsonl"
SUFFIXES: dict[str, Kind] = {
    ".csv": "csv", ".md": "markdown", ".json": "json", JSONL: "jsonl", ".parquet": "parquet",
}  # fmt: skip


class Form(msgspec.Struct, frozen=True):
    """How a result is to be given.

    Raises
    ------
    ChoiceError
        If file, form and what is asked for do not go together.
    InputError
        If a Parquet file is wanted and pyarrow is not installed.
    """

    as_json: bool = False
    form: Kind | None = None
    output: Path | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        if self.as_json and self.form not in (None, "json"):
            raise ChoiceError(
                f"--json and --format {self.form} were given; one form is allowed. Leave one of them out."
            )
        by_name = self.output is not None and self.form in (None, "table") and not self.as_json
        if self.output is not None and by_name and self.output.suffix.lower() not in SUFFIXES:
            raise ChoiceError(
                f"The result can not be written to {self.output}: its name ends in '{self.output.suffix}'; "
                f"{', '.join(SUFFIXES)} are allowed. Give it one of these, or name a form with --format."
            )
        # A sweep keeps its rows in such a file as they come, and has always made the folder.
        kept = self.output is not None and self.output.suffix.lower() == ".jsonl"
        if self.output is not None and not kept and not self.output.parent.is_dir():
            raise InputError(
                f"The result can not be written to {self.output}: there is no folder {self.output.parent}. "
                "Make it, or name another."
            )
        if self.kind == "parquet":
            if self.output is None:
                raise ChoiceError(
                    "A Parquet file is no text for a terminal; a file is needed for it. Give one with -o."
                )
            _pyarrow()

    @property
    def kind(self) -> Kind:
        """The form, as given or by the name of the file."""
        if self.as_json:
            return "json"
        if self.form not in (None, "table") or self.output is None:
            return self.form or "table"
        return SUFFIXES[self.output.suffix.lower()]

    @property
    def given(self) -> bool:
        """Whether the result is to be given otherwise than as tables for people."""
        return self.kind != "table"


OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all there is."),
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "markdown", "json", "jsonl", "parquet"]),
        help="How the result is given; csv, markdown, jsonl and parquet are of one table.  "
        "[default: table, or by FILE]",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write it to FILE: .csv, .md, .json, .jsonl or .parquet.",
    ),
    click.option(
        "--table", metavar="NAME", help="Which table, where there are several.  [default: the first]"
    ),
)

FORM_PARAMETERS = frozenset(Form.__struct_fields__)
"""The names of these options as click has them."""

form_options = as_record(Form, "form", OPTIONS)
"""Gives a command the options, which it takes as one argument `form`."""


def give(form: Form, what: str, fields: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    """Print or write a result.

    Parameters
    ----------
    form
        How and where.
    what, fields
        The JSON object: see `retronet_cli.terminal.print_json`.
    tables
        Rows by the name of their table, the main one first; each row a record or a mapping.

    Raises
    ------
    ChoiceError
        If there is no table of the name that was asked for.
    """
    from retronet.runs.checkpoint import write_atomically
    from retronet_cli.terminal import json_text, remark

    if form.kind == "json":
        content: str | bytes = json_text(what, fields)
    else:
        rows = _chosen(form, tables)
        content = _parquet(rows) if form.kind == "parquet" else TEXTS[form.kind](rows)
    if form.output is None:
        assert isinstance(content, str)
        click.echo(content, nl=False)
        return
    form.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(form.output, content if isinstance(content, bytes) else content.encode())
    remark(f"Written: {form.output}")


def _chosen(form: Form, tables: Mapping[str, Rows]) -> list[dict[str, Any]]:
    name = form.table or next(iter(tables))
    if name not in tables:
        raise ChoiceError(
            f"There is no table '{name}' here: {', '.join(tables)} are there. Name one with --table."
        )
    rows = [flat(msgspec.to_builtins(row)) for row in tables[name]]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [{key: row.get(key) for key in keys} for row in rows]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without nesting: keys joined by ``_``, lists as JSON."""
    columns: dict[str, Any] = {}
    for key, value in row.items():
        match value:
            case dict():
                columns |= {f"{key}_{inner}": each for inner, each in flat(value).items()}
            case list() | tuple():
                columns[key] = json.dumps(value, ensure_ascii=False)
            case _:
                columns[key] = value
    return columns


def settings_of(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return nested fields as rows of name and text; words as they are, all else as JSON."""
    return [
        {"setting": key, "value": value if isinstance(value, str) else json.dumps(value)}
        for key, value in flat(fields).items()
    ]


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same keys as CSV with a heading; what is absent is empty, numbers are in full."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    return str(value).lower() if isinstance(value, bool) else value


def markdown_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same keys as a Markdown table, figures rounded for reading."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_short(value) for value in row.values()] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if math.isfinite(value):
            return f"{value:.4g}"
        case _:
            return str(value).replace("|", "\\|").replace("\n", " ")


def json_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON objects, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


TEXTS = {"csv": csv_text, "markdown": markdown_text, "jsonl": json_lines}


def _pyarrow() -> Any:  # noqa: ANN401 - a module
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            "A Parquet file needs the package pyarrow, which is not installed. "
            "Install it with: pip install 'retronet[parquet]'."
        ) from error
    return pyarrow


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as a Parquet file; whole numbers stay whole, what is absent is null."""
    pyarrow = _pyarrow()
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(map(dict, rows))), content)
    return content.getvalue()
