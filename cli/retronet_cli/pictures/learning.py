"""Pictures of learning: the curve beside the paper's, the search for a rate, what happens inside."""

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
    from matplotlib.figure import Figure

    from retronet.studies.digitised import CurvePoint
    from retronet.training.rate_range import RatePoint
    from retronet.training.snapshots import Snapshot
    from retronet.training.train import PassRecord

LOSSES = {"half_mse": "half mean squared error, ½(d − y)²", "loss": "mean loss, in the unit of the recipe"}
HALVES = {"train": "training", "test": "test"}
MOST_POINTS = 40
"""Points of a line of the history."""


def curve_figure(
    runs: "Mapping[str, Sequence[PassRecord]]",
    paper: "Sequence[CurvePoint]" = (),
    theme: ThemeName = "light",
    step: str = "pass over the training digits",
) -> "Figure":
    """Return error rate and half MSE after each pass, of the training and the test digits.

    Where no run learnt from squared errors the right panel has the loss of the recipe; without any, there is
    none.

    Parameters
    ----------
    runs
        The records of each run, by what the legend calls it.
    paper
        Points of the 1989 paper to set beside them.
    theme
        Light or dark.
    step
        What the records are counted in.
    """
    ink = THEMES[theme].ink
    scores = [getattr(each, half) for records in runs.values() for each in records for half in HALVES]
    losses = [key for key in LOSSES if any(getattr(score, key) is not None for score in scores)][:1]
    with on_paper(theme):
        from matplotlib.ticker import MaxNLocator

        figure = new_figure(7.2, 3.9)
        axes = figure.subplots(1, 1 + len(losses), squeeze=False)[0]
        faultless = False
        for panel, key in zip(axes, ("error_percent", *losses), strict=True):
            for number, (name, records) in enumerate(runs.items()):
                for half, words in HALVES.items():
                    pairs = [(each.number, getattr(getattr(each, half), key)) for each in records]
                    faultless |= any(y == 0 for _, y in pairs)
                    pairs = [(x, y) for x, y in pairs if y is not None and y > 0]
                    if not pairs:
                        continue
                    style = mark(theme, number) | {"linestyle": "-" if half == "test" else (0, (4, 1.5))}
                    style |= {} if half == "test" else {"markerfacecolor": THEMES[theme].paper}
                    label = f"{name}, {words}"
                    panel.plot(*zip(*pairs, strict=True), label=label, markevery=_every(len(pairs)), **style)
            for half, marker in (("train", "x"), ("test", "+")):
                points = [
                    (each.number, getattr(each, key))
                    for each in paper
                    if each.digits == half and getattr(each, key, None) is not None
                ]
                if points:
                    label = f"1989 paper's plot, {HALVES[half]}"
                    panel.plot(
                        *zip(*points, strict=True), marker, color=ink, markersize=7, label=label, zorder=3
                    )
            panel.set_yscale("log")
            panel.set_xlabel(step)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            plain_ticks(panel)
            panel.set_ylabel(LOSSES.get(key, "digits misread (%)"))
        legend_above(figure, next((each for each in axes if each.get_legend_handles_labels()[0]), axes[0]))
        notes = [
            "Crosses are read off the scanned plots of LeCun et al. (1989), to about ±5 %." if paper else "",
            "Passes without a mistake have no place on a logarithmic axis." if faultless else "",
        ]
        if any(notes):
            note(figure, "\n".join(filter(None, notes)))
        return figure


def _every(count: int) -> int:
    return max(1, count // 12)


def rates_figure(
    series: "Mapping[str, Sequence[RatePoint]]", lot: int, theme: ThemeName = "light"
) -> "Figure":
    """Return the loss of small lots while the rate grows, one line a recipe; its least is marked."""
    with on_paper(theme):
        figure, axes = one_axes()
        for number, (name, points) in enumerate(series.items()):
            finite = [each for each in points if abs(each.loss) < float("inf")]
            best = min(finite, key=lambda each: each.loss)
            style = mark(theme, number)
            rates, losses = [each.rate for each in finite], [each.loss for each in finite]
            axes.plot(rates, losses, label=name, **(style | {"markersize": 2.5}))
            axes.plot(
                [best.rate], [best.loss], style["marker"], color=style["color"], markersize=9,
                label=f"least of {name}: {best.loss:.3g} at {best.rate:.2g}",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("rate of learning")
        axes.set_ylabel(f"mean loss of {lot} digits, each before its step")
        legend_above(figure, axes)
        return figure


def history_figure(runs: "Mapping[str, Sequence[Snapshot]]", theme: ThemeName = "light") -> "Figure":
    """Return the spread of activations, gradients and parameters while a network learns, a panel each.

    Of many snapshots each point is the median of neighbours: lines of single ones would hide each other.
    """
    import numpy as np

    of = max(-(-len(snapshots) // MOST_POINTS) for snapshots in runs.values())
    kinds = {
        "activations": "activations, by layer",
        "gradients": "gradients of the mean loss",
        "parameters": "parameters",
    }
    with on_paper(theme):
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        figure = new_figure(7.2, 2.3 + 2.6 * len(runs))
        panels = figure.subplots(len(runs), 3, squeeze=False)
        for panel, words in zip(panels[0], kinds.values(), strict=True):
            panel.set_title(words)
        for row, (name, snapshots) in zip(panels, runs.items(), strict=True):
            for panel, kind in zip(row, kinds, strict=True):
                names = [each for each in getattr(snapshots[0], kind) if not each.endswith(".bias")]
                for number, part in enumerate(names):
                    lots = [snapshots[start : start + of] for start in range(0, len(snapshots), of)]
                    steps = [float(np.median([each.step for each in lot])) for lot in lots]
                    spread = [
                        float(np.median([getattr(each, kind)[part].deviation for each in lot]))
                        for lot in lots
                    ]
                    style = mark(theme, number) | {"markersize": 3.5}
                    label = part.removesuffix(".weight")
                    panel.plot(steps, spread, label=label, markevery=_every(len(steps)), **style)
                panel.set_yscale("log")
                plain_ticks(panel)
                panel.set_xlabel("steps")
                panel.xaxis.set_major_locator(MaxNLocator(3))
                panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            row[0].set_ylabel(f"{name}\nstandard deviation")
        legend_above(figure, panels[0][0], "layer")
        if of > 1:
            note(figure, f"Each point is the median of {of} snapshots that follow each other.")
        return figure
