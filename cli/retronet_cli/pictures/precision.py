"""Pictures of precision: error against bits, noise and saturation by layer, levels in use, bit budgets."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from retronet_cli.pictures.paper import (
    THEMES,
    ThemeName,
    legend_above,
    mark,
    new_figure,
    note,
    on_paper,
    one_axes,
    plain_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hw_sim.fixed_point.simulate import SimulationReport
    from hw_sim.studies.allocator import Estimate
    from hw_sim.studies.level_counts import LevelCounts
    from hw_sim.studies.points import Point, SweepRow
    from retronet.evaluate import Score

GROUPS = {"all": "weights and states"}
HATCHES = ("", "//", "..", "xx", "\\\\", "--", "||")
"""One more than there are colours: many bars differ in one or the other."""
MOST_LEVELS = 64
"""Levels that are drawn one by one; of more, neighbours share a bar."""
MOST_NAMES = 6
"""Layers whose names stand side by side."""


def bits_figure(
    runs: "Mapping[str, tuple[Sequence[SweepRow], Score]]", theme: ThemeName = "light"
) -> "Figure":
    """Return the error against the number of bits with 95 % intervals, floating point as a level line.

    Parameters
    ----------
    runs
        For each run, by what the legend calls it, rows of its sweep and its score in floating point.
    theme
        Light or dark.
    """
    with on_paper(theme):
        figure, axes = one_axes(6.8, 4.3)
        number, count = 0, sum(len(_by_series(rows)) for rows, _ in runs.values())
        for index, (name, (rows, floating)) in enumerate(runs.items()):
            prefix = f"{name}: " if len(runs) > 1 else ""
            for words, of_series in _by_series(rows).items():
                of_series = sorted(of_series, key=lambda row: row.point.bits)
                aside = 0.06 * (number - (count - 1) / 2)
                scores = [row.score for row in of_series]
                axes.errorbar(
                    [row.point.bits + aside for row in of_series],
                    [score.error_percent for score in scores],
                    yerr=[
                        [score.error_percent - score.error_percent_low for score in scores],
                        [score.error_percent_high - score.error_percent for score in scores],
                    ],
                    label=prefix + words, capsize=2.5, elinewidth=0.9, **mark(theme, number),
                )  # fmt: skip
                number += 1
            axes.axhline(
                floating.error_percent, color=THEMES[theme].ink, linewidth=1, linestyle=(0, (6, 2 + index)),
                label=f"{prefix}floating point, {floating.error_percent:.2f} %",
            )  # fmt: skip
        axes.set_yscale("log")
        plain_ticks(axes)
        axes.set_xticks(sorted({row.point.bits for rows, _ in runs.values() for row in rows}))
        axes.set_xlabel("bits, the sign counted")
        axes.set_ylabel("test digits misread (%)")
        legend_above(figure, axes, "bits of")
        note(figure, "Bars are Wilson's 95 % intervals; points side by side have the same number of bits.")
        return figure


def _by_series(rows: "Sequence[SweepRow]") -> "dict[str, list[SweepRow]]":
    """Return rows by all of their point but the bits, named by what differs between them."""
    series: dict[str, list[SweepRow]] = {}
    several = {
        key: len({str(getattr(row.point, key)) for row in rows}) > 1 for key in ("rounding", "scale", "seed")
    }
    for row in rows:
        series.setdefault(_named(row.point, several), []).append(row)
    return series


def _named(point: "Point", several: Mapping[str, bool]) -> str:
    words = [GROUPS.get(point.tensors, point.tensors)]
    words += [str(point.rounding)] if several["rounding"] else []
    words += [point.scale] if several["scale"] else []
    words += [f"seed {point.seed}"] if several["seed"] else []
    return ", ".join(words)


def noise_figure(reports: "Mapping[str, SimulationReport]", theme: ThemeName = "light") -> "Figure":
    """Return signal over quantisation noise and saturated states of each layer, one group of bars a report.

    Parameters
    ----------
    reports
        By what the legend calls them, such as ``6 bits``; of networks with the same layers.
    theme
        Light or dark.
    """
    with on_paper(theme) as colours:
        figure = new_figure(7.2, 3.8)
        left, right = figure.subplots(1, 2)
        names = list(dict.fromkeys(layer.layer for report in reports.values() for layer in report.layers))
        sharing = {
            name: [
                words for words, report in reports.items() if name in {each.layer for each in report.layers}
            ]
            for name in names
        }
        wide = 0.8 / max(map(len, sharing.values()))
        for number, (words, report) in enumerate(reports.items()):
            layers = {layer.layer: layer for layer in report.layers}
            places = [
                index + (sharing[name].index(words) - (len(sharing[name]) - 1) / 2) * wide
                for index, name in enumerate(names)
                if name in layers
            ]
            style = {
                "width": 0.92 * wide,
                "color": colours.lines[number % len(colours.lines)],
                "edgecolor": colours.paper,
                "hatch": HATCHES[number % len(HATCHES)],
            }
            shown = [layers[name] for name in names if name in layers]
            units = [layer.counts.state_writes for layer in shown]
            left.bar(places, [layer.sqnr_db or 0.0 for layer in shown], label=words, **style)
            shares = [100 * layer.counts.saturations / n for layer, n in zip(shown, units, strict=True)]
            right.bar(places, shares, label=words, **style)
        for panel in (left, right):
            panel.set_xticks(range(len(names)), names, rotation=90 if len(names) > MOST_NAMES else 0)
            panel.grid(visible=False, axis="x")
            panel.set_xlabel("layer")
        left.set_ylabel("signal over quantisation noise (dB)")
        right.set_ylabel("states beyond their format (%)")
        right.set_ylim(bottom=0)
        if not any(layer.counts.saturations for report in reports.values() for layer in report.layers):
            right.set_ylim(0, 1)
            right.text(0.5, 0.5, "No state left its format.", transform=right.transAxes, ha="center")
        legend_above(figure, left)
        return figure


def levels_figure(counts: "Sequence[LevelCounts]", title: str, theme: ThemeName = "light") -> "Figure":
    """Return how often each level of a format is taken, a row for each layer: weights left, states right."""
    columns = min(2, len(counts))
    layers = list(dict.fromkeys(map(_layer_of, counts)))
    rows = len(layers)
    with on_paper(theme) as colours:
        figure = new_figure(7.2, 0.8 + 1.75 * rows)
        panels = figure.subplots(rows, columns, squeeze=False)
        for panel in panels.flat:
            panel.set_visible(False)
        for each in counts:
            made = each.tensor.endswith(" states")
            panel = panels[layers.index(_layer_of(each)), columns - 1 if made else 0]
            panel.set_visible(True)
            if each.levels_available is None:
                panel.hist(each.values, MOST_LEVELS, weights=_shares(each), color=colours.lines[0])
                panel.set_title(f"{each.tensor}: {each.text}, {each.used:,} values", fontsize="small")
                panel.set_ylim(bottom=0)
                continue
            heading = f"{each.tensor}: {each.text}, {each.used:,} of {each.levels_available:,} levels used"
            places = round((each.maximum - each.minimum) / each.step) + 1
            if each.levels_available > MOST_LEVELS:
                heading += _bars_of_neighbours(panel, each, places, colours.lines[0])
            elif places > MOST_LEVELS:
                _bars_in_a_row(panel, each, colours.lines[0])
            else:
                panel.bar(each.values, _shares(each), width=0.8 * each.step, color=colours.lines[0])
                panel.set_xlim(each.minimum - each.step, each.maximum + each.step)
            panel.set_title(heading, fontsize="small")
            panel.set_ylim(bottom=0)
        figure.supxlabel("value", fontsize="medium")
        figure.supylabel("share of the numbers (%)", fontsize="medium")
        figure.suptitle(title, fontsize="medium")
        return figure


def _layer_of(counts: "LevelCounts") -> str:
    return counts.tensor.rpartition(" ")[0]


def _shares(counts: "LevelCounts") -> list[float]:
    return [100 * count / counts.total for count in counts.counts]


def _bars_of_neighbours(panel: "Axes", counts: "LevelCounts", places: int, colour: str) -> str:
    """Draw bars that neighbouring levels share, and return how wide they are, for the title."""
    per = -(-places // MOST_LEVELS)
    wide = per * counts.step
    heights = [0.0] * -(-places // per)
    for value, share in zip(counts.values, _shares(counts), strict=True):
        heights[round((value - counts.minimum) / counts.step) // per] += share
    lefts = [counts.minimum + index * wide for index in range(len(heights))]
    panel.bar(lefts, heights, width=wide, align="edge", color=colour)
    panel.set_xlim(counts.minimum, lefts[-1] + wide)
    return f"\nbars of {per:,} steps"


def _bars_in_a_row(panel: "Axes", counts: "LevelCounts", colour: str) -> None:
    """Draw levels that lie at very unequal distances, such as powers of two, side by side."""
    places = range(len(counts.values))
    panel.bar(places, _shares(counts), width=0.8, color=colour)
    every = 1 if len(places) <= 9 else 2 if len(places) <= 20 else 8
    panel.set_xticks(places[::every], [_level(value) for value in counts.values[::every]], fontsize="small")
    panel.grid(visible=False, axis="x")


def _level(value: float) -> str:
    """Return a level as text, powers of two as such."""
    part, power = math.frexp(abs(value))
    if part == 0.5 and abs(value) != 1:
        return f"${'-' * (value < 0)}2^{{{power - 1}}}$"
    return f"{value:.3g}".replace("-", "−")


def allocation_figure(
    runs: "Mapping[str, tuple[Sequence[Estimate], float]]", theme: ThemeName = "light"
) -> "Figure":
    """Return the rise of the loss that second derivatives predict beside the measured one.

    Parameters
    ----------
    runs
        For each run, by what the legend calls it, its estimates and its loss in floating point.
    theme
        Light or dark.
    """
    with on_paper(theme) as colours:
        figure, axes = one_axes(5.6, 5.2)
        low, high, hidden = float("inf"), 0.0, 0
        for index, (name, (estimates, loss)) in enumerate(runs.items()):
            prefix = f"{name}: " if len(runs) > 1 else ""
            for number, width in enumerate(sorted({each.bits for each in estimates})):
                chosen = [each for each in estimates if each.bits == width]
                shown = [each for each in chosen if each.predicted > 0 and each.measured > 0]
                hidden += len(chosen) - len(shown)
                x = [100 * each.predicted / loss for each in shown]
                y = [100 * each.measured / loss for each in shown]
                if not shown:
                    continue
                style = mark(theme, number + index) | {"linestyle": ""}
                axes.plot(x, y, label=f"{prefix}{width} bits", **style)
                low, high = min(low, *x, *y), max(high, *x, *y)
        if high > 0:
            low, high = low / 2, high * 2
            ends = [low, high]
            axes.plot(ends, ends, color=colours.ink, linewidth=1, marker="", label="as predicted")
            axes.fill_between(
                ends, [low / 2, high / 2], [2 * low, 2 * high],
                color=colours.faint, alpha=0.5, linewidth=0, label="within a factor of two",
            )  # fmt: skip
            axes.set_xlim(low, high)
            axes.set_ylim(low, high)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rise of the loss, predicted (% of floating point)")
        axes.set_ylabel("rise of the loss, measured (% of floating point)")
        if high > 0:
            legend_above(figure, axes)
        if hidden:
            note(figure, f"One point a tensor. Not drawn: {hidden} whose measured loss did not rise.")
        else:
            note(figure, "One point a tensor.")
        return figure
