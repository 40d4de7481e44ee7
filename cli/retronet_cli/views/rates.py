"""A rate range test as a table with bars."""

import math
from collections.abc import Sequence

from rich.table import Table

from retronet.training.rate_range import RatePoint
from retronet_cli.views.scores import add_numbers, new_table

WIDTH = 40


def rate_table(title: str, points: Sequence[RatePoint], caption: str) -> Table:
    """Return one row a rate, its loss drawn from the least to twice the first."""
    table = new_table(title, caption)
    add_numbers(table, "rate", "loss")
    table.add_column("")
    ceiling = 2 * points[0].loss
    for point in points:
        finite = math.isfinite(point.loss)
        share = min(point.loss, ceiling) / ceiling if finite else 1.0
        loss = f"{point.loss:.4g}" if finite else "not finite"
        table.add_row(f"{point.rate:.2e}", loss, "█" * max(1, round(share * WIDTH)))
    return table
