"""What a network costs on chips, as tables and as records. Every time in them is modelled."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.table import Table

from hw_sim.chips.cost.layer_cost import Work
from hw_sim.chips.cost.network_cost import CostReport
from hw_sim.chips.cost.published import PublishedRow
from hw_sim.chips.spec import ChipSpec, NeuronArray, Processor
from retronet_cli.views.quantities import energy, plain, prefixed, quantity, quantity_range
from retronet_cli.views.scores import add_numbers, new_table

COST_ALONE = "This is cost alone: how well a network reads digits at these bits it does not say."
MODELLED = "Modelled, not measured: the least time that the chip's geometry allows."


def shape_table(title: str, layers: Sequence[str], work: Sequence[Work]) -> Table:
    """Return the counted work of each layer for one digit."""
    table = new_table(title)
    table.add_column("layer")
    add_numbers(table, "MACs", "weights\nread", "states\nread", "states\nwritten")
    rows = [(each.macs, each.weight_reads, each.state_reads, each.state_writes) for each in work]
    for layer, row in zip(layers, rows, strict=True):
        table.add_row(layer, *(f"{count:,.0f}" for count in row))
    totals = (f"{sum(column):,.0f}" for column in zip(*rows, strict=True))
    table.add_row("total", *totals, style="bold")
    return table


def totals_table(title: str, reports: Sequence[CostReport], note: str = "") -> Table:
    """Return one row a chip."""
    bounded = any(map(_is_bound, reports))
    notes = [MODELLED, "≥, ≤: a part of the time is unknown and counts as nothing." if bounded else ""]
    if any(report.weight_bits is not None for report in reports):
        notes.append("w × s: bits of a weight and of a state.")
    notes.append(note)
    table = new_table(title, "\n".join(text for text in notes if text))
    table.add_column("chip", no_wrap=True)
    add_numbers(table, "w × s\nbits", "modelled\nms", "modelled\ndigits/s", "connec-\ntions/s", "energy")
    table.add_column("bound by")
    for report in reports:
        least, most = ("≥", "≤") if _is_bound(report) else ("", "")
        table.add_row(
            report.chip,
            "float" if report.weight_bits is None else f"{report.weight_bits} × {report.state_bits}",
            f"{least}{plain(1e3 * report.seconds)}",
            f"{most}{plain(report.images_per_s)}",
            f"{most}{prefixed(report.connections_per_s)}",
            "–" if report.energy_j is None else energy(report.energy_j),
            report.bound_by,
        )
    return table


def _is_bound(report: CostReport) -> bool:
    """Return whether a constant is unknown on which a time would rest."""
    return any(not key.startswith("energy.") for key in report.unknown)


def cost_table(chip: ChipSpec, report: CostReport) -> Table:
    """Return the calls of each layer on `chip`, its modelled time and what binds it."""
    table = new_table(f"{report.chip}: calls and modelled time for one digit", _notes(chip, report))
    table.add_column("layer")
    table.add_column("on", no_wrap=True)
    add_numbers(table, "calls", "cycles", "modelled\nµs", "used\n%")
    table.add_column("bound by")
    for layer in report.layers:
        table.add_row(
            layer.layer,
            layer.chip,
            f"{layer.calls:,}",
            plain(layer.cycles),
            _microseconds(layer.seconds),
            f"{100 * layer.utilisation:.1f}",
            layer.bound_by,
        )
    if len({layer.chip for layer in report.layers}) == 1:  # calls and cycles of two chips do not add up
        calls, cycles = (sum(getattr(layer, key) for layer in report.layers) for key in ("calls", "cycles"))
        counts = [f"{calls:,}", plain(cycles)]
    else:
        counts = ["", ""]
    total = _microseconds(report.seconds)
    table.add_row("total", "", *counts, total, "", report.bound_by, style="bold")
    return table


def _notes(chip: ChipSpec, report: CostReport) -> str:
    """Return what the table of a chip rests on."""
    needed = sum(layer.cells for layer in report.layers)
    notes = []
    if isinstance(chip.engine, NeuronArray):
        cells = plain(chip.engine.cells.value or 0.0)
        loads = "digit" if report.images_per_load == 1 else f"{report.images_per_load} digits"
        stay = "they stay" if report.resident else f"they are loaded anew for every {loads}"
        notes.append(f"Weights take {needed:,} of {cells} cells: {stay}.")
    sums = sum(layer.partial_sums for layer in report.layers)
    if sums:
        notes.append(
            f"{sums:,} sums are too long for the chip: their parts must be added elsewhere, at no cost here."
        )
    if report.refresh_s is not None:
        notes.append(
            f"A refresh of all weights takes {_microseconds(report.refresh_s)} µs; it is in no time here."
        )
    for words, keys in (("Assumed", report.assumed), ("Unknown, left out", report.unknown)):
        if keys:
            notes.append(f"{words}: {', '.join(key.replace('engine.', '') for key in keys)}.")
    return "\n".join(notes)


def parts_table(chip: ChipSpec, report: CostReport) -> Table:
    """Return where the modelled time of each layer goes; on a processor there is nothing but instructions."""
    headings = {
        "compute_s": "compute", "overhead_s": "over-\nhead", "weight_load_s": "weight\nload",
        "state_input_s": "state\ninput", "state_output_s": "state\noutput", "host_s": "host",
        "seconds": "in all",
    }  # fmt: skip
    caption: str | None = (
        "State input hides behind compute where the chip does both at once. "
        "The host takes the place of the chip's time where it takes more."
    )
    if isinstance(chip.engine, Processor):
        headings = {key: headings[key] for key in ("compute_s", "overhead_s", "seconds")}
        caption = None
    table = new_table(f"{report.chip}: where the time goes, modelled µs for one digit", caption)
    table.add_column("layer")
    add_numbers(table, *headings.values())
    for layer in report.layers:
        parts = (getattr(layer, key) for key in headings)
        table.add_row(layer.layer, *("–" if part is None else _microseconds(part) for part in parts))
    return table


def _microseconds(seconds: float) -> str:
    return plain(1e6 * seconds)


def published_table(rows: Sequence[PublishedRow]) -> Table:
    """Return the model beside published figures; what is fitted stands in a column of its own."""
    caption = (
        "Modelled: by this project's model alone. Fitted: the share of the modelled speed, or the time "
        "outside the chip, that would meet the published figure; it is in no modelled number."
    )
    table = new_table("The model beside the published figures", caption)
    table.add_column("chip", no_wrap=True)
    table.add_column("figure")
    add_numbers(table, "published", "modelled", "fitted")
    for row in rows:
        published = quantity_range(row.low, row.high, row.unit)
        figure = f"{row.what} ({row.source})"
        table.add_row(row.chip, figure, published, quantity(row.modelled, row.unit), fitted(row))
    return table


def fitted(row: PublishedRow) -> str:
    """Return the efficiency, or the time outside the chip, that would meet the published figure."""
    if row.fitted_outside_low_s is not None or row.fitted_outside_high_s is not None:
        outside = quantity_range(row.fitted_outside_low_s, row.fitted_outside_high_s, "s")
        return f"{outside} outside"
    efficiencies = row.fitted_efficiency_low, row.fitted_efficiency_high
    return "–" if efficiencies == (None, None) else quantity_range(*efficiencies, "")


def gap_lines(rows: Sequence[PublishedRow]) -> list[str]:
    """Return for each figure what of its gap is modelled and what is fitted."""
    return [f"{row.chip}, {row.what}. {row.gap}" for row in rows]


def cost_records(reports: Sequence[CostReport]) -> list[dict[str, Any]]:
    """Return one flat record a chip and layer, units and what is modelled in the names."""
    return [
        {
            "network": report.network,
            "chip": report.chip,
            "layer": layer.layer,
            "runs_on": layer.chip,
            **msgspec.to_builtins(layer.work),
            "calls": layer.calls,
            "cells": layer.cells,
            "modelled_cycles": layer.cycles,
            "modelled_compute_s": layer.compute_s,
            "modelled_overhead_s": layer.overhead_s,
            "modelled_weight_load_s": layer.weight_load_s,
            "modelled_state_input_s": layer.state_input_s,
            "modelled_state_output_s": layer.state_output_s,
            "modelled_host_s": layer.host_s,
            "modelled_s": layer.seconds,
            "utilisation": layer.utilisation,
            "modelled_energy_j": layer.energy_j,
            "bound_by": layer.bound_by,
        }
        for report in reports
        for layer in report.layers
    ]
