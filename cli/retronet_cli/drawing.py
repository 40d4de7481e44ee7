"""What commands that draw have in common: where the picture goes, its theme, and the runs in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from retronet.errors import ChoiceError, InputError
from retronet_cli.options import (
    as_record,
    data_dir_option,
    other_data_option,
    quiet_option,
    runs_option,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from retronet.datasets import DigitSets
    from retronet.runs.checkpoint import Checkpoint
    from retronet.runs.run import Run
    from retronet_cli.pictures.paper import ThemeName

FORMS = (".svg", ".png")
STDOUT = Path("-")


class Canvas(msgspec.Struct, frozen=True):
    """Where a picture goes, and in which theme."""

    output: Path
    theme: "ThemeName"


canvas_options = as_record(
    Canvas,
    "canvas",
    (
        click.option(
            "-o",
            "--output",
            type=click.Path(dir_okay=False, path_type=Path),
            required=True,
            metavar="FILE",
            help="Where the picture goes, a name that ends in .svg or .png; - is SVG on standard output.",
        ),
        click.option(
            "--theme",
            type=click.Choice(["light", "dark"]),
            default="light",
            show_default=True,
            help="Dark ink on white, or light ink on black.",
        ),
    ),
)
"""Gives a command the options, which it takes as one argument `canvas`."""

runs_argument = click.argument(
    "folders", nargs=-1, metavar="[RUN]...", type=click.Path(file_okay=False, path_type=Path)
)


class Source(msgspec.Struct, frozen=True):
    """Where runs and digits are taken from, and whether that is said."""

    runs: Path
    quiet: bool
    data: str | None = None
    data_dir: Path | None = None


run_source = as_record(Source, "source", (runs_option, quiet_option))
"""Gives a command that draws what runs have kept these options, as one argument `source`."""

digit_source = as_record(Source, "source", (other_data_option, data_dir_option, runs_option, quiet_option))
"""The same for one whose networks answer digits."""


def check(canvas: Canvas) -> None:
    """Refuse, before anything is computed, what can not be drawn.

    Raises
    ------
    ChoiceError
        If the file's name ends otherwise than in .svg or .png.
    InputError
        If matplotlib is not installed, or the folder is not there.
    """
    from retronet_cli.pictures.paper import on_paper

    output = canvas.output
    if output != STDOUT:
        if output.suffix.lower() not in FORMS:
            raise ChoiceError(
                f"The picture {output} can not be written: its name ends in '{output.suffix}'; .svg and .png "
                "are allowed. Give it one of these."
            )
        if not output.parent.is_dir():
            raise InputError(
                f"The picture {output} can not be written: there is no folder {output.parent}. Make it, "
                "or name another."
            )
    with on_paper(canvas.theme):
        pass


def write(figure: "Figure", canvas: Canvas, title: str) -> None:
    """Write a picture where it is to go; `title` is what a reader of its SVG is told."""
    from retronet.runs.checkpoint import write_atomically
    from retronet_cli.pictures.paper import png, svg
    from retronet_cli.terminal import asked_to_be_quiet, remark, working

    as_svg = canvas.output == STDOUT or canvas.output.suffix.lower() == ".svg"
    with working("drawing", enabled=not asked_to_be_quiet()):
        content = svg(figure, title).encode() if as_svg else png(figure, title)
    if canvas.output == STDOUT:
        click.echo(content, nl=False)  # it says so itself
        return
    write_atomically(canvas.output, content)
    remark(f"Picture: {canvas.output} ({len(content) / 1000:.0f} kB)")


def take_runs(folders: Sequence[Path], source: Source) -> "dict[str, tuple[Run, Checkpoint]]":
    """Return the runs to draw with their checkpoints, by short names: those given, else the latest.

    Where they learnt different digits, and answer those, the names say which.
    """
    from retronet.runs.run import open_run
    from retronet_cli.runs import take_run

    taken = [take_run(folder, source.runs, source.quiet) for folder in folders or (None,)]
    short = [folder.resolve().name for folder, _ in taken]
    names = short if len(set(short)) == len(short) else [str(folder) for folder, _ in taken]
    learnt = [checkpoint.header.data[0].name for _, checkpoint in taken]
    if source.data is None and len(set(learnt)) > 1:
        names = [f"{name} on {data}" for name, data in zip(names, learnt, strict=True)]
    return {
        name: (open_run(folder), checkpoint) for name, (folder, checkpoint) in zip(names, taken, strict=True)
    }


def digits_of(checkpoint: "Checkpoint", source: Source) -> "DigitSets":
    """Return the digits that were asked for, else those that the run learnt."""
    from retronet_cli.runs import take_digits

    return take_digits(checkpoint, source.data, source.data_dir)
