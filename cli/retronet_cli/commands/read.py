"""The command `retronet read`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.chip_options import ChipChoices, one_chip_options
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    NEW_FILE,
    Real,
    data_dir_option,
    other_data_option,
    quiet_option,
    runs_option,
)
from retronet_cli.precision import Choices, float_or_precision_options
from retronet_cli.reading import scan_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retronet.datasets import DigitSets
    from retronet.reading.read import ReadPicture
    from retronet_cli.reading import Arithmetic


TOLD = 5
"""Lines of another number of digits that are named; of a wrong --digits it may be hundreds."""


@click.command(short_help="Read pictures of digits: a digit, a zip code, a page.")
@click.argument(
    "pictures", nargs=-1, required=True, metavar="IMAGE... [RUN]", type=click.Path(path_type=Path)
)
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    metavar="N",
    help="How many digits stand in each line, as 5 in a zip code: the widest pieces of ink are parted, or "
    "those that lie close put together, until there are so many.",
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
    type=NEW_FILE,
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
    no ink is parted: the network is slid over the line. Of several pictures all are looked at before the
    network is asked: the first that can not be read ends the command, and nothing is written.

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
    from retronet.reading.pictures import check_picture
    from retronet.reading.read import answered
    from retronet.reading.slide import slid_work
    from retronet_cli.reading import (
        arithmetic_of,
        check_scan,
        chip_of,
        fields_in,
        placing_of,
        scan_lines,
        see,
        slid_fields,
        timed,
    )
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_assumptions, print_table, progress, talk
    from retronet_cli.views.reading import digit_records, digits_table, picture_json, reading_table
    from retronet_cli.views.reading_time import slid_table, time_tables

    paths, run = _parted(pictures)
    if steps is not None and len(paths) > 1:
        raise click.UsageError(f"--steps draws one picture; {len(paths)} were given. Name one of them.")
    chip = chip_of(chip_choices)
    check_scan(scan, digits, chip)
    for path in paths:
        check_picture(path)
    folder, checkpoint = take_run(run, runs, quiet)
    network = checkpoint.header.network
    placing = placing_of(checkpoint, scan)
    seen = []
    with progress(not quiet) as bar:
        for path in bar.track(paths, description="Finding the digits"):
            seen.append(see(path, digits, placing, steps is not None))
    known = take_digits(checkpoint, data, data_dir)
    arithmetic = arithmetic_of(chip, chip_choices, choices, (folder, checkpoint), known, quiet)
    least, why = _threshold(least_confidence, arithmetic, known)
    if scan:
        assert digits is not None
        lines = scan_lines([each.strips for each in seen], checkpoint, placing, digits, arithmetic, quiet)
        answers = [
            picture_of(str(path), each, one.stages.turned, least)
            for path, each, one in zip(paths, lines, seen, strict=True)
        ]
    else:
        answers = [answered(each.stages, arithmetic.answer, least) for each in seen]
    if steps is not None:
        from retronet.runs.checkpoint import write_atomically
        from retronet_cli.views.steps import steps_png

        write_atomically(steps, steps_png(seen[0].stages, answers[0], seen[0].strips))
    count = sum(len(line) for each in answers for line in each.lines)
    times = timed(seen, count, network) if work else None
    slid = slid_fields(network, seen) if scan else None
    named = list(zip(map(str, paths), answers, strict=True))
    if form.given:
        fields = {
            "run": str(folder),
            "arithmetic": arithmetic.name,
            "scanned": scan,
            "slid": [msgspec.to_builtins(slid_work(network, *field)) for field in fields_in(seen)],
            "slid_times": None if slid is None else msgspec.to_builtins(slid[1]),
            "work": None if times is None else msgspec.to_builtins(times),
            "least_confidence": least if least < float("inf") else None,
            "pictures": [picture_json(*each) for each in named],
        }
        give(form, "reading", fields, {"digits": digit_records(named)})
        return
    if digits is not None and not quiet:
        _tell_of_others(named, digits)
    title = f"{'Scanned' if scan else 'Read'} by {title_of(checkpoint)} in {arithmetic.name}"
    print_table(reading_table(title, named, least, why))
    if len(paths) == 1 and count <= 20:
        print_table(digits_table(answers[0]))
    if slid is not None and not quiet:
        talk(
            f"Slid: {slid[0].slid_macs:,} multiply-adds at {slid[0].windows:,} places; as many separate "
            f"windows would take {slid[0].separate_macs:,}."
        )
    if times is not None:
        if slid is not None:
            print_table(slid_table(f"{network.name} slid over the lines", *slid))
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


def _tell_of_others(pictures: "Sequence[tuple[str, ReadPicture]]", digits: int) -> None:
    """Say which lines have another number of digits than was asked for: the first few, and how many more."""
    from retronet_cli.terminal import talk

    said = []
    for name, picture in pictures:
        for number, line in enumerate(picture.lines, 1):
            if len(line) != digits:
                why = (
                    "the rest lies too far apart to be put together"
                    if len(line) > digits
                    else "the rest is too narrow to part"
                )
                digit = "digit" if len(line) == 1 else "digits"
                said.append(
                    f"{name}, line {number}: {len(line)} {digit}, where --digits says {digits}: {why}."
                )
    more = len(said) - TOLD
    if more > 1:
        said[TOLD:] = [f"{more} more lines have another number of digits than --digits says."]
    for sentence in said:
        talk(sentence)


def _threshold(given: float | None, arithmetic: "Arithmetic", digits: "DigitSets") -> tuple[float, str]:
    """Return the least confidence, and what chose it."""
    from retronet.evaluate import least_confidence

    if given is not None:
        return given, "as asked for"
    outputs = arithmetic.answer(digits.test.images)
    least = least_confidence(outputs, digits.test.labels)
    return least, f"1 % error on the rest of the test digits of {digits.test.provenance.name}"
