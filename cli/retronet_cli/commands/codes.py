"""The command `retronet codes`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from retronet_cli.chip_options import ChipChoices, one_chip_options
from retronet_cli.forms import Form, form_options, give
from retronet_cli.options import (
    SEED,
    data_dir_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.precision import Choices, float_or_precision_options
from retronet_cli.reading import scan_option

if TYPE_CHECKING:
    from retronet.reading.compose import ComposedCode, Difficulty
    from retronet.reading.read import Stages
    from retronet.reading.strip import Strip

DIFFICULTIES: "tuple[Difficulty, ...]" = ("easy", "medium", "hard")


@click.command(short_help="Score the reading of composed zip codes, by difficulty.")
@run_argument
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=400,
    show_default=True,
    metavar="N",
    help="Codes of each difficulty.",
)
@click.option(
    "--digits",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    metavar="N",
    help="Digits of a code, which the reader knows.",
)
@click.option(
    "--codes-seed",
    type=SEED,
    default=0,
    show_default=True,
    metavar="S",
    help="What the codes are drawn from.",
)
@click.option(
    "--difficulty",
    type=click.Choice(DIFFICULTIES),
    multiple=True,
    help="Of the codes; repeat it for several.  [default: all]",
)
@scan_option
@float_or_precision_options
@one_chip_options
@other_data_option
@data_dir_option
@runs_option
@form_options
@quiet_option
def codes(
    run: Path | None,
    count: int,
    digits: int,
    codes_seed: int,
    difficulty: "tuple[Difficulty, ...]",
    scan: bool,
    choices: Choices,
    chip_choices: ChipChoices,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    form: Form,
    quiet: bool,
) -> None:
    """Score the reading of composed zip codes, by difficulty.

    RUN is the folder of a run; without it, the latest one. Test digits are set side by side as `retronet data
    compose` sets them, and read as `retronet read` reads; no digit is rejected. Beside the error of strings
    and digits stands what segmentation costs: codes that are misread though the network answers each of their
    digits right when it gets the data set's own.

    \b
    Examples:
      retronet codes
      retronet codes runs/1989 --count 1000 --difficulty hard
      retronet codes --chip anna --format csv
      retronet codes runs/lenet1 --scan
      retronet codes runs/lenet1 --scan --chip anna
    """
    import msgspec

    from retronet.datasets import load
    from retronet.reading.codes import composed, score_codes, texts_of
    from retronet_cli.reading import arithmetic_of, check_scan, chip_of, placing_of, scan_lines
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_table, progress, working
    from retronet_cli.views.reading import causes_table, codes_table

    chip = chip_of(chip_choices)
    check_scan(scan, digits, chip)
    folder, checkpoint = take_run(run, runs, quiet)
    header = checkpoint.header
    placing = placing_of(checkpoint, scan)
    known = take_digits(checkpoint, data, data_dir)
    natural = load(known.test.provenance.name, None, data_dir).test
    arithmetic = arithmetic_of(chip, chip_choices, choices, (folder, checkpoint), known, quiet)
    alone = known.test
    if header.recipe.preparation == "neighbours28":  # the digits that codes are made of have none
        alone = load(alone.provenance.name, placing.form.preparation, data_dir).test
    right = arithmetic.answer(alone.images).argmax(axis=1) == alone.labels
    scores = []
    for each in difficulty or DIFFICULTIES:
        wanted = composed(natural, placing.form, each, codes=count, digits=digits, seed=codes_seed)
        made: list[ComposedCode] = []
        parted: list[Stages] = []
        strips: list[list[Strip]] = []
        with progress(not quiet) as bar:
            for code, stages in bar.track(wanted, count, description=f"Composing {each} codes"):
                made.append(code.without_picture)
                if scan:
                    strips.append([strip.without_ink for strip in placing.strips(stages.ink)])
                else:
                    parted.append(stages.without_pictures)
        if scan:
            lines = scan_lines(strips, checkpoint, placing, digits, arithmetic, quiet)
            texts = ["".join(str(each.digit) for line in picture for each in line) for picture in lines]
        else:
            with working(f"reading {each} codes", enabled=not quiet):
                texts = texts_of(parted, arithmetic.answer)
        scores.append(score_codes(each, made, texts, right))
    if form.given:
        fields = {
            "run": str(folder),
            "dataset": known.test.provenance.name,
            "arithmetic": arithmetic.name,
            "codes_seed": codes_seed,
            "scanned": scan,
            "scores": [msgspec.to_builtins(each) for each in scores],
        }
        give(form, "codes", fields, {"scores": scores})
        return
    made_of = f"codes of {digits} test digits of {known.test.provenance.name}"
    how = ", scanned" if scan else ""
    print_table(codes_table(f"{title_of(checkpoint)} in {arithmetic.name}{how}: {made_of}", scores))
    print_table(causes_table(scores, scan))
