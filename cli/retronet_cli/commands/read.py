"""The command `retronet read`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.chip_options import ChipChoices, one_chip_options
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    Real,
    data_dir_option,
    other_data_option,
    quiet_option,
    runs_option,
)
from retronet_cli.precision import Choices, float_or_precision_options
from retronet_cli.reading import scan_option

if TYPE_CHECKING:
    from retronet.datasets import DigitSets
    from retronet.reading.slide import SlidWork
    from retronet_cli.reading import Arithmetic


@click.command(short_help="Read pictures of digits: a digit, a zip code, a page.")
@click.argument(
    "pictures", nargs=-1, required=True, metavar="IMAGE... [RUN]", type=click.Path(path_type=Path)
)
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    metavar="N",
    help="How many digits stand in each line, as 5 in a zip code; the widest pieces of ink are then parted.",
)
@click.option(
    "--least-confidence",
    type=Real(0.0),
    metavar="X",
    help="Reject digits whose two largest outputs differ by less.  [default: what leaves 1 % error on the "
    "run's test digits, as NC89 chose it]",
)
@click.option(
    "--steps",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw what each stage makes of the picture into this PNG file.",
)
@click.option(
    "--work",
    is_flag=True,
    help="Count the work of each stage, and model its time on the boards of 1989 and 1991.",
)
@scan_option
@float_or_precision_options
@one_chip_options
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def read(
    pictures: tuple[Path, ...],
    digits: int | None,
    least_confidence: float | None,
    steps: Path | None,
    work: bool,
    scan: bool,
    choices: Choices,
    chip_choices: ChipChoices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Read pictures of digits: a digit, a zip code, a page.

    Each IMAGE is a PNG, JPEG or PGM file. RUN, the last argument, is the folder of a run; without it, the
    latest one. A threshold that follows the light makes ink of the picture; connected ink is grouped and
    parted into digits, and these are normalised as the network reads them. It answers in floating point, in
    fixed point (with any option for formats), or on a chip. A rejected digit is printed as "-". With --scan
    no ink is parted: the network is slid over the line.

    \b
    Examples:
      retronet read envelope.png
      retronet read envelope.png --digits 5 --steps steps.png
      retronet read page-1.png page-2.png runs/1989 --bits 8 --json
      retronet read envelope.png --chip anna --seed 3
      retronet read envelope.png --work
      retronet read envelope.png runs/lenet1 --digits 5 --scan
    """
    import msgspec

    from retronet.reading.align import picture_of
    from retronet.reading.forms import form_of
    from retronet.reading.pictures import load_picture
    from retronet.reading.read import answered, check_legible, stages
    from retronet_cli.reading import arithmetic_of, check_scan, chip_of, scan_lines, timed
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_assumptions, print_table, progress, talk
    from retronet_cli.views.reading import digit_records, digits_table, picture_json, reading_table
    from retronet_cli.views.reading_time import time_tables

    paths, run = _parted(pictures)
    if steps is not None and len(paths) > 1:
        raise click.UsageError(f"--steps draws one picture; {len(paths)} were given. Name one of them.")
    if steps is not None and scan:
        raise click.UsageError(
            "--steps draws digits that were parted; --scan parts none. Leave one of them out."
        )
    chip = chip_of(chip_choices)
    check_scan(scan, digits, chip)
    darkness = {path: load_picture(path) for path in paths}
    folder, checkpoint = take_run(run, runs, quiet)
    header = checkpoint.header
    placing = form_of(header.network, header.data[0].name, header.recipe.preparation)
    made = {}
    with progress(not quiet) as bar:
        for path in bar.track(paths, description="Finding the digits"):
            made[path] = stages(darkness[path], digits, form=placing)
    for path in paths:
        check_legible(str(path), made[path])
    known = take_digits(checkpoint, data, data_dir)
    arithmetic = arithmetic_of(chip, chip_choices, choices, (folder, checkpoint), known, quiet)
    least, why = _threshold(least_confidence, arithmetic, known)
    places: list[SlidWork] = []
    if scan:
        assert digits is not None
        lines, places = scan_lines(
            [made[path].ink for path in paths], checkpoint, placing, digits, arithmetic
        )
        answers = {
            path: picture_of(str(path), each, made[path].turned, least)
            for path, each in zip(paths, lines, strict=True)
        }
    else:
        answers = {path: answered(made[path], arithmetic.answer, least) for path in paths}
    if steps is not None:
        from retronet.runs.checkpoint import write_atomically
        from retronet_cli.views.steps import steps_png

        write_atomically(steps, steps_png(made[paths[0]], answers[paths[0]]))
    times = timed([made[path] for path in paths], header.network) if work else None
    if form.given:
        fields = {
            "run": str(folder),
            "arithmetic": arithmetic.name,
            "scanned": scan,
            "slid": [msgspec.to_builtins(each) for each in places],
            "work": None if times is None else msgspec.to_builtins(times),
            "least_confidence": least if least < float("inf") else None,
            "pictures": [picture_json(str(path), answers[path]) for path in paths],
        }
        give(form, "reading", fields, {"digits": digit_records(answers)})
        return
    if scan and not quiet:
        talk(
            f"Slid: {sum(each.slid_macs for each in places):,} multiply-adds at "
            f"{sum(each.windows for each in places):,} places; as many separate windows would take "
            f"{sum(each.separate_macs for each in places):,}."
        )
    title = f"{'Scanned' if scan else 'Read'} by {title_of(checkpoint)} in {arithmetic.name}"
    print_table(reading_table(title, {str(path): each for path, each in answers.items()}, least, why))
    if len(paths) == 1 and sum(map(len, answers[paths[0]].lines)) <= 20:
        print_table(digits_table(answers[paths[0]]))
    if times is not None:
        for table in time_tables(times):
            print_table(table)
        print_assumptions(times.assumptions)


def _parted(words: tuple[Path, ...]) -> tuple[list[Path], Path | None]:
    """Return the pictures, and the run if the last word is a folder."""
    *before, last = words
    if not last.is_dir():
        return list(words), None
    if not before:
        raise click.UsageError(
            f"'{last}' is a folder, so a run, and no picture goes before it. Name one: IMAGE... [RUN]."
        )
    return before, last


def _threshold(given: float | None, arithmetic: "Arithmetic", digits: "DigitSets") -> tuple[float, str]:
    """Return the least confidence, and what chose it."""
    from retronet.evaluate import least_confidence

    if given is not None:
        return given, "as asked for"
    outputs = arithmetic.answer(digits.test.images)
    least = least_confidence(outputs, digits.test.labels)
    return least, f"1 % error on the rest of the test digits of {digits.test.provenance.name}"
