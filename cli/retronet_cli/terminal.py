"""The two ways out: results to standard output, talk to standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from retronet_cli.streams import discard, plain_text
from retronet_cli.waiting import QUIET, end_waiting


class PatientConsole(Console):
    """A console whose reader may go: what is computed is not lost by it, and `quiet` is then set.

    Where it is no terminal, lines end without the blanks that fill columns and broken paragraphs.
    """

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401 - rich's own
        """Print as rich does."""
        end_waiting()
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        lines = [line.rstrip(" ") for line in captured.get().split("\n")]
        super().print(Text("\n".join(lines)), end="", soft_wrap=True, highlight=False)

    def on_broken_pipe(self) -> None:
        """Write no more."""
        self.quiet = True
        discard(sys.stderr if self.stderr else sys.stdout)


# No markup: names, paths and assumptions are shown as they are written, brackets and colons included.
stdout = PatientConsole(markup=False, emoji=False)
stderr = PatientConsole(markup=False, emoji=False, stderr=True)


def talk(sentence: str) -> None:
    """Say `sentence` on standard error, unbroken, so that it can be searched for."""
    stderr.print(sentence, soft_wrap=True, highlight=False)


def remark(sentence: str) -> None:
    """Say `sentence` as `talk` does, unless the command was asked to be quiet."""
    if not asked_to_be_quiet():
        talk(sentence)


def asked_to_be_quiet() -> bool:
    """Return whether the command that runs was given -q."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


INTERRUPTED = 130


def interrupted(how_to_go_on: str) -> NoReturn:
    """Say what an interruption left and how to go on, and end with the code of interruptions."""
    talk(f"Interrupted. {how_to_go_on}")
    raise click.exceptions.Exit(INTERRUPTED)


def this_command() -> str:
    """Return the command as it was given, quoted for a shell."""
    return str(click.get_current_context().find_root().meta["retronet.command"])


def print_json(what: str, fields: dict[str, Any]) -> None:
    """Print one JSON object of the schema ``retronet/<what>/1``, keys sorted, units in their names."""
    click.echo(json_text(what, fields), nl=False)


def json_text(what: str, fields: Mapping[str, Any]) -> str:
    """Return what `print_json` prints."""
    return json.dumps({"schema": f"retronet/{what}/1", **fields}, indent=2, sort_keys=True) + "\n"


def print_table(table: Table) -> None:
    """Print a table, or one line a value where the terminal is too narrow to show every word of it.

    Title and caption are printed at their own width: they say what its figures are.
    """
    _make_plain(table)
    title, caption = table.title, table.caption
    table.title = table.caption = None
    stdout.print(title, style="bold", highlight=False)
    cut = _is_cut(table)
    if cut:  # columns nearer to each other read better than lines of single values
        table.collapse_padding, table.pad_edge = True, False
        cut = _is_cut(table)
    if cut:
        _print_stacked(table)
    else:
        stdout.print(table)
    if caption:
        stdout.print(caption, highlight=False)
    stdout.print()


def _make_plain(table: Table) -> None:
    """Put substitutes in the table before it is laid out: some are wider than what they stand for."""
    encoding = getattr(stdout.file, "encoding", None) or "utf-8"

    def fitting(what: Any) -> Any:  # noqa: ANN401
        if isinstance(what, Text):
            return Text(plain_text(what.plain, encoding), style=what.style)
        return plain_text(what, encoding) if isinstance(what, str) else what

    table.title, table.caption = fitting(table.title), fitting(table.caption)
    for column in table.columns:
        column.header = fitting(column.header)
        column._cells[:] = map(fitting, column._cells)


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


@contextmanager
def working(what: str, enabled: bool) -> Iterator[None]:
    """Show on standard error, while something takes its time, what that is and for how long."""
    end_waiting()
    with Progress(
        TextColumn("{task.description} …"),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not (enabled and stderr.is_terminal),
    ) as bar:
        bar.add_task(what, total=None)
        yield


def progress(enabled: bool) -> Progress:
    """Return a progress bar on standard error; it shows nothing where that is no terminal."""
    end_waiting()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not (enabled and stderr.is_terminal),
    )
