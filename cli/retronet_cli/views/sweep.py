"""The rows of a sweep as table, CSV, Markdown and JSON."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.table import Table

from hw_sim.studies.points import SweepRow
from retronet.evaluate import Score
from retronet_cli.views.scores import new_table

FLOAT = "float"
AXES = ("rounding", "scale", "seed")
"""Fields of a point besides bits and tensors: one table each."""
STOCHASTIC = "STOCHASTIC"


def sweep_tables(
    title: str, rows: Sequence[SweepRow], floating: Score, rest: str, notice: str | None
) -> list[Table]:
    """Return a table for each rounding, scale rule and seed, one line a row, floating point first."""
    caption = f"{rest}\n{notice}" if notice else rest
    groups: dict[tuple[str, ...], list[SweepRow]] = {}
    for row in rows:
        groups.setdefault(tuple(str(getattr(row.point, axis)) for axis in AXES), []).append(row)
    tables: list[Table] = []
    for (rounding, scale, seed), members in groups.items():
        how = f"Rounding {rounding}, scales {scale}" + (f", seed {seed}" if rounding == STOCHASTIC else "")
        last = len(tables) == len(groups) - 1
        head = f"{title}\n{how}" if not tables else how
        tables.append(_table(head, members, floating, caption if last else None))
    return tables


def _table(title: str, rows: Sequence[SweepRow], floating: Score, caption: str | None) -> Table:
    table = new_table(title, caption)
    table.add_column("bits", justify="right")
    table.add_column("of")
    for heading in ("misses", "error\n%", "95 %\ninterval", "reject %\nfor 1 %", "agree\n%", "SQNR\ndB"):
        table.add_column(heading, justify="right")
    table.add_row(FLOAT, "", *_score(floating), "", "")
    before = None
    for row in rows:
        if row.point.tensors != before:
            table.add_section()
        before = row.point.tensors
        table.add_row(
            str(row.point.bits),
            row.point.tensors,
            *_score(row.score),
            f"{100 * row.agreements / row.score.n:.1f}",
            "–" if row.sqnr_db is None else f"{row.sqnr_db:.1f}",
        )
    return table


def _score(score: Score) -> tuple[str, ...]:
    return (
        f"{score.misses:,}",
        f"{score.error_percent:.2f}",
        f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}",
        f"{score.reject_percent_at_1_percent_error:.1f}",
    )


def overflow_notes(rows: Sequence[SweepRow]) -> list[str]:
    """Return a sentence for each kind of clipping that happened: how often, and where most of it."""
    kinds = (
        ("Casts of sums overflowed", [row.overflows for row in rows]),
        ("States left their format", [row.saturations for row in rows]),
        ("Pixels left their format", [{"the input": row.clipped_pixels} for row in rows]),
    )
    notes: list[str] = []
    for what, counts in kinds:
        worst = max(
            (
                (count, layer, row)
                for row, of_layers in zip(rows, counts, strict=True)
                for layer, count in of_layers.items()
            ),
            key=lambda entry: entry[0],
            default=None,
        )
        if worst is None or worst[0] == 0:
            continue
        hit = sum(any(of_layers.values()) for of_layers in counts)
        count, layer, row = worst
        notes.append(
            f"{what} at {hit} of {len(rows)} points, most often in {layer} with {row.point.bits} bits of "
            f"{row.point.tensors}: {count:,} times on {row.score.n:,} digits."
        )
    texts = [text for row in rows for text in row.warnings]
    if texts:
        others = len(set(texts)) - 1
        notes.append(texts[0] + (f" (And {others} more of this kind; see the rows.)" if others else ""))
    return notes


def row_records(rows: Sequence[SweepRow], floating: Score) -> list[dict[str, Any]]:
    """Return the rows as flat records, floating point first, units in the names."""
    axes = dict.fromkeys(AXES)
    first = {"bits": None, "tensors": FLOAT, **axes, **_fields(floating)}
    made = [first | {"agreements": floating.n, "sqnr_db": None, "state_saturations": 0, "sum_overflows": 0}]
    for row in rows:
        point = msgspec.to_builtins(row.point)
        counts = {
            "agreements": row.agreements,
            "sqnr_db": row.sqnr_db,
            "state_saturations": sum(row.saturations.values()),
            "sum_overflows": sum(row.overflows.values()),
        }
        made.append({**point, **_fields(row.score), **counts})
    return made


def _fields(score: Score) -> dict[str, Any]:
    return {
        "n": score.n,
        "misses": score.misses,
        "error_percent": score.error_percent,
        "error_percent_low": score.error_percent_low,
        "error_percent_high": score.error_percent_high,
        "reject_percent_at_1_percent_error": score.reject_percent_at_1_percent_error,
    }


def sweep_fields(rows: Sequence[SweepRow], floating: Score) -> dict[str, Any]:
    """Return the fields of the JSON object: the records, each with its counts by layer and its warnings."""
    first, *others = row_records(rows, floating)
    details = (
        {
            "state_saturations_by_layer": row.saturations,
            "sum_overflows_by_layer": row.overflows,
            "clipped_pixels": row.clipped_pixels,
            "warnings": list(row.warnings),
        }
        for row in rows
    )
    return {"float": first, "rows": [record | more for record, more in zip(others, details, strict=True)]}


def to_csv(rows: Sequence[SweepRow], floating: Score) -> str:
    """Return the records as CSV with a heading."""
    made = row_records(rows, floating)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(made[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue()


def to_markdown(rows: Sequence[SweepRow], floating: Score) -> str:
    """Return the records as a Markdown table, figures rounded for reading."""
    made = row_records(rows, floating)
    lines = [
        list(made[0]),
        ["---"] * len(made[0]),
        *([_short(value) for value in record.values()] for record in made),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
