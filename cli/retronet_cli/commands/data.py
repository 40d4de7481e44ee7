"""`retronet data`: which digits there are, where they lie, and whether they are the known ones."""

from dataclasses import dataclass
from pathlib import Path

import click

from retronet.errors import DataError
from retronet_cli.options import data_dir_option, json_option
from retronet_cli.suggesting import SuggestingGroup


@click.group(cls=SuggestingGroup)
def data() -> None:
    """List, fetch and check the digits.

    \b
    Examples:
      retronet data list
      retronet data fetch usps
      retronet data verify --data-dir ~/digits
    """


@data.command("list")
@data_dir_option
@json_option
def list_sets(data_dir: Path | None, as_json: bool) -> None:
    """List the data sets, their preparations, and which are here."""
    from rich.table import Table

    from retronet.datasets.catalogue import SOURCES
    from retronet.datasets.prepare import PREPARATIONS
    from retronet.datasets.source import data_folder
    from retronet_cli.terminal import print_json, stdout

    folder = data_folder(data_dir)
    if as_json:
        sets = [
            {
                "name": source.name,
                "title": source.title,
                "train_images": source.counts[0],
                "test_images": source.counts[1],
                "rows": source.size[0],
                "columns": source.size[1],
                "licence": source.licence,
                "state": source.state(folder),
                "preparations": list(PREPARATIONS[source.size]),
            }
            for source in SOURCES.values()
        ]
        print_json("data-list", {"folder": str(folder), "sets": sets})
        return
    table = Table(box=None)
    table.add_column("name", no_wrap=True)
    for title in ("train + test", "size", "state", "digits"):
        table.add_column(title, overflow="fold")
    for source in SOURCES.values():
        table.add_row(
            source.name,
            f"{source.counts[0]:,} + {source.counts[1]:,}",
            f"{source.size[0]}×{source.size[1]}",
            source.state(folder),
            source.title,
        )
    stdout.print(table)
    for (rows, columns), known in PREPARATIONS.items():
        stdout.print(f"Preparations of {rows}×{columns} digits: {', '.join(known)}", highlight=False)


@data.command()
@click.argument("name")
@data_dir_option
@json_option
def fetch(name: str, data_dir: Path | None, as_json: bool) -> None:
    """Fetch the data set NAME unless it is here, and check it.

    \b
    Example:
      retronet data fetch usps
    """
    from retronet.datasets.catalogue import find_source
    from retronet.datasets.source import data_folder, offline
    from retronet_cli.terminal import talk

    source, folder = find_source(name), data_folder(data_dir)
    if source.state(folder) in ("absent", "incomplete") and not offline():
        talk(f"Fetching {name} into {folder} …")
    _report("data-fetch", folder, [_check(name, folder, download=True)], as_json)


@data.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@data_dir_option
@json_option
def verify(names: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """Check the data sets NAME, or all that are here.

    Their decoded content must have the known SHA-256.

    \b
    Example:
      retronet data verify usps
    """
    from retronet.datasets.catalogue import SOURCES
    from retronet.datasets.source import data_folder

    folder = data_folder(data_dir)
    chosen = names or [source.name for source in SOURCES.values() if source.state(folder) != "absent"]
    _report("data-verify", folder, [_check(name, folder, download=False) for name in chosen], as_json)


@data.command()
@click.argument("name", required=False)
@data_dir_option
@json_option
def path(name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print the data folder, or the folder of the data set NAME.

    \b
    Example:
      retronet data path usps
    """
    from retronet.datasets.catalogue import find_source
    from retronet.datasets.source import data_folder
    from retronet_cli.terminal import print_json

    folder = data_folder(data_dir)
    if name is not None:
        files = find_source(name).files
        if not files:
            raise DataError(f"The data set '{name}' comes with the package and has no folder.")
        folder = folder / files[0].folder
    if as_json:
        print_json("data-path", {"path": str(folder)})
    else:
        click.echo(folder)


@dataclass(frozen=True)
class _Checked:
    """A data set's digests by split and array, or what is wrong with it."""

    name: str
    sha256: dict[str, dict[str, str]] | None = None
    problem: DataError | None = None


def _check(name: str, folder: Path, download: bool) -> _Checked:
    from retronet.datasets.catalogue import find_source

    source = find_source(name)
    try:
        train, test = source.read(folder, download)
    except DataError as error:
        return _Checked(name, problem=error)
    digests = {
        split: {"images": raw.images_sha256, "labels": raw.labels_sha256}
        for split, raw in (("train", train), ("test", test))
    }
    return _Checked(name, digests)


def _report(schema: str, folder: Path, checked: list[_Checked], as_json: bool) -> None:
    """Print what was found; raise the problems, if there are any, as one error."""
    from rich.table import Table

    from retronet_cli.terminal import print_json, stdout

    good = [(each.name, each.sha256) for each in checked if each.sha256 is not None]
    problems = [each.problem for each in checked if each.problem is not None]
    if as_json:
        rows = [
            {"name": each.name, "sha256": each.sha256, "problem": each.problem and str(each.problem)}
            for each in checked
        ]
        print_json(schema, {"folder": str(folder), "sets": rows})
    elif good:
        table = Table("name", "split", "images SHA-256", "labels SHA-256", box=None)
        for name, splits in good:
            for split, arrays in splits.items():
                table.add_row(name, split, arrays["images"][:16] + "…", arrays["labels"][:16] + "…")
        stdout.print(table)
    if problems:
        raise DataError(" ".join(str(problem) for problem in problems)) from problems[0]
