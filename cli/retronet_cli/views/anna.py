"""A network on simulated ANNA chips, as tables."""

from rich.table import Table

from hw_sim.anna import AnnaReport
from hw_sim.chip_scores import Spread
from retronet_cli.views.scores import add_numbers, new_table, score_table


def scores_table(title: str, report: AnnaReport, notice: str | None) -> Table:
    """Return the scores in floating point and on a chip without analog errors."""
    scores = {"float": report.reference, "ideal chip": report.ideal.mapped}
    if report.ideal.retrained is not None:
        scores["retrained"] = report.ideal.retrained
    caption = "Ideal chip: without noise, offset, mismatch and droop. Retrained: its last layers, beside it."
    return score_table(title, scores, f"{caption}\n{notice}" if notice else caption)


def chain_table(report: AnnaReport) -> Table:
    """Return the spread over the simulated chips beside the published chain."""
    chips = len(report.chips)
    caption = (
        f"Simulated: mean ± standard deviation, {chips} {'chip' if chips == 1 else 'chips'} drawn with seed "
        f"{report.seed}; misses: of {report.images:,} digits, fewest to most. "
        "Published: ANNA-B table 1, on another network and other digits."
    )
    table = new_table("The chain of the board, simulated beside published", caption)
    table.add_column("")
    add_numbers(
        table, "misses", "simulated\nerror %", "published\nerror %",
        "simulated\nreject %\nfor 1 %", "published\nreject %\nfor 1 %",
    )  # fmt: skip
    reference = report.reference
    rows = [
        ("float", f"{reference.misses}", f"{reference.error_percent:.2f}",
         f"{reference.reject_percent_at_1_percent_error:.1f}"),
        ("chip", _misses([chip.mapped.misses for chip in report.chips]), *_spread(report.mapped)),
    ]  # fmt: skip
    if report.retrained is not None:
        counts = [chip.retrained.misses for chip in report.chips if chip.retrained is not None]
        rows.append(("retrained", _misses(counts), *_spread(report.retrained)))
    for (name, range_of_misses, error, reject), published in zip(rows, report.published, strict=False):
        table.add_row(
            name,
            range_of_misses,
            error,
            _plus_minus(published.error_percent, published.error_plus_minus, 1),
            reject,
            _plus_minus(published.reject_percent_at_1_percent_error, published.reject_plus_minus, 1),
        )
    return table


def _misses(counts: list[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def _spread(spread: Spread) -> tuple[str, str]:
    return (
        _plus_minus(spread.error_percent, spread.error_deviation, 2),
        _plus_minus(spread.reject_percent_at_1_percent_error, spread.reject_deviation, 1),
    )


def _plus_minus(value: float, deviation: float | None, digits: int) -> str:
    return f"{value:.{digits}f}" if deviation is None else f"{value:.{digits}f} ± {deviation:.{digits}f}"


def layers_table(report: AnnaReport) -> Table:
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
