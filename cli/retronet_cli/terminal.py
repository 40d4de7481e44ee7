"""The two ways out: results to standard output, talk to standard error."""

import json
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

stdout = Console()
stderr = Console(stderr=True)


def talk(sentence: str) -> None:
    """Say `sentence` on standard error, unbroken, so that it can be searched for."""
    stderr.print(sentence, soft_wrap=True, markup=False, highlight=False)


def print_json(what: str, fields: dict[str, Any]) -> None:
    """Print one JSON object of the schema ``retronet/<what>/1``, keys sorted, units in their names."""
    click.echo(json.dumps({"schema": f"retronet/{what}/1", **fields}, indent=2, sort_keys=True))


def print_table(table: Table) -> None:
    """Print a table with its title and caption at their own width: they say what its figures are."""
    title, caption = table.title, table.caption
    table.title = table.caption = None
    stdout.print(title, style="bold", highlight=False)
    stdout.print(table)
    if caption:
        stdout.print(caption, highlight=False)
    stdout.print()


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
