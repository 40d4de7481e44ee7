"""The modelled time from picture to answer, as tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from retronet_cli.views.quantities import plain
from retronet_cli.views.scores import add_numbers, new_table

if TYPE_CHECKING:
    from hw_sim.chips.cost.reading import PipelineTimes, ReadingTime
    from hw_sim.chips.cost.sliding import SlidTime
    from retronet.reading.slide import SlidWork


def time_tables(times: "PipelineTimes") -> list[Table]:
    """Return a table for each board, and one of the replicated recogniser."""
    return [*map(_board_table, times.boards), _replicated_table(times)]


def _board_table(time: "ReadingTime") -> Table:
    table = new_table(
        f"From picture to answer on the board of {time.board}, for a digit: modelled, not measured",
        f"{time.digits_per_s:.3g} digits/s, {time.network_digits_per_s:.3g} digits/s normalised; bound by "
        f"{time.bound_by}; without the PC, which is assumed, by {time.board_bound_by}." + _published(time),
    )
    table.add_column("stage")
    table.add_column("machine")
    add_numbers(table, "pixels touched", "multiply-adds", "ms")
    for each in time.stages:
        pixels = f"{each.pixels:,.0f}" if each.pixels else "–"
        macs = f"{each.macs:,.0f}" if each.macs else "–"
        table.add_row(each.stage, each.machine, pixels, macs, f"{1e3 * each.seconds:.3g}")
    return table


def _published(time: "ReadingTime") -> str:
    if time.fitted_s is None or time.fitted_normalisation is None:
        return " No figure from picture to answer is published of this board."
    low, high = (1e3 * each for each in time.fitted_s)
    least, most = time.fitted_normalisation
    return (
        " Published: 10–12 digits/s, limited mainly by normalisation; more than 30 digits/s normalised (NC89 "
        f"§5.2). Fitted, not modelled: the {low:.0f}–{high:.0f} ms a digit that the published rate leaves "
        "over. If all between the two published rates, but for the PC's part, is normalisation, it takes "
        f"{least:.0f}–{most:.0f} times its modelled time."
    )


def _replicated_table(times: "PipelineTimes") -> Table:
    one = times.replicated
    table = new_table(
        "The recogniser of the ANNA board, replicated at 6 × 31 places: modelled",
        "Published: about 2 M connections (ANNA-B §5.3), 30–400 M connections/s by application (§3).",
    )
    add_numbers(table, "connections", "of separate windows", "ms", "of it last layer", "10⁶ connections/s")
    table.add_row(
        f"{one.connections:,}",
        f"{one.separate_connections:,}",
        f"{1e3 * one.seconds:.3g}",
        f"{1e3 * one.last_layer_s:.3g}",
        f"{1e-6 * one.connections_per_s:.3g}",
    )
    return table


def slid_table(title: str, work: "SlidWork", times: "Sequence[SlidTime]") -> Table:
    """Return what sliding a network saves: multiply-adds, and the modelled time of each chip."""
    table = new_table(
        title,
        f"Separate: a window by itself at each of the {work.windows:,} places. Times are modelled, not "
        "measured.",
    )
    table.add_column("what")
    add_numbers(table, "slid", "separate", "times as much")
    share = work.separate_macs / work.slid_macs
    table.add_row("multiply-adds", f"{work.slid_macs:,}", f"{work.separate_macs:,}", f"{share:.2f}")
    for each in times:
        took = plain(1e3 * each.slid_s), plain(1e3 * each.separate_s)
        table.add_row(f"ms, {each.chip}", *took, f"{each.separate_s / each.slid_s:.2f}")
    return table
