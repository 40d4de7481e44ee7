"""Two plans side by side, as tables and as JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.table import Table

from hw_sim.studies.compare import Comparison, Side
from retronet_cli.views.scores import new_table, score_table

MOST = 20
"""Changed answers that a table lists; JSON has them all."""


def sides_table(title: str, names: Sequence[str], comparison: Comparison, notice: str | None) -> Table:
    """Return both scores."""
    table = score_table(
        title, dict(zip(names, (comparison.first.score, comparison.second.score), strict=True)), notice
    )
    table.columns[0].header = "plan"
    return table


def layer_table(comparison: Comparison) -> Table:
    """Return for each layer how far its states are apart, and what left its format under either plan."""
    where = "nowhere" if comparison.parts_at is None else f"at {comparison.parts_at}"
    table = new_table(
        f"The states part {where}",
        "Saturated states and overflowed sums under A and B, on all digits.",
    )
    table.add_column("layer")
    for heading in ("units\napart", "states\napart %", "first\ndigit", "RMS", "largest", "saturated\nA, B",
                    "overflows\nA, B"):  # fmt: skip
        table.add_column(heading, justify="right")
    for layer in comparison.layers:
        table.add_row(
            layer.layer,
            f"{layer.units_apart:,}",
            f"{100 * layer.states_apart / (layer.units * comparison.first.score.n):.1f}",
            "–" if layer.first_digit is None else str(layer.first_digit),
            f"{layer.rms:.3f}",
            f"{layer.largest:.3f}",
            _both(comparison, layer.layer, "saturations"),
            _both(comparison, layer.layer, "overflows"),
        )
    return table


def _both(comparison: Comparison, layer: str, what: str) -> str:
    if layer not in comparison.first.counts:
        return ""
    return ", ".join(
        f"{getattr(side.counts[layer], what):,}" for side in (comparison.first, comparison.second)
    )


def unit_table(comparison: Comparison) -> Table:
    """Return the units that differ most in each layer."""
    table = new_table("Units that differ most", "Units are plane, row, column, counted from 0.")
    table.add_column("layer")
    table.add_column("unit")
    table.add_column("digits apart", justify="right")
    table.add_column("largest", justify="right")
    for layer in comparison.layers:
        for unit in layer.worst:
            place = ", ".join(map(str, unit.unit))
            table.add_row(layer.layer, place, f"{unit.digits:,}", f"{unit.largest:.4f}")
        table.add_section()
    return table


def changed_answer_table(comparison: Comparison) -> Table:
    """Return the digits whose answer changed, the first of them."""
    more = len(comparison.changed) - MOST
    table = new_table(
        f"Answers that changed: {len(comparison.changed):,} of {comparison.first.score.n:,}",
        f"And {more:,} more; --json lists them all." if more > 0 else None,
    )
    for heading in ("digit", "label", "A", "B"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for change in comparison.changed[:MOST]:
        verdict = (
            "A right" if change.first == change.label else "B right" if change.second == change.label else ""
        )
        table.add_row(str(change.digit), str(change.label), str(change.first), str(change.second), verdict)
    return table


def notes(name: str, side: Side) -> list[str]:
    """Return what should be said of one side: its warnings, and what left its format in which layers."""
    warnings = [f"{name}: {warning}" for warning in side.warnings]
    for what, field in (
        ("states left their format", "saturations"),
        ("casts of sums overflowed", "overflows"),
    ):
        counts = {layer: getattr(entry, field) for layer, entry in side.counts.items()}
        hit = ", ".join(f"{count:,} in {layer}" for layer, count in counts.items() if count)
        if hit:
            warnings.append(f"{name}: {what}: {hit}.")
    return warnings


def comparison_fields(comparison: Comparison) -> dict[str, Any]:
    """Return the fields of the JSON object."""
    sides = {
        name: {
            "score": msgspec.to_builtins(side.score),
            "formats": [msgspec.to_builtins(row) for row in side.plan.describe()],
            "counts": msgspec.to_builtins(side.counts),
            "warnings": list(side.warnings),
        }
        for name, side in (("a", comparison.first), ("b", comparison.second))
    }
    layers = [msgspec.to_builtins(layer) for layer in comparison.layers]
    changed = [
        {"digit": change.digit, "label": change.label, "a": change.first, "b": change.second}
        for change in comparison.changed
    ]
    return {**sides, "layers": layers, "parts_at": comparison.parts_at, "changed_answers": changed}
