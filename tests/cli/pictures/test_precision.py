"""The numbers in the pictures of precision are those of the records."""

import numpy as np
import pytest

from hw_sim.studies.allocator import Estimate, Tensor
from hw_sim.studies.level_counts import LevelCounts
from hw_sim.studies.points import Point, SweepRow
from retronet_cli.pictures.paper import svg
from retronet_cli.pictures.precision import allocation_figure, bits_figure, levels_figure, noise_figure

from .conftest import score_of


def row(bits: int, tensors: str, misses: int, scale: str = "power-of-two") -> SweepRow:
    return SweepRow("subject", Point(bits, tensors, scale=scale), score_of(misses), 190, 20.0, {}, {}, 0, ())


ROWS = [row(4, "all", 40), row(2, "all", 120), row(8, "all", 10), row(4, "weights", 30)]


def test_errors_and_intervals_are_those_of_the_rows() -> None:
    figure = bits_figure({"mine": (ROWS, score_of(9))})
    (axes,) = figure.axes
    all_bits, weights = axes.containers
    line, _, (bars,) = all_bits

    assert list(line.get_ydata()) == [60, 20, 5]
    assert [round(float(x)) for x in line.get_xdata()] == [2, 4, 8]
    ends = [sorted(segment[:, 1]) for segment in bars.get_segments()]
    wanted = [[r.score.error_percent_low, r.score.error_percent_high] for r in (ROWS[1], ROWS[0], ROWS[2])]
    np.testing.assert_allclose(ends, wanted)
    assert [each.get_label() for each in (all_bits, weights)] == ["weights and states", "weights"]
    level = next(each for each in axes.lines if "floating" in str(each.get_label()))
    assert set(level.get_ydata()) == {4.5}
    assert svg(figure) == svg(bits_figure({"mine": (ROWS, score_of(9))}))


def test_what_differs_between_series_is_named() -> None:
    rows = [row(4, "all", 3), row(4, "all", 4, scale="mse")]
    (axes,) = bits_figure({"a": (rows, score_of(2)), "b": (rows[:1], score_of(2))}).axes

    labels = [each.get_label() for each in axes.containers]
    assert labels == [
        "a: weights and states, power-of-two",
        "a: weights and states, mse",
        "b: weights and states",
    ]


@pytest.mark.parametrize("bits", [(4,), (3, 8)])
def test_noise_and_saturation_are_those_of_the_reports(bits: tuple[int, ...]) -> None:
    from support.small_runs import DIGITS, NETWORK, small_recipe

    from hw_sim import calibrate, simulate
    from retronet.initial import initial_parameters
    from retronet.trained import Trained

    recipe = small_recipe()
    trained = Trained(NETWORK, initial_parameters(NETWORK, recipe.initial, 3), recipe)
    reports = {
        f"{width} bits": simulate(trained, DIGITS.test, calibrate(trained, DIGITS.train, width))
        for width in bits
    }
    left, right = noise_figure(reports, "dark").axes

    for container, report in zip(left.containers, reports.values(), strict=True):
        assert [bar.get_height() for bar in container] == [layer.sqnr_db for layer in report.layers]
    for container, report in zip(right.containers, reports.values(), strict=True):
        shares = [100 * each.counts.saturations / each.counts.state_writes for each in report.layers]
        assert [bar.get_height() for bar in container] == shares
    assert [label.get_text() for label in left.get_xticklabels()] == ["a", "b", "c", "output"]


