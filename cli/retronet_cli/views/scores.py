"""Scores as tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from retronet.evaluate import Score
    from retronet.training.train import PassRecord


def new_table(title: str, caption: str | None = None) -> Table:
    """Return an empty table in the project's dress."""
    return Table(title=title, caption=caption, box=box.SIMPLE_HEAD)


def add_numbers(table: Table, *headings: str) -> None:
    """Add columns of numbers."""
    for heading in headings:
        table.add_column(heading, justify="right")


def optional(value: float | None, form: str) -> str:
    """Return `value` in the given form, or a dash where there is none."""
    return "–" if value is None else format(value, form)


def loss_of(scores: "Iterable[Score]") -> tuple[str, Callable[["Score"], float | None]]:
    """Return the heading of the column of losses and what is in it: half MSE, else the recipe's own loss."""
    every = list(scores)
    if any(score.half_mse is not None for score in every) or all(score.loss is None for score in every):
        return "half MSE", lambda score: score.half_mse
    return "loss", lambda score: score.loss


def score_table(title: str, scores: "Mapping[str, Score]", caption: str | None = None) -> Table:
    """Return one row a score."""
    table = new_table(title, caption)
    heading, loss = loss_of(scores.values())
    table.add_column("digits")
    add_numbers(table, "n", "misses", "error %", "95 % interval", heading, "reject % for 1 %")
    for name, score in scores.items():
        table.add_row(
            name,
            f"{score.n:,}",
            f"{score.misses:,}",
            f"{score.error_percent:.2f}",
            f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}",
            optional(loss(score), ".3e"),
            f"{score.reject_percent_at_1_percent_error:.1f}",
        )
    return table


def curve_table(
    title: str, records: "Sequence[PassRecord]", step: str = "pass", caption: str | None = None
) -> Table:
    """Return the learning curve, early passes in full and later ones every fifth; `step` is what they are."""
    heading, loss = loss_of(score for record in records for score in (record.train, record.test))
    table = new_table(title, caption)
    add_numbers(table, step, f"{heading} train", f"{heading} test", "misses train", "misses test")
    for record in _thinned(records):
        table.add_row(
            str(record.number),
            optional(loss(record.train), ".2e"),
            optional(loss(record.test), ".2e"),
            f"{record.train.misses:,}",
            f"{record.test.misses:,}",
        )
    return table


def _thinned(records: "Sequence[PassRecord]") -> "Iterable[PassRecord]":
    last = records[-1].number if records else 0
    return (record for record in records if record.number in (1, 2, 3, last) or record.number % 5 == 0)
