"""A run and the rows of its sweeps, as tables and as JSON."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table

from hw_sim.studies.points import Point, SweepRow
from retronet.runs.configuration import ByImport
from retronet.runs.makers import kept_after
from retronet_cli.views.scores import add_numbers, new_table, optional

if TYPE_CHECKING:
    from retronet.runs.run import Run
    from retronet.training.train import PassRecord


def run_table(run: "Run", records: "Sequence[PassRecord]") -> Table:
    """Return what made a run, from what, and its last score."""
    configuration, recipe = run.configuration, run.configuration.recipe
    table = new_table(f"Run {run.folder}")
    table.add_column("what", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_row("made by", configuration.origin or "retronet train")
    imported = isinstance(configuration.made, ByImport)
    how = "" if imported else f", seed {recipe.seed}, engine {recipe.engine}"
    table.add_row("recipe", f"{recipe.name}{how}")
    table.add_row("network", configuration.network.name)
    table.add_row("digits", f"{run.data_name}, prepared: {recipe.preparation or 'as its size asks for'}")
    if not imported:
        steps = {"pass": "passes", "stage": "stages"}[kept_after(configuration.made)]
        table.add_row(steps, f"{run.passes} of {recipe.passes}")
    if configuration.notice:
        table.add_row("note", configuration.notice)
    if records:
        seconds = sum(each.training_seconds for each in run.timings())
        table.add_row("trained for", f"{seconds:.1f} s, measured")
        for half, score in (("train", records[-1].train), ("test", records[-1].test)):
            share = f"{score.error_percent:.2f} %"
            ends = f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}"
            table.add_row(f"{half} misses", f"{score.misses:,} of {score.n:,}: {share}, 95 % interval {ends}")
    return table


def fields_of(run: "Run") -> dict[str, Any]:
    """Return the fields of the JSON object, but the passes."""
    return {
        "run": str(run.folder),
        "configuration": msgspec.to_builtins(run.configuration),
        "passes_done": run.passes,
        "timings": msgspec.to_builtins(run.timings()),
        "history": msgspec.to_builtins(run.snapshots()),
    }


def row_records(rows: Sequence[SweepRow]) -> list[dict[str, Any]]:
    """Return one flat record a row."""
    return [
        {
            "subject": row.subject,
            **msgspec.to_builtins(row.point),
            **msgspec.to_builtins(row.score),
            "agreements": row.agreements,
            "sqnr_db": row.sqnr_db,
        }
        for row in rows
    ]


def _named(point: Point) -> str:
    """Return what has the bits, and of rounding and scale what is not the default."""
    usual = Point(point.bits, point.tensors)
    words = [point.tensors]
    words += [f"rounding {point.rounding}"] if point.rounding != usual.rounding else []
    words += [f"scale {point.scale}"] if point.scale != usual.scale else []
    words += [f"seed {point.seed}"] if point.seed != usual.seed else []
    return ", ".join(words)


def rows_table(title: str, rows: Sequence[SweepRow]) -> Table:
    """Return one row a point."""
    table = new_table(title)
    add_numbers(table, "bits")
    table.add_column("of")
    add_numbers(table, "misses", "error %", "95 % interval", "SQNR dB")
    for row in rows:
        score = row.score
        table.add_row(
            str(row.point.bits),
            _named(row.point),
            f"{score.misses:,}",
            f"{score.error_percent:.2f}",
            f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}",
            optional(row.sqnr_db, ".1f"),
        )
    return table
