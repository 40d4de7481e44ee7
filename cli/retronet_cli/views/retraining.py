"""Before and after retraining, as a table."""

from collections.abc import Sequence

from rich.table import Table

from hw_sim.studies.retrain import RetrainRecord
from retronet.evaluate import Score
from retronet_cli.views.scores import new_table


def retraining_table(
    title: str, floating: tuple[Score, Score], records: Sequence[RetrainRecord], notice: str | None
) -> Table:
    """Return floating point, the network in its formats before, and after each pass."""
    caption = "Scores are those of the network on integers, but for the first row."
    table = new_table(title, f"{caption}\n{notice}" if notice else caption)
    table.add_column("")
    for heading in (
        "rate",
        "misses\ntrain",
        "misses\ntest",
        "error\n%",
        "95 %\ninterval",
        "reject %\nfor 1 %",
    ):
        table.add_column(heading, justify="right")
    table.add_row("float", "", *_scores(*floating))
    for record in records:
        name = "before" if record.rate is None else f"pass {record.number}"
        table.add_row(
            name, "" if record.rate is None else f"{record.rate:.3g}", *_scores(record.train, record.test)
        )
    return table


def _scores(train: Score, test: Score) -> tuple[str, ...]:
    return (
        f"{train.misses:,}",
        f"{test.misses:,}",
        f"{test.error_percent:.2f}",
        f"{test.error_percent_low:.2f}–{test.error_percent_high:.2f}",
        f"{test.reject_percent_at_1_percent_error:.1f}",
    )
