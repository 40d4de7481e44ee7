"""The two ways out: results to standard output, talk to standard error."""

import json
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

# No markup: names, paths and assumptions are shown as they are written, brackets and colons included.
stdout = Console(markup=False, emoji=False)
stderr = Console(markup=False, emoji=False, stderr=True)


def talk(sentence: str) -> None:
    """Say `sentence` on standard error, unbroken, so that it can be searched for."""
    stderr.print(sentence, soft_wrap=True, highlight=False)


def print_json(what: str, fields: dict[str, Any]) -> None:
    """Print one JSON object of the schema ``retronet/<what>/1``, keys sorted, units in their names."""
    click.echo(json.dumps({"schema": f"retronet/{what}/1", **fields}, indent=2, sort_keys=True))


def print_table(table: Table) -> None:
    """Print a table, or one line a value where the terminal is too narrow to show every word of it.

    Title and caption are printed at their own width: they say what its figures are.
    """
    title, caption = table.title, table.caption
    table.title = table.caption = None
    stdout.print(title, style="bold", highlight=False)
    if _is_cut(table):
        _print_stacked(table)
    else:
        stdout.print(table)
    if caption:
        stdout.print(caption, highlight=False)
    stdout.print()


def _is_cut(table: Table) -> bool:
    """Return whether the table loses letters on this terminal: each cut is marked with an ellipsis."""
    for column in table.columns:
        column.overflow = "ellipsis"
    with stdout.capture() as captured:
        stdout.print(table)
    written = sum(str(cell).count("…") for column in table.columns for cell in column.cells)
    return captured.get().count("…") > written


def _print_stacked(table: Table) -> None:
    stdout.print()
    headings = [str(column.header).replace("-\n", "").replace("\n", " ") for column in table.columns]
    for row in zip(*(column.cells for column in table.columns), strict=True):
        stdout.print(str(row[0]), style="bold", highlight=False)
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            if cell:
                stdout.print(f"  {heading}: {cell}", highlight=False)


def print_assumptions(assumptions: Iterable[str]) -> None:
    """Print what a description or a simulation assumes, one paragraph each."""
    for text in assumptions:
        stdout.print(Text("Assumed.", style="bold"), text, highlight=False)


def print_paragraphs(texts: Iterable[str]) -> None:
    """Print sentences as they are, broken at the width of the terminal."""
    for text in texts:
        stdout.print(text, highlight=False)


def progress(enabled: bool) -> Progress:
    """Return a progress bar on standard error; it shows nothing where that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not (enabled and stderr.is_terminal),
    )
