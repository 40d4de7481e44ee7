"""`retronet data`: which digits there are, where they lie, and whether they are the known ones."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet.errors import DataError
from retronet_cli.checked_sets import checked, report_checked
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    SEED,
    data_dir_option,
    data_option,
    json_option,
    quiet_option,
    quiet_remarks_option,
)
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
@quiet_remarks_option
def list_sets(data_dir: Path | None, form: Form) -> None:
    """List the data sets, their preparations, and which are here.

    \b
    Example:
      retronet data list
    """
    from retronet.datasets.catalogue import SOURCES
    from retronet.datasets.prepare import PREPARATIONS
    from retronet.datasets.source import data_folder
    from retronet_cli.terminal import print_table, stdout
    from retronet_cli.views.scores import new_table

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
    table = new_table(f"Data sets, in {folder}")
    table.collapse_padding, table.pad_edge = True, False  # else all titles break in two on 80 columns
    table.add_column("name", no_wrap=True)
    for title in ("train + test", "size", "state", "digits"):
        table.add_column(title)
    for source in SOURCES.values():
        table.add_row(
            source.name,
            f"{source.counts[0]:,} + {source.counts[1]:,}",
            f"{source.size[0]}×{source.size[1]}",
            source.state(folder),
            source.title,
        )
    print_table(table)
    for (rows, columns), known in PREPARATIONS.items():
        stdout.print(f"Preparations of {rows}×{columns} digits: {', '.join(known)}", highlight=False)


@data.command()
@click.argument("name")
@data_dir_option
@form_options
@quiet_option
def fetch(name: str, data_dir: Path | None, form: Form, quiet: bool) -> None:
    """Fetch the data set NAME unless it is here, and check it.

    \b
    Example:
      retronet data fetch usps
    """
    from retronet.datasets.catalogue import find_source
    from retronet.datasets.source import data_folder, offline
    from retronet_cli.terminal import remark

    source, folder = find_source(name), data_folder(data_dir)
    if source.state(folder) in ("absent", "incomplete") and not offline():
        remark(f"Fetching {name} into {folder} …")
    report_checked("data-fetch", folder, [checked(name, folder, True, quiet)], form)


@data.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@data_dir_option
@form_options
@quiet_option
def verify(names: tuple[str, ...], data_dir: Path | None, form: Form, quiet: bool) -> None:
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
    report_checked("data-verify", folder, [checked(name, folder, False, quiet) for name in chosen], form)


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
@quiet_option
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
    quiet: bool,
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
    with progress(not quiet) as bar:
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
