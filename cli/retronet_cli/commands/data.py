"""`retronet data`: which digits there are, where they lie, and whether they are the known ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet.errors import DataError
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import SEED, data_dir_option, data_option, json_option
from retronet_cli.suggesting import SuggestingGroup

if TYPE_CHECKING:
    from retronet.reading.compose import Difficulty


@click.group(cls=SuggestingGroup)
def data() -> None:
    """List, fetch and check the digits; compose zip codes.

    \b
    Examples:
      retronet data list
      retronet data fetch usps
      retronet data compose -o codes
      retronet data verify --data-dir ~/digits
    """


@data.command("list")
@data_dir_option
@form_options
def list_sets(data_dir: Path | None, form: Form) -> None:
    """List the data sets, their preparations, and which are here.

    \b
    Example:
      retronet data list
    """
    from rich.table import Table

    from retronet.datasets.catalogue import SOURCES
    from retronet.datasets.prepare import PREPARATIONS
    from retronet.datasets.source import data_folder
    from retronet_cli.terminal import stdout

    folder = data_folder(data_dir)
    if form.given:
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
        give(form, "data-list", {"folder": str(folder), "sets": sets}, {"sets": sets})
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
@form_options
def fetch(name: str, data_dir: Path | None, form: Form) -> None:
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
    _report("data-fetch", folder, [_check(name, folder, download=True)], form)


@data.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@data_dir_option
@form_options
def verify(names: tuple[str, ...], data_dir: Path | None, form: Form) -> None:
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
    _report("data-verify", folder, [_check(name, folder, download=False) for name in chosen], form)


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


@data.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to write.",
)
@click.option(
    "--count", type=click.IntRange(1, 100_000), default=10, show_default=True, metavar="N", help="Codes."
)
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    metavar="N",
    help="Digits of a code.",
)
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    metavar="S",
    help="What the codes are drawn from; the same seed gives the same bytes.",
)
@click.option(
    "--difficulty",
    type=click.Choice(["easy", "medium", "hard"]),
    default="medium",
    show_default=True,
    help="How far digits stand apart, how much their sizes and feet differ, and how many specks and lines "
    "there are.",
)
@click.option("--force", is_flag=True, help="Write over what is there.")
@data_option
@data_dir_option
@json_option
def compose(
    output: Path,
    count: int,
    digits: int,
    seed: int,
    difficulty: "Difficulty",
    force: bool,
    data: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Compose zip codes of test digits, as pictures.

    DIR gets a PNG for each code and labels.json: what each says, and which test digits it is made of. The
    codes are made up; `retronet codes` scores their reading.

    \b
    Examples:
      retronet data compose -o codes
      retronet data compose -o codes --count 1000 --difficulty hard --seed 3
    """
    import json

    from hw_sim.export.files import check_folder, write_files
    from retronet.datasets import load
    from retronet.reading.compose import compose as composed
    from retronet.reading.pictures import png_bytes
    from retronet_cli.terminal import print_json, progress, talk

    check_folder(output, force=force)
    sets = load(data, None, data_dir)
    if sets.notice:
        talk(sets.notice)
    codes = []
    with progress(True) as bar:
        for number in bar.track(range(count), description="Composing"):
            code, name = composed(sets.test, digits, seed, number, difficulty), f"{number:05}.png"
            write_files({name: png_bytes(code.levels)}, output, force=True)
            codes.append({"file": name, "text": code.text, "test_digits": list(code.digits)})
    labels = {
        "dataset": sets.test.provenance.name,
        "split": "test",
        "digits": digits,
        "seed": seed,
        "difficulty": difficulty,
        "codes": codes,
    }
    schema = {"schema": "retronet/composed-codes/1"}
    content = (json.dumps(schema | labels, indent=2, sort_keys=True) + "\n").encode()
    write_files({"labels.json": content}, output, force=True)
    if as_json:
        print_json("composed-codes", labels)
    else:
        click.echo(f"Wrote {count:,} codes and labels.json into {output}.")


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


def _report(schema: str, folder: Path, checked: list[_Checked], form: Form) -> None:
    """Print what was found; raise the problems, if there are any, as one error."""
    from rich.table import Table

    from retronet_cli.terminal import stdout

    good = [(each.name, each.sha256) for each in checked if each.sha256 is not None]
    problems = [each.problem for each in checked if each.problem is not None]
    if form.given:
        rows = [
            {"name": each.name, "sha256": each.sha256, "problem": each.problem and str(each.problem)}
            for each in checked
        ]
        digests = [
            {"name": name, "split": split, **{f"{what}_sha256": digest for what, digest in arrays.items()}}
            for name, splits in good
            for split, arrays in splits.items()
        ]
        give(form, schema, {"folder": str(folder), "sets": rows}, {"digests": digests})
    elif good:
        table = Table("name", "split", "images SHA-256", "labels SHA-256", box=None)
        for name, splits in good:
            for split, arrays in splits.items():
                table.add_row(name, split, arrays["images"][:16] + "…", arrays["labels"][:16] + "…")
        stdout.print(table)
    if problems:
        raise DataError(" ".join(str(problem) for problem in problems)) from problems[0]
