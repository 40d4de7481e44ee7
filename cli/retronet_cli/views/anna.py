"""A network on simulated ANNA chips, as tables."""

from rich.table import Table

from hw_sim.chips.anna.report import AnnaReport
from retronet_cli.views.analog import plus_minus, spread_cells, spread_note
from retronet_cli.views.scores import add_numbers, new_table


def chain_table(report: AnnaReport) -> Table:
    """Return the spread over the simulated chips beside the published chain."""
    caption = f"{spread_note(report)} Published: ANNA-B table 1, on another network and other digits."
    table = new_table("The chain of the board, simulated beside published", caption)
    table.add_column("")
    add_numbers(
        table, "misses", "simulated\nerror %", "published\nerror %",
        "simulated\nreject %\nfor 1 %", "published\nreject %\nfor 1 %",
    )  # fmt: skip
    reference = report.reference
    rejected = f"{reference.reject_percent_at_1_percent_error:.1f}"
    rows = {
        "float": (f"{reference.misses:,}", f"{reference.error_percent:.2f}", rejected),
        "chip": spread_cells(report.chips, report.mapped, retrained=False),
    }
    if report.retrained is not None:
        rows["retrained"] = spread_cells(report.chips, report.retrained, retrained=True)
    for (name, (misses, error, reject)), published in zip(rows.items(), report.published, strict=False):
        table.add_row(
            name,
            misses,
            error,
            plus_minus(published.error_percent, published.error_plus_minus, 1),
            reject,
            plus_minus(published.reject_percent_at_1_percent_error, published.reject_plus_minus, 1),
        )
    return table


def converter_table(report: AnnaReport) -> Table:
    """Return the steps that each layer on the chip was given."""
    caption = (
        f"Steps in the network's own numbers. Step of the converter: {report.converter_step:,} products."
    )
    table = new_table("Layers on the chip", caption)
    table.add_column("layer")
    add_numbers(table, "state step", "weight steps", "scale factors", "clipped weights")
    for layer in report.layers:
        table.add_row(
            layer.layer,
            f"{layer.state_step:.4g}",
            f"{layer.least_weight_step:.3g}–{layer.largest_weight_step:.3g}",
            f"{min(layer.scale_factors)}–{max(layer.scale_factors)}",
            f"{layer.clipped_weights:,}",
        )
    return table
