"""Predicted and measured rises of the loss, and the bits that follow from them, as tables and as JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.table import Table

from hw_sim.studies.allocator import Budget, Estimate
from retronet.evaluate import Score
from retronet_cli.views.scores import new_table


def estimate_table(title: str, estimates: Sequence[Estimate], loss: float) -> Table:
    """Return for each tensor the predicted and the measured rise, one column a number of bits."""
    caption = (
        "Rises in percent of the loss in floating point. Ratio: predicted over measured,\n"
        "in brackets if off by more than a factor of two, a dot if both are below 1 %."
    )
    table = new_table(title, caption)
    widths = sorted({estimate.bits for estimate in estimates})
    table.add_column("tensor")
    table.add_column("bits:")
    for width in widths:
        table.add_column(str(width), justify="right")
    for tensor in dict.fromkeys(estimate.tensor for estimate in estimates):
        by_bits = {estimate.bits: estimate for estimate in estimates if estimate.tensor == tensor}
        ordered = [by_bits[width] for width in widths]
        name = tensor.layer if tensor.layer == "input" else f"{tensor.layer} {tensor.kind}"
        table.add_row(name, "predicted", *(_rise(estimate.predicted / loss) for estimate in ordered))
        table.add_row("", "measured", *(_rise(estimate.measured / loss) for estimate in ordered))
        table.add_row("", "ratio", *(_ratio(estimate) for estimate in ordered))
        table.add_section()
    return table


def _rise(rise: float) -> str:
    percent = 100 * rise
    return (f"{percent:,.0f}" if abs(percent) >= 100 else f"{percent:.1f}").replace("-", "−")


def _ratio(estimate: Estimate) -> str:
    if estimate.verdict == "slight":
        return "·"
    text = "–" if estimate.ratio is None else f"{estimate.ratio:.2f}"
    return text if estimate.verdict == "holds" else f"({text})"


def bits_table(title: str, budget: Budget, weights: dict[str, int], macs: dict[str, int]) -> Table:
    """Return the bits of each layer beside its weights and MACs."""
    table = new_table(title)
    table.add_column("layer")
    deleted = ("deleted",) * bool(budget.deleted)
    for heading in ("weights", *deleted, "MACs", "bits of weights", "bits of states"):
        table.add_column(heading, justify="right")
    for layer, bits in budget.states.items():
        if layer in weights:
            gone = (f"{budget.deleted.get(layer, 0):,}",) * bool(budget.deleted)
            row = (f"{weights[layer]:,}", *gone, f"{macs[layer]:,}", str(budget.weights[layer]))
        else:
            row = ("",) * (3 + bool(deleted))
        table.add_row(layer, *row, str(bits))
    return table


def budget_table(title: str, floating: Score, loss: float, budgets: Sequence[Budget], caption: str) -> Table:
    """Return cost, rise and score of each budget, floating point first."""
    table = new_table(title, caption)
    table.add_column("")
    for heading in (
        "weight\nbits", "MAC\nkbits", "rise %\npre-\ndicted", "rise %\nmea-\nsured", "misses", "error\n%",
        "95 %\ninterval",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    table.add_row("float", "", "", "", "", *_score(floating))
    for budget in budgets:
        table.add_row(
            budget.name,
            f"{budget.weight_storage_bits:,}",
            f"{budget.mac_bits / 1000:,.0f}",
            _rise(budget.predicted / loss),
            _rise(budget.measured / loss),
            *_score(budget.score),
        )
    return table


def _score(score: Score) -> tuple[str, str, str]:
    interval = f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}"
    return f"{score.misses:,}", f"{score.error_percent:.2f}", interval


def allocation_fields(
    estimates: Sequence[Estimate], attempts: Sequence[Budget], uniform: Sequence[Budget]
) -> dict[str, Any]:
    """Return the fields of the JSON object; the last attempt is the allocation."""
    return {
        "estimates": [msgspec.to_builtins(estimate) for estimate in estimates],
        "attempts": [msgspec.to_builtins(budget) for budget in attempts],
        "chosen": msgspec.to_builtins(attempts[-1]),
        "uniform": [msgspec.to_builtins(budget) for budget in uniform],
    }
