"""What a paper leaves open, as tables: means, how many seeds do as well as its run, and what differs."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.table import Table

from retronet.studies.choices import Difference, OpenChoice, figures_held
from retronet.studies.reproduce import Figure, Likelihood
from retronet.studies.seeds import Spread
from retronet_cli.views.scores import add_numbers, new_table
from retronet_cli.views.seeds import NAMES, number

DECIMALS = {"half_mse": 5}
"""Decimals of a mean; of the others one."""


def mean_table(
    chosen: Sequence[OpenChoice], spreads: Mapping[str, Mapping[str, Mapping[str, Spread]]]
) -> Table:
    """Return one row a choice: the mean over its seeds with Student's 95 % interval, figure by figure."""
    table = new_table(
        "Means over the seeds",
        "± is half of Student's 95 % interval of the mean. A squared error from other targets has another "
        "scale, and is left out.",
    )
    table.add_column("choice")
    every = max((figures_held(choice) for choice in chosen), key=len)
    add_numbers(table, "seeds", *map(_title, every))
    table.add_row("published", "1", *(number(figure.published) for figure in every))
    for choice in chosen:
        held = figures_held(choice)
        each = [
            _mean(figure, spreads[choice.name][figure.digits][figure.quantity]) if figure in held else "–"
            for figure in every
        ]
        count = spreads[choice.name]["test"]["misses"].count
        table.add_row(choice.name, f"{count:,}", *each)
    return table


def chance_table(counted: Mapping[str, Sequence[Likelihood]]) -> Table:
    """Return one row a choice: the percentage of its seeds that do as well as the published run."""
    table = new_table(
        "Seeds as good as the published run, or better, in %",
        "In brackets Wilson's 95 % interval. All: every figure at once that can be compared.",
    )
    table.add_column("choice")
    every = max(counted.values(), key=len)
    single = [each.figures[0] for each in every[:-2]]
    add_numbers(table, *map(_title, single), "both misses", "all")
    for name, likely in counted.items():
        by_figure = {each.figures[0]: each for each in likely[:-2]}
        cells = [by_figure.get(figure) for figure in single]
        table.add_row(name, *map(_share, [*cells, *likely[-2:]]))
    return table


def apart_table(parted: Sequence[Difference]) -> Table:
    """Return one row for two choices: the figures whose means differ, and the rows that do not."""
    table = new_table(
        "Which choices can be told apart",
        f"By the means of the figures named, the second's less the first's: Welch's test, corrected after "
        f"Holm for {len(parted)} comparisons, at 5 % for all of them together.",
    )
    table.add_column("choices")
    table.add_column("apart in")
    for (first, second), group in groupby(parted, key=lambda each: (each.first, each.second)):
        apart = [
            f"{_title(each.figure)} ({each.difference:+.{DECIMALS.get(each.figure.quantity, 1)}f})"
            for each in group
            if each.apart
        ]
        table.add_row(f"{first}, {second}", "; ".join(apart) or "–")
    return table


def _title(figure: Figure) -> str:
    return f"{figure.digits} {NAMES[figure.quantity]}"


def _mean(figure: Figure, over: Spread) -> str:
    places = DECIMALS.get(figure.quantity, 1)
    reach = "" if over.mean_high is None else f" ± {over.mean_high - over.mean:.{places}f}"
    return f"{over.mean:.{places}f}{reach}"


def _share(likely: Likelihood | None) -> str:
    if likely is None:
        return "–"
    return f"{likely.percent:.0f} ({likely.percent_low:.0f}–{likely.percent_high:.0f})"
