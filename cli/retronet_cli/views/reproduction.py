"""Published figures beside found ones as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from retronet.studies.reproduce import Finding
from retronet_cli.views.scores import add_numbers, new_table
from retronet_cli.views.seeds import NAMES, interval, number


def finding_table(title: str, found: Sequence[Finding], caption: str | None) -> Table:
    """Return one row a published figure, with its verdict."""
    table = new_table(title, caption)
    add_numbers(table, "pass")
    table.add_column("quantity")
    add_numbers(table, "published", "found", "inside is")
    table.add_column("verdict")
    table.add_column("source")
    for each in found:
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
