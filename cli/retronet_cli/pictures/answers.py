"""Pictures of answers: confusion, mistakes and surest answers as digits, what rejecting some gains."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retronet_cli.pictures.paper import (
    THEMES,
    ThemeName,
    legend_above,
    mark,
    new_figure,
    note,
    on_paper,
    one_axes,
    show_plane,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from retronet.analyse import Analysis, Answer
    from retronet.evaluate import RejectionCurve

ALLOWED = 1.0
"""Percent of errors that the papers allow on the digits that are kept."""


def confusion_figure(runs: "Mapping[str, Analysis]", theme: ThemeName = "light") -> "Figure":
    """Return how often each digit is taken for each other, one square of counts a run."""
    with on_paper(theme) as colours:
        from matplotlib.colors import LinearSegmentedColormap

        columns = min(2, len(runs))
        rows = -(-len(runs) // columns)
        figure = new_figure(4.6 * columns, 0.2 + 4.3 * rows)
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
        for panel in panels[len(runs) :]:
            panel.set_visible(False)
        for panel, (name, analysis) in zip(panels, runs.items(), strict=False):
            counts = np.array(analysis.confusion)
            wrong = counts - np.diag(np.diag(counts))
            most = max(int(wrong.max()), 1)
            shades = LinearSegmentedColormap.from_list("shades", [colours.paper, colours.ink])
            # The darkest is far enough from the ink for the counts on it to be read.
            panel.imshow(wrong, cmap=shades, vmin=0, vmax=2.7 * most)
            for label, row in enumerate(counts):
                for answer, count in enumerate(row):
                    if count:
                        panel.text(
                            answer, label, f"{count}", ha="center", va="center", fontsize="x-small",
                            weight="bold" if label == answer else "normal", color=colours.ink,
                        )  # fmt: skip
            ticks = range(len(counts))
            panel.set_xticks(ticks)
            panel.set_yticks(ticks)
            panel.grid(visible=False)
            panel.set_xlabel("answer")
            panel.set_ylabel("digit")
            panel.set_title(f"{name}: {analysis.top1_misses:,} of {analysis.n:,} misread")
        note(figure, "Counts of test digits; right answers in bold, shades are of mistakes.")
        return figure


def answers_figure(
    images: "NDArray[Any]", answers: "Sequence[Answer]", title: str, theme: ThemeName = "light"
) -> "Figure":
    """Return digits with what they are and what they were taken for, in the order given.

    Parameters
    ----------
    images
        All digits (n, rows, columns); an answer names its own by index.
    answers
        Which to draw, 40 at most.
    title
        What they are.
    theme
        Light or dark.
    """
    chosen = list(answers)[:40]
    columns = min(8, max(len(chosen), 1))
    rows = max(1, -(-len(chosen) // columns))
    with on_paper(theme):
        figure = new_figure(0.4 + 0.95 * max(columns, 5), 0.8 + 1.3 * rows)
        for number, each in enumerate(chosen):
            panel = figure.add_subplot(rows, columns, number + 1)
            image = images[each.index]
            show_plane(panel, image, float(image.min()), float(image.max()))
            words = f"{each.label}" if each.label == each.answer else f"{each.label} as {each.answer}"
            panel.set_title(words, fontsize="small")
            panel.set_xlabel(f"no. {each.index}\n{each.difference:.2f}", fontsize="x-small")
        figure.suptitle(title, fontsize="medium")
        note(figure, "Below each: its number in the set, and how far the two largest outputs are apart.")
        return figure


def rejection_figure(runs: "Mapping[str, RejectionCurve]", theme: ThemeName = "light") -> "Figure":
    """Return the error on the digits kept against the share rejected, the 1 % point of each run marked."""
    with on_paper(theme):
        figure, axes = one_axes(6.4, 4.2)
        for number, (name, curve) in enumerate(runs.items()):
            style = mark(theme, number)
            step = style | {"marker": "", "drawstyle": "steps-post"}
            axes.plot(curve.rejected_percent, curve.error_percent, label=name, **step)
            point = curve.reject_percent_at_1_percent_error
            axes.plot(
                [point], [ALLOWED], style["marker"], color=style["color"], markersize=8,
                label=f"{point:.1f} % rejected, 1 % of the rest misread",
            )  # fmt: skip
        axes.axhline(ALLOWED, color=THEMES[theme].ink, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlim(
            0, min(100.0, max(2.5 * each.reject_percent_at_1_percent_error for each in runs.values()) or 100)
        )
        axes.set_ylim(bottom=0)
        axes.set_xlabel("test digits rejected (%)")
        axes.set_ylabel("misread of the rest (%)")
        legend_above(figure, axes)
        note(
            figure,
            "Rejected where the two largest outputs are least apart; thresholds chosen on these very digits.",
        )
        return figure
