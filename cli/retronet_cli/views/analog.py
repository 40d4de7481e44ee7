"""A network on simulated analog chips, as tables: scores, spread, options."""

from collections.abc import Sequence

import msgspec
from rich.table import Table

from hw_sim.chips.analog.drawn_chips import ChipScore, ChipSpread
from hw_sim.chips.anna.report import AnnaReport
from hw_sim.chips.net32k.report import Net32kReport
from retronet_cli.views.scores import new_table, score_table

Report = AnnaReport | Net32kReport


def scores_table(title: str, report: Report, notice: str | None) -> Table:
    """Return the scores in floating point and on a chip without analog errors."""
    scores = {"float": report.reference, "ideal chip": report.ideal.mapped}
    if report.ideal.retrained is not None:
        scores["retrained"] = report.ideal.retrained
    caption = "Ideal chip: without analog errors. Retrained: its last layers, in floating point beside it."
    return score_table(title, scores, f"{caption}\n{notice}" if notice else caption)


def spread_cells(chips: Sequence[ChipScore], spread: ChipSpread, retrained: bool) -> tuple[str, str, str]:
    """Return misses from fewest to most, and error and rejection with their deviations."""
    scores = [chip.retrained if retrained else chip.mapped for chip in chips]
    misses = [score.misses for score in scores if score is not None]
    least, most = min(misses), max(misses)
    return (
        f"{least:,}" if least == most else f"{least:,}–{most:,}",
        plus_minus(spread.error_percent, spread.error_deviation, 2),
        plus_minus(spread.reject_percent_at_1_percent_error, spread.reject_deviation, 1),
    )


def plus_minus(value: float, deviation: float | None, digits: int) -> str:
    """Return a number with its deviation, if it has one."""
    return f"{value:.{digits}f}" if deviation is None else f"{value:.{digits}f} ± {deviation:.{digits}f}"


def spread_note(report: Report) -> str:
    """Return what a table of spreads rests on."""
    chips = len(report.chips)
    return (
        f"Simulated: mean ± standard deviation, {chips} {'chip' if chips == 1 else 'chips'} drawn with seed "
        f"{report.seed}; misses: of {report.images:,} digits, fewest to most."
    )


def options_table(options: msgspec.Struct) -> Table:
    """Return the options of an analog chip, named as --set takes them."""
    caption = "What the sources leave open; the defaults are assumed. Change one with --set KEY=VALUE."
    table = new_table("Options of the chip", caption)
    table.add_column("option")
    table.add_column("is")
    for key, value in msgspec.structs.asdict(options).items():
        if key != "chips":  # has an option of its own
            table.add_row(key, "fitted" if value is None else f"{value}")
    return table
