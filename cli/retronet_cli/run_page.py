"""The page of a run: gathers its records, and writes them as `retronet report RUN --html FILE` asks."""

import shlex
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from retronet_cli.options import as_record, data_dir_option, other_data_option, quiet_option, runs_option
from retronet_cli.pages import force_option
from retronet_cli.precision import Bits, Choices

if TYPE_CHECKING:
    from retronet_cli.views.pages.figures import Picture


class PageChoices(msgspec.Struct, frozen=True):
    """The options that go with a page, as they were given."""

    html: Path | None
    bits: int | None
    force: bool
    data: str | None
    data_dir: Path | None
    runs: Path
    quiet: bool


OPTIONS = (
    click.option(
        "--html",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the run's whole story as one page, from digits to chips, with a pad to draw on.",
    ),
    click.option("--bits", type=Bits(), help="Bits of the integers on the page.  [default: 8]"),
    force_option,
    other_data_option,
    data_dir_option,
    runs_option,
    quiet_option,
)
page_options = as_record(PageChoices, "page", OPTIONS)
ALONE = ("bits", "force", "data", "data_dir")
"""Options that go with --html alone."""
OF_COSTS = ("network", "circuits", "weight_bits", "state_bits", "images_per_load", "chip_alone")
WITHOUT = (*OF_COSTS, "form", "output", "table")
"""Options that do not go with it."""


def check_options(page: PageChoices) -> None:
    """Refuse options that go with a page alone, without one, and those that do not go with it.

    Raises
    ------
    click.UsageError
        If there are any.
    """
    from retronet_cli.chip_options import given_options

    given = given_options()
    words = {"circuits": "rtl", "form": "format"}
    for name in ALONE if page.html is None else WITHOUT:
        if name in given:
            word = words.get(name, name).replace("_", "-")
            raise click.UsageError(
                f"--{word} goes with --html alone. Give a FILE with --html, or leave it out."
                if page.html is None
                else f"--{word} does not go with --html. Leave one of them out."
            )


def write_story(run: Path | None, chips: tuple[str, ...], page: PageChoices, as_json: bool) -> None:
    """Write the page of a run, and say so.

    Raises
    ------
    InputError
        If the run, its digits or its plan can not be used, or the page not be written.
    """
    import retronet
    from retronet.runs.run import open_run
    from retronet_cli.able_chips import chips_for
    from retronet_cli.pages import bits_of, playable, refuse_existing, shown, write_page
    from retronet_cli.precision import plan_for
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.story import STEPS, Story, gather
    from retronet_cli.terminal import print_json, progress, stdout, talk, working
    from retronet_cli.views.pages.pad import pad_part, pad_scripts
    from retronet_cli.views.pages.shell import shell
    from retronet_cli.views.pages.story import CONTENTS, story_html
    from retronet_cli.views.pages.tables import contents

    assert page.html is not None
    refuse_existing(page.html, page.force)
    folder, checkpoint = take_run(run, page.runs, page.quiet)
    digits = take_digits(checkpoint, page.data, page.data_dir)
    choices = Choices(bits=page.bits)
    plan, own = plan_for(choices, folder, checkpoint.trained, digits.train, page.quiet)
    play = playable(checkpoint, digits, plan, bits_of(choices, own))
    specs, left_out = chips_for(chips, checkpoint.header.network)
    with progress(enabled=not page.quiet) as bar:
        task = bar.add_task("records", total=STEPS)
        for each in gather(open_run(folder), checkpoint.trained, digits, plan, (specs, left_out)):
            if isinstance(each, Story):
                story = each
            else:
                bar.update(task, description=each, advance=1)
    for warning in play.warnings:
        talk(f"Warning: {warning}")
    words = shlex.quote(shown(folder))
    options = f" --bits {page.bits}" if page.bits else ""
    chip_options = "".join(f" --chip {shlex.quote(chip)}" for chip in chips)
    header, test = checkpoint.header, story.scores["test"]
    seed = f", seed {header.recipe.seed}" * bool(header.passes)  # an imported network has none
    lead = (
        f"<p>{escape(title_of(checkpoint))}{seed}, on {digits.test.provenance.name}: "
        f"{test.misses:,} of {test.n:,} test digits misread in floating point, "
        f"{story.simulation.score.misses:,} in {play.bits}.</p>{contents(CONTENTS)}"
    )
    draw = _picture(page.quiet)
    with working("drawing the page", enabled=not page.quiet):
        main = story_html(
            story, play.frame, pad_part(play.network, play.bits, play.frame, "h3"),
            (words, play.bits, options, chip_options), draw,
        )  # fmt: skip
    command = f"retronet report {words}{chip_options}{options} --html {shlex.quote(page.html.name)}"
    text = shell(
        f"The story of a network: {header.network.name}",
        lead,
        main,
        f"<p>Written by retronet {retronet.__version__}: <code>{escape(command)}</code></p>",
        pad_scripts(play.network, play.bits, play.frame, digits.test, play.reaches),
    )
    made = write_page(page.html, text, page.force)
    if as_json:
        fields = {"run": str(folder), "dataset": digits.test.provenance.name, "integers": play.bits}
        print_json("run-page", fields | made)
        return
    stdout.print(
        f"{page.html}: {made['bytes']:,} bytes; open it in a browser.", highlight=False, soft_wrap=True
    )


def _picture(quiet: bool) -> "Picture":
    """Return what draws the page's pictures; without matplotlib they are left out, which is said."""
    from importlib.util import find_spec

    from retronet_cli.terminal import talk
    from retronet_cli.views.pages.figures import no_picture, picture

    if find_spec("matplotlib") is None:
        if not quiet:
            talk(
                "The page has tables alone: pictures need the package matplotlib. Install it with: "
                "pip install 'retronet[plot]'."
            )
        return no_picture
    return picture
