"""Counts, digits and rejections in the pictures are those of the records."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from retronet.analyse import analyse
from retronet.evaluate import rejection_curve
from retronet_cli.pictures.answers import answers_figure, confusion_figure, rejection_figure
from retronet_cli.pictures.paper import ThemeName, svg


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


Outputs = tuple[np.ndarray, np.ndarray]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_confusion_has_every_count(outputs: Outputs, theme: ThemeName) -> None:
    analysis = analyse(*outputs)
    (axes,) = confusion_figure({"mine": analysis}, theme).axes
    drawn = np.zeros((10, 10), int)
    for text in axes.texts:
        answer, label = text.get_position()
        drawn[label, answer] = int(text.get_text())

    np.testing.assert_array_equal(drawn, analysis.confusion)
    shades = axes.images[0]
    for text in axes.texts:
        answer, label = map(int, text.get_position())
        paper = to_rgb(shades.to_rgba(shades.get_array()[label, answer])[:3])
        assert contrast(to_rgb(text.get_color()), paper) >= 4.5, "WCAG 2 AA"
    assert f"{analysis.top1_misses} of 300" in axes.get_title()


@pytest.mark.parametrize("most", [0, 3, 10])
def test_digits_are_drawn_with_label_and_answer(outputs: Outputs, most: int) -> None:
    analysis = analyse(*outputs, most)
    images = np.random.default_rng(1).normal(size=(300, 5, 5))
    figure = answers_figure(images, analysis.surest_wrong, "mistakes")

    assert len(figure.axes) == len(analysis.surest_wrong) == most
    for axes, each in zip(figure.axes, analysis.surest_wrong, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[each.index])
        assert axes.get_title() == f"{each.label} as {each.answer}"
        assert f"no. {each.index}" in axes.get_xlabel()
    svg(figure)


def test_rejection_runs_through_its_one_percent_point(outputs: Outputs) -> None:
    curve = rejection_curve(*outputs)
    figure = rejection_figure({"mine": curve, "again": curve})
    axes = figure.axes[0]

    np.testing.assert_array_equal(axes.lines[0].get_xdata(), curve.rejected_percent)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), curve.error_percent)
    assert list(axes.lines[1].get_xdata()) == [curve.reject_percent_at_1_percent_error]
    assert svg(figure) == svg(rejection_figure({"mine": curve, "again": curve}))
