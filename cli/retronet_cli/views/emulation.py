"""A network in the DSP-32C's arithmetic beside IEEE floating point, as tables."""

from rich.table import Table

from hw_sim.chips.dsp32c.report import Drift, DspReport
from retronet_cli.views.scores import add_numbers, new_table, score_table


def answers_table(title: str, report: DspReport, notice: str | None) -> Table:
    """Return the scores of both arithmetics, and how many answers differ."""
    apart = f"{report.max_abs_output_difference:.2e}"
    differ = (
        f"{report.differing_answers:,} of {report.images:,} answers differ; outputs lie at most {apart} "
        f"apart. IEEE: single precision. Tanh: {report.tanh}."
    )
    scores = {"DSP-32C": report.dsp32c, "IEEE": report.ieee_single}
    return score_table(title, scores, f"{differ}\n{notice}" if notice else differ)


def drift_table(report: DspReport) -> Table:
    """Return how far the states of each layer lie from double precision, in both arithmetics."""
    caption = (
        "Mean: a bias, as truncating stores leave one. IEEE holds the error of the compiled tanh, up to 4e-7."
    )
    table = new_table("Drift of the states from double precision", caption)
    table.add_column("layer")
    add_numbers(table, "DSP-32C\nfarthest", "\nmean", "\nrms", "IEEE single\nfarthest", "\nmean", "\nrms")
    for layer in report.layers:
        table.add_row(layer.layer, *_cells(layer.dsp32c), *_cells(layer.ieee_single))
    return table


def _cells(drift: Drift) -> tuple[str, str, str]:
    return f"{drift.max_abs:.2e}", f"{drift.mean:+.1e}", f"{drift.rms:.1e}"
