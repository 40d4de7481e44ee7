"""The command `retronet draw`."""

from pathlib import Path

import click

from retronet_cli.options import (
    data_dir_option,
    json_option,
    other_data_option,
    quiet_option,
    run_argument,
    runs_option,
)
from retronet_cli.pages import force_option, page_option
from retronet_cli.precision import Choices, plan_for, precision_options


@click.command(short_help="Write a page to draw digits on, with a run's network in it.")
@run_argument
@page_option
@precision_options
@force_option
@other_data_option
@data_dir_option
@runs_option
@json_option
@quiet_option
def draw(
    run: Path | None,
    output: Path,
    choices: Choices,
    force: bool,
    data: str | None,
    data_dir: Path | None,
    runs: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a page to draw digits on, with a run's network in it.

    RUN is the folder of a run; without it, the latest one. FILE is one page of HTML that needs no network:
    open it in a browser, draw with mouse, finger or keyboard, or drop a picture, and see the digit as the
    network reads it, its feature maps and its outputs, in floating point and on integers side by side. Every
    integer is the simulator's. Formats are chosen as by `retronet simulate`.

    \b
    Examples:
      retronet draw -o digit.html
      retronet draw runs/a --bits 4 -o digit.html
      retronet draw --weight-bits 6 --state-bits 3 --accumulator-bits 18 -o digit.html
    """
    from html import escape

    import retronet
    from retronet_cli.pages import bits_of, command_of, playable, refuse_existing, shown, write_page
    from retronet_cli.runs import take_digits, take_run, title_of
    from retronet_cli.terminal import print_json, stdout, talk
    from retronet_cli.views.pages.pad import draw_page, pad_part, pad_scripts

    refuse_existing(output, force)
    folder, checkpoint = take_run(run, runs, quiet)
    digits = take_digits(checkpoint, data, data_dir)
    plan, own = plan_for(choices, folder, checkpoint.trained, digits.train, quiet)
    play = playable(checkpoint, digits, plan, bits_of(choices, own))
    for warning in play.warnings:
        talk(f"Warning: {warning}")
    name = digits.test.provenance.name
    words = escape(command_of(["draw", shown(folder)], choices))
    page = draw_page(
        checkpoint.header.network.name,
        play.bits,
        f"{title_of(checkpoint)}, its formats chosen on the training digits of {name}",
        pad_part(play.network, play.bits, play.frame),
        f"<p>Written by retronet {retronet.__version__}: <code>{words} -o {output.name}</code></p>",
        pad_scripts(play.network, play.bits, play.frame, digits.test, play.reaches),
    )
    made = write_page(output, page, force)
    if as_json:
        print_json("draw", {"run": str(folder), "dataset": name, "integers": play.bits, **made})
        return
    stdout.print(f"{output}: {made['bytes']:,} bytes; open it in a browser.", highlight=False, soft_wrap=True)
