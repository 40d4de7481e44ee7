"""A simulation report as tables and as JSON."""

from collections.abc import Mapping
from math import frexp
from typing import Any

import msgspec
from rich.table import Table

from hw_sim.fixed_point.simulate import LayerReport, SimulationReport
from hw_sim.plan.plan import PrecisionPlan
from retronet_cli.views.scores import new_table, score_table

ROLES = {"accumulator": "sum", "preactivation": "pre-act."}


def comparison_table(title: str, report: SimulationReport, caption: str | None) -> Table:
    """Return the network in fixed point beside itself in floating point."""
    agreement = f"Both give the same answer to {report.agreements:,} of {report.images:,} digits."
    return score_table(
        title,
        {"fixed": report.score, "float": report.reference},
        f"{agreement}\n{caption}" if caption else agreement,
    )


def layer_work_table(report: SimulationReport) -> Table:
    """Return what each layer did for one image on average, and how far its states are from floating point."""
    table = new_table(f"Work for one digit, counted over {report.images:,}")
    table.add_column("layer")
    pools = any(layer.counts.comparisons or layer.counts.additions for layer in report.layers)
    for heading in (
        "connec-\ntions",
        "MACs",
        "on\nborder",
        "zero\nweight",
        *(("in\npools",) if pools else ()),
        "satu-\nrated",
        "over-\nflows",
        "SQNR",
    ):
        table.add_column(heading, justify="right")
    rows = [_counts(layer, pools) for layer in report.layers]
    for layer, row in zip(report.layers, rows, strict=True):
        table.add_row(
            layer.layer,
            f"{layer.connections:,}",
            *(_per_image(count, report.images) for count in row),
            "–" if layer.sqnr_db is None else f"{layer.sqnr_db:.1f} dB",
        )
    totals = [sum(column) for column in zip(*rows, strict=True)]
    connections = sum(layer.connections for layer in report.layers)
    cells = (_per_image(count, report.images) for count in totals)
    table.add_row("total", f"{connections:,}", *cells, "", style="bold")
    return table


def bounds_of(report: SimulationReport) -> dict[str, tuple[int, int]]:
    """Return for each layer the proved bound of its sums, and the bits of the word that holds them."""
    return {layer.layer: (layer.sum_bound, layer.sum_word_bits) for layer in report.layers}


def format_table(plan: PrecisionPlan, bounds: Mapping[str, tuple[int, int]]) -> Table:
    """Return every format with its range and step; `bounds` are those of exact sums: see `bounds_of`."""
    table = new_table("Formats", "s8.6 is signed, 8 bits with the sign, 6 of them behind the binary point.")
    table.add_column("layer")
    table.add_column("what")
    table.add_column("format")
    table.add_column("range", justify="right")
    table.add_column("step", justify="right")
    for row in plan.describe():
        if row.minimum is None or row.maximum is None or row.step is None:
            bound, word = bounds[row.layer]
            table.add_row(row.layer, "sum", "exact", f"|sum| ≤ {bound:,}", f"in {word} bits: proved")
        else:
            ends = f"{_number(row.minimum)} … {_number(row.maximum)}"
            step = _step(row.step) if row.largest_step is None else f"{row.step:.3g} – {row.largest_step:.3g}"
            table.add_row(row.layer, ROLES.get(row.role, row.role), row.text, ends, step)
    return table


def _number(value: float) -> str:
    """Return a number of a dyadic format in full, another one with six digits."""
    return f"{value:.10g}" if value == round(value * 2**24) / 2**24 else f"{value:.6g}"


def _step(step: float) -> str:
    mantissa, exponent = frexp(step)
    return f"2^{exponent - 1}" if mantissa == 0.5 else f"{step:.4g}"


def _counts(layer: LayerReport, pools: bool) -> tuple[int, ...]:
    counts = layer.counts
    return (
        counts.macs,
        counts.border_macs,
        counts.zero_macs,
        *((counts.comparisons + counts.additions,) if pools else ()),
        counts.saturations,
        counts.overflows + counts.preactivation_overflows,
    )


def _per_image(count: int, images: int) -> str:
    whole, rest = divmod(count, images)
    return f"{whole:,}" if rest == 0 else f"{count / images:,.2f}"


def to_json(report: SimulationReport) -> dict[str, Any]:
    """Return the fields of the JSON object; counts of layers are for one image where they do not vary."""
    layers = [
        {
            "name": layer.layer,
            "connections": layer.connections,
            "macs": layer.counts.macs // report.images,
            "border_macs": layer.counts.border_macs // report.images,
            "zero_macs": layer.counts.zero_macs // report.images,
            "comparisons": layer.counts.comparisons // report.images,
            "additions": layer.counts.additions // report.images,
            "saturations": layer.counts.saturations,
            "overflows": layer.counts.overflows,
            "preactivation_overflows": layer.counts.preactivation_overflows,
            "weight_reads": layer.counts.weight_reads // report.images,
            "state_reads": layer.counts.state_reads // report.images,
            "state_writes": layer.counts.state_writes // report.images,
            "sqnr_db": layer.sqnr_db,
            "sum_bound": layer.sum_bound,
            "sum_word_bits": layer.sum_word_bits,
        }
        for layer in report.layers
    ]
    return {
        **msgspec.to_builtins(report.score),
        "float": msgspec.to_builtins(report.reference),
        "agreement": report.agreement,
        "agreements": report.agreements,
        "macs": sum(layer["macs"] for layer in layers),
        "connections": sum(layer["connections"] for layer in layers),
        "clipped_pixels": report.clipped_pixels,
        "layers": layers,
        "formats": [msgspec.to_builtins(row) for row in report.plan.describe()],
        "warnings": list(report.warnings),
    }
