"""Deleted parameters, what that does and what it spares, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from retronet.evaluate import wilson_percent
from retronet.training.pruning import Deletions
from retronet_cli.views.quantities import passes_named, plain
from retronet_cli.views.scores import add_numbers, new_table

TESTED = ("misses\ntrain", "misses\ntest", "error\n%", "95 %\ninterval")


def stages_table(
    title: str,
    stages: Sequence[Mapping[str, float]],
    digits: tuple[int, int],
    settings: Mapping[str, Any],
    notice: str | None,
) -> Table:
    """Return one row a stage, the network before them first; `digits` are those of training and test."""
    learning = "no learning on"
    if settings["passes"]:
        learning = (
            f"{passes_named(settings['passes'])} of learning on\n"
            f"after each stage, at a rate of {settings['rate']:g} that halves from pass to pass (assumed)"
        )
    caption = (
        "Predicted and measured: the rise by the deletions of a stage alone, on the\n"
        f"{digits[0]:,} training digits; loss: at its end, there. Error: of the\n"
        f"{digits[1]:,} test digits. With {learning}."
    )
    table = new_table(title, f"{caption}\n{notice}" if notice else caption)
    add_numbers(table, "dele-\nted", "pre-\ndicted", "mea-\nsured", "loss", *TESTED)
    for number, stage in enumerate(stages):
        rises = (f"{stage['predicted']:.1e}", f"{stage['measured']:.1e}") if number else ("", "")
        table.add_row(
            f"{stage['deleted']:,.0f}",
            *rises,
            f"{stage['loss']:.2e}",
            f"{stage['train_misses']:,.0f}",
            *_test(int(stage["test_misses"]), digits[1]),
        )
    return table


def deletions_table(title: str, points: Sequence[Deletions], notice: str | None) -> Table:
    """Return one row a number of deletions."""
    caption = (
        "Rises on the training digits, without learning on; the parameters of the least\n"
        "predicted rise are deleted first."
    )
    table = new_table(title, f"{caption}\n{notice}" if notice else caption)
    add_numbers(table, "dele-\nted", "pre-\ndicted", "mea-\nsured", *TESTED)
    for point in points:
        table.add_row(
            f"{point.count:,}",
            f"{point.predicted:.1e}",
            f"{point.measured:.1e}",
            f"{point.train.misses:,}",
            *_test(point.test.misses, point.test.n),
        )
    return table


def saved_table(title: str, savings: Mapping[str, Any]) -> Table:
    """Return what is left of each layer."""
    table = new_table(title)
    table.add_column("layer")
    add_numbers(table, "parameters", "left", "%", "MACs", "left", "%")
    rows = [*savings["layers"]]
    keys = ("parameters", "parameters_left", "macs", "macs_left")
    total = {"layer": "all", **{key: sum(row[key] for row in rows) for key in keys}}
    for row in (*rows, total):
        if row is total:
            table.add_section()
        table.add_row(
            row["layer"],
            f"{row['parameters']:,}",
            f"{row['parameters_left']:,}",
            _percent(row["parameters_left"], row["parameters"]),
            f"{row['macs']:,}",
            f"{row['macs_left']:,}",
            _percent(row["macs_left"], row["macs"]),
        )
    return table


def spared_table(chips: Sequence[Mapping[str, Any]]) -> Table:
    """Return what is left of the weights' bits and of the time on each chip."""
    table = new_table(
        "What that spares on each chip: modelled, for one digit",
        "Bits of the weights, and of those left; what says which are left is not counted.\n"
        "Time: a processor's program leaves deleted weights out (assumed: it is\n"
        "unrolled, so that leaving out costs nothing); an array multiplies by 0 in the\n"
        "same time. The last layer of ANNA's board is on its DSP.",
    )
    table.add_column("chip")
    add_numbers(table, "bits\na weight", "bits", "left", "ms", "left", "%")
    for each in chips:
        table.add_row(
            each["chip"],
            str(each["weight_bits_each"]),
            f"{each['weight_bits']:,}",
            f"{each['weight_bits_left']:,}",
            plain(1e3 * each["dense_s"]),
            plain(1e3 * each["skipping_s"]),
            f"{100 * each['skipping_s'] / each['dense_s']:.0f}",
        )
    return table


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"


def _test(misses: int, n: int) -> tuple[str, str, str]:
    low, high = wilson_percent(misses, n)
    return f"{misses:,}", f"{100 * misses / n:.2f}", f"{low:.2f}–{high:.2f}"