def test_levels_are_drawn_at_their_values() -> None:
    few = LevelCounts("h1 weights", "s3.1", 0.5, -2.0, 1.5, 8, (-0.5, 0.0, 1.5), (1, 2, 1))
    many = LevelCounts("h1 states", "s8.6", 2**-6, -2.0, 2 - 2**-6, 256, (0.0, 1 / 64, 0.25), (2, 1, 1))
    uneven = LevelCounts("h2 weights", "p3.0", 2**-7, -1.0, 1.0, 16, (-1.0, -(2**-7), 0.25), (1, 2, 1))
    figure = levels_figure([few, many, uneven], "levels")
    first, second, third, _ = figure.axes
    assert [each.get_visible() for each in figure.axes] == [True, True, True, False]

    bars = {round(bar.get_x() + bar.get_width() / 2, 9): bar.get_height() for bar in first.patches}
    assert bars == pytest.approx({-0.5: 25, 0.0: 50, 1.5: 25})
    assert "3 of 8 levels used" in first.get_title()
    shared = {bar.get_x(): bar.get_height() for bar in second.patches if bar.get_height()}
    assert shared == {0.0: 75, 0.25: 25}, "four levels a bar"
    assert len(second.patches) == 64
    assert second.get_title().endswith("3 of 256 levels used\nbars of 4 steps")
    assert [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in third.patches] == [
        pytest.approx(pair) for pair in ((0, 25), (1, 50), (2, 25))
    ]
    assert [label.get_text() for label in third.get_xticklabels()] == ["−1", "$-2^{-7}$", "$2^{-2}$"]
    assert figure.get_suptitle() == "levels"


def test_states_stand_right_and_what_has_no_format_in_bars_of_its_range() -> None:
    """A pool has no weights, and minus squared distances to codes are exact."""
    pool = LevelCounts("p states", "s3.1", 0.5, -2.0, 1.5, 8, (-0.5, 0.0, 1.5), (1, 2, 1))
    codes = LevelCounts("out codes", "{-1,1}", 1.0, -1.0, 1.0, 2, (-1.0, 1.0), (3, 1))
    exact = LevelCounts("out states", "exact", 0.0, -64.0, 0.0, None, (-64.0, -63.5, 0.0), (1, 2, 1))
    figure = levels_figure([pool, codes, exact], "levels")

    assert [each.get_visible() for each in figure.axes] == [False, True, True, True]
    assert [each.get_title() for each in figure.axes[1:]] == [
        "p states: s3.1, 3 of 8 levels used",
        "out codes: {-1,1}, 2 of 2 levels used",
        "out states: exact, 3 values",
    ]
    heights = [bar.get_height() for bar in figure.axes[3].patches]
    assert (heights[0], heights[-1], sum(heights)) == (75, 25, 100)
    svg(figure)


@pytest.mark.parametrize("count", [1, 5, 9])
def test_a_legend_lies_outside_and_inside_the_picture(count: int) -> None:
    """Whatever its rows need is added to the picture: it hides no point and is not cut off."""
    runs = {f"a run of some length, number {number}": (ROWS, score_of(9)) for number in range(count)}
    figure = bits_figure(runs)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    (axes,) = figure.axes
    assert len(legend.get_texts()) == 3 * count
    box, drawn = legend.get_window_extent(), axes.get_tightbbox()
    assert drawn is not None
    assert box.y0 >= drawn.y1
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1
    assert axes.get_window_extent().height > 0.4 * 4.3 * figure.dpi


def test_estimates_lie_at_their_rises_and_what_is_not_drawn_is_said() -> None:
    def estimate(bits: int, predicted: float, measured: float) -> Estimate:
        return Estimate(Tensor("h1", "weights"), bits, 0.1, predicted, measured, None, "slight")

    estimates = [estimate(2, 0.4, 0.8), estimate(4, 0.02, 0.01), estimate(4, 0.02, -0.01)]
    figure = allocation_figure({"mine": (estimates, 2.0)})
    lines = {str(line.get_label()): line.get_xydata() for line in figure.axes[0].lines}

    np.testing.assert_allclose(lines["2 bits"], [[20, 40]])
    np.testing.assert_allclose(lines["4 bits"], [[1, 0.5]])
    assert "Not drawn: 1 " in figure.get_supxlabel()
    svg(allocation_figure({"mine": ([estimate(4, 0.02, -0.01)], 2.0)}))
