"""The command `retronet plot format`: number formats as staircases."""

from itertools import product
from typing import TYPE_CHECKING

import click

from hw_sim.formats.modes import Overflow, Rounding
from retronet.errors import ChoiceError
from retronet_cli.drawing import Canvas, canvas_options, check, write
from retronet_cli.options import Real, quiet_remarks_option

if TYPE_CHECKING:
    from hw_sim.formats.staircase import Staircase

WORDS = "dsp32c"
MOST = 8
USUAL = ("s4.2",)
LEAST = -1e12


@click.command("format")
@click.argument("texts", nargs=-1, metavar="[FORMAT]...")
@click.option(
    "--rounding",
    "roundings",
    type=click.Choice(Rounding, case_sensitive=False),
    multiple=True,
    help="Draw fixed point with this rounding mode; repeat it to compare some.  [default: the format's]",
)
@click.option(
    "--overflow",
    "overflows",
    type=click.Choice(Overflow, case_sensitive=False),
    multiple=True,
    help="Draw fixed point with this overflow mode; repeat it to compare some.  [default: the format's]",
)
@click.option("--from", "low", type=Real(LEAST), metavar="NUMBER", help="First input.")
@click.option("--to", "high", type=Real(LEAST), metavar="NUMBER", help="Last input.")
@canvas_options
@quiet_remarks_option
def draw_format(
    texts: tuple[str, ...],
    roundings: tuple[Rounding, ...],
    overflows: tuple[Overflow, ...],
    low: float | None,
    high: float | None,
    canvas: Canvas,
) -> None:
    """Draw what a number format makes of every number, and its error.

    Each FORMAT is written as everywhere: s4.2 (the default), u8.8:TRN:WRAP, {-5,0,1}, p3.0; or it is dsp32c,
    the words of that chip beside 1. Dots are the outputs exactly where the staircase jumps: there modes
    differ that are alike elsewhere. Without --from and --to a quarter of the range is drawn beyond either
    end, and is darker.

    \b
    Examples:
      retronet plot format s4.2 -o s4.2.svg
      retronet plot format s3.0 --rounding trn --rounding rnd --rounding rnd_conv -o rounding.svg
      retronet plot format '{-5,0,1}' p3.0z -o levels.svg
    """
    check(canvas)
    from retronet_cli.pictures.formats import staircases_figure

    texts = texts or USUAL
    if WORDS in texts:
        if len(texts) > 1 or overflows or (low, high) != (None, None):
            raise click.UsageError(
                f"{WORDS} is drawn by itself, beside 1: with --rounding alone. Leave the other formats and "
                "options out."
            )
        figure = staircases_figure(_words(roundings), canvas.theme, (1.0, 2.0**-24), ", in 2⁻²⁴ from 1")
    else:
        figure = staircases_figure(_staircases(texts, roundings, overflows, (low, high)), canvas.theme)
    write(figure, canvas, f"Staircases of {', '.join(texts)}")


def _words(roundings: tuple[Rounding, ...]) -> "dict[str, Staircase]":
    from hw_sim.chips.dsp32c.words import word_staircase

    chosen = dict.fromkeys(roundings or (Rounding.TRN, Rounding.RND))
    return {f"{WORDS}\n{mode}": word_staircase(mode) for mode in chosen}


def _staircases(
    texts: tuple[str, ...],
    roundings: tuple[Rounding, ...],
    overflows: tuple[Overflow, ...],
    ends: tuple[float | None, float | None],
) -> "dict[str, Staircase]":
    """Return the staircases of all formats in all modes, by their titles."""
    from msgspec.structs import replace

    from hw_sim.formats.fixed import Fixed
    from hw_sim.formats.levels import parse_format
    from hw_sim.formats.staircase import staircase

    stairs: dict[str, Staircase] = {}
    for text in texts:
        form = parse_format(text)
        if not isinstance(form, Fixed):
            if roundings or overflows:
                raise ChoiceError(
                    f"The format {text} has no modes: its numbers become the nearest level, and the last one "
                    "beyond the ends. Draw it without --rounding and --overflow."
                )
            stairs[f"{form.text}\n{len(form.levels)} levels"] = staircase(form, *ends)
            continue
        for rounding, overflow in product(roundings or (form.rounding,), overflows or (form.overflow,)):
            one = replace(form, rounding=rounding, overflow=overflow)
            stairs[f"{one.text.partition(':')[0]}\n{rounding}, {overflow}"] = staircase(one, *ends)
    if len(stairs) > MOST:
        raise ChoiceError(
            f"{len(stairs)} staircases can not be drawn in one picture: at most {MOST} are. Leave some out."
        )
    return stairs
