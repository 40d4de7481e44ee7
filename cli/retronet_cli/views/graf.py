"""The first method on Graf's chip, as tables."""

from rich.table import Table

from hw_sim.chips.graf54.report import GrafReport
from retronet_cli.views.quantities import duration, passes_named, plain, quantity_range
from retronet_cli.views.scores import add_numbers, new_table, score_table


def rejection_table(report: GrafReport, notice: str | None) -> Table:
    """Return the scores of the network on the chip's features, and of the same on pixels."""
    on = f"{report.test.n:,} test digits of {report.data.name}"
    title = f"A network behind the chip's {report.inputs} features, on {on}"
    caption = (
        f"Features: {report.maps} maps from {report.feature_templates} templates, after thinning with "
        f"{report.thinning_templates}. Pixels: the same network on black and white pictures. "
        f"Both were trained for {passes_named(report.options.passes)} with seed {report.seed}."
    )
    scores = {"features": report.test, "pixels": report.bitmap_test}
    return score_table(title, scores, f"{caption}\n{notice}" if notice else caption)


def drawn_table(report: GrafReport) -> Table:
    """Return what chips with errors of their own give, one row a chip."""
    table = new_table(
        f"Drawn chips before that network, on {report.test.n:,} digits",
        "Changed: against the chip without errors, which the network was trained behind.",
    )
    add_numbers(
        table, "chip", "changed\nfeatures\n%", "changed\nanswers", "misses", "error\n%", "95 %\ninterval"
    )
    for chip in report.chips:
        score = chip.test
        table.add_row(
            str(chip.chip),
            f"{chip.differing_features_percent:.1f}",
            f"{chip.differing_answers:,}",
            f"{score.misses:,}",
            f"{score.error_percent:.2f}",
            f"{score.error_percent_low:.2f}–{score.error_percent_high:.2f}",
        )
    return table


def published_features_table(report: GrafReport) -> Table:
    """Return the method's published figures beside those found."""
    caption = "Found with other digits, templates of this project and another training than in 1988."
    table = new_table("The method's published figures beside those found here", caption)
    table.add_column("figure")
    add_numbers(table, "published", "found", "95 %\ninterval")
    for figure in report.figures:
        interval = "–" if figure.low is None or figure.high is None else f"{figure.low:.2f}–{figure.high:.2f}"
        published = quantity_range(figure.published_low, figure.published_high, "")
        table.add_row(f"{figure.what} ({figure.source})", published, plain(figure.found), interval)
    return table


def feature_work_table(report: GrafReport) -> Table:
    """Return the calls of the chip for one digit, and the time that they would take."""
    work = report.work
    caption = "Modelled, not measured: calls alone, at the chip's published time for one."
    table = new_table("Calls of the chip for one digit, the mean over all", caption)
    add_numbers(
        table, "scans to\nthin", "most", "calls to\nthin", "calls for\nfeatures", "modelled\ntime",
        "modelled\ndigits/s",
    )  # fmt: skip
    table.add_row(
        f"{work.scans:.2f}",
        str(work.most_scans),
        f"{work.thinning_calls:,.0f}",
        f"{work.feature_calls:,}",
        duration(work.modelled_chip_s),
        plain(work.modelled_images_per_s),
    )
    return table
