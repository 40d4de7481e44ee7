"""A network whose first layers run on simulated NET32K chips, as tables."""

from rich.table import Table

from hw_sim.chips.net32k.options import net32k_sizes
from hw_sim.chips.net32k.precisions import Precisions
from hw_sim.chips.net32k.report import Net32kReport
from hw_sim.chips.spec import ChipSpec
from retronet.evaluate import Score
from retronet.network import NetworkSpec
from retronet_cli.views.analog import spread_cells, spread_note
from retronet_cli.views.scores import add_numbers, new_table


def mismatch_table(report: Net32kReport) -> Table:
    """Return the spread over the simulated chips."""
    table = new_table("Spread over simulated chips", spread_note(report))
    table.add_column("")
    add_numbers(table, "misses", "error %", "reject % for 1 %")
    reference = report.reference
    rejected = f"{reference.reject_percent_at_1_percent_error:.1f}"
    table.add_row("float", f"{reference.misses:,}", f"{reference.error_percent:.2f}", rejected)
    table.add_row("chip", *spread_cells(report.chips, report.mapped, retrained=False))
    if report.retrained is not None:
        table.add_row("retrained", *spread_cells(report.chips, report.retrained, retrained=True))
    return table


def layers_table(chip: ChipSpec, report: Net32kReport) -> Table:
    """Return how the layers lie on the chip."""
    most = net32k_sizes(chip).most_blocks
    caption = (
        f"Blocks: that the widest part of a sum joins, {most} at most. Parts: that a longer sum is split "
        "into."
    )
    table = new_table("Layers on the chip", caption)
    table.add_column("layer")
    add_numbers(table, "products\nof a sum", "blocks", "parts", "compa-\nrators", "state\nstep")
    for layer in report.layers:
        table.add_row(
            layer.layer,
            f"{layer.products:,}",
            str(layer.blocks),
            str(layer.parts),
            str(layer.comparators),
            f"{layer.state_step:.4g}",
        )
    return table


def precision_table(
    chip: ChipSpec, network: NetworkSpec, report: Precisions, title: str, notice: str | None
) -> Table:
    """Return what is left of a network at each precision of its first layers."""
    caption = (
        "Without analog errors. Mapped: fitted to the trained network. Retrained: its last layers, "
        "in floating point beside the chip. Parts: that the sums of each layer are split into."
    )
    options = report.options
    names = ", ".join(layer.name for layer in network.layers[: options.layers])
    what = f"{names} on {chip.called}, pixels of {options.input_bits} bits: {title}"
    table = new_table(what, f"{caption}\n{notice}" if notice else caption)
    table.add_column("weights")
    add_numbers(
        table, "bits of\nstates", "parts", "mapped\nmisses", "error\n%", "retrained\nmisses", "error\n%",
        "95 %\ninterval",
    )  # fmt: skip
    table.add_row("float", "", "", "", "", *_score(report.floating))
    for row in report.rows:
        table.add_row(
            row.weights,
            str(row.state_bits),
            ", ".join(map(str, row.parts)),
            f"{row.mapped.misses:,}",
            f"{row.mapped.error_percent:.2f}",
            *(("–",) * 3 if row.retrained is None else _score(row.retrained)),
        )
    return table


def _score(score: Score) -> tuple[str, str, str]:
    interval = f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}"
    return f"{score.misses:,}", f"{score.error_percent:.2f}", interval
