"""Published figures beside found ones as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from retronet.studies.reproduce import Finding, Likelihood
from retronet_cli.views.scores import add_numbers, new_table
from retronet_cli.views.seeds import NAMES, interval, number

MANY = 12
"""Seeds that are still named one by one."""


def finding_table(title: str, verdicts: Sequence[Finding], caption: str | None) -> Table:
    """Return one row a published figure, with its verdict."""
    table = new_table(title, caption)
    add_numbers(table, "pass")
    table.add_column("quantity")
    add_numbers(table, "published", "found", "inside is")
    table.add_column("verdict")
    table.add_column("source")
    for each in verdicts:
        figure = each.figure
        table.add_row(
            str(figure.number),
            f"{figure.digits} {NAMES[figure.quantity]}",
            number(figure.published),
            number(each.found.mean),
            figure.bound or interval(each.low, each.high),
            _verdict(each.inside),
            figure.source,
        )
    return table


def _verdict(inside: bool | None) -> str | Text:
    match inside:
        case True:
            return "inside"
        case False:
            return Text("outside", style="bold")
        case None:
            return "one seed: none"


def likelihood_table(likely: Sequence[Likelihood]) -> Table:
    """Return how many seeds do as well as published, or better, by figure and in all."""
    caption = "Seeds whose figure is no larger than the published one; interval: Wilson's."
    table = new_table("As good as published, or better", caption)
    table.add_column("quantity")
    add_numbers(table, "published", "seeds", "of", "%", "95 % interval")
    for each in likely:
        single = each.figures[0] if len(each.figures) == 1 else None
        table.add_row(
            "all at once" if single is None else f"{single.digits} {NAMES[single.quantity]}",
            "" if single is None else number(single.published),
            f"{each.seeds:,}",
            f"{each.of:,}",
            f"{each.percent:.1f}",
            f"{each.percent_low:.1f}–{each.percent_high:.1f}",
        )
    return table


def seeds_named(seeds: Sequence[int]) -> str:
    """Return what seeds are called: each, or the first and the last of many in a row."""
    if len(seeds) > MANY and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]}–{seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"
