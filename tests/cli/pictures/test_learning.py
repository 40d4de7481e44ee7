"""The numbers in the pictures of learning are those of the records."""

import numpy as np
import pytest
from msgspec.structs import replace

from retronet.studies.digitised import CurvePoint, digitised_curve
from retronet.training.rate_range import RatePoint
from retronet.training.snapshots import Snapshot, Summary
from retronet.training.train import PassRecord
from retronet_cli.pictures.learning import curve_figure, history_figure, rates_figure
from retronet_cli.pictures.paper import svg

from .conftest import score_of

RECORDS = [
    PassRecord(
        number, 200 * number, 0.01, 0.1, score_of(20 - number), score_of(30 - number, half_mse=0.03 / number)
    )
    for number in (1, 2, 3)
]


def test_the_curve_has_each_pass_and_each_point_of_the_paper() -> None:
    figure = curve_figure({"one": RECORDS, "two": RECORDS[:2]}, digitised_curve())
    left, right = figure.axes
    lines = {line.get_label(): line.get_xydata() for line in left.lines}

    assert list(lines["one, test"][:, 0]) == [1, 2, 3]
    assert list(lines["one, test"][:, 1]) == [record.test.error_percent for record in RECORDS]
    assert list(lines["two, training"][:, 1]) == [record.train.error_percent for record in RECORDS[:2]]
    paper = {tuple(pair) for label, pairs in lines.items() if label.startswith("1989") for pair in pairs}
    points = digitised_curve()
    assert paper == {(p.number, p.error_percent) for p in points if p.error_percent is not None}
    squared = {line.get_label(): line.get_xydata()[:, 1] for line in right.lines}
    assert list(squared["one, test"]) == [record.test.half_mse for record in RECORDS]
    assert "%" in left.get_ylabel()
    assert svg(figure) == svg(curve_figure({"one": RECORDS, "two": RECORDS[:2]}, digitised_curve()))


def test_without_points_no_paper_is_named() -> None:
    assert "1989" not in " ".join(line.get_label() for line in curve_figure({"one": RECORDS}).axes[0].lines)


def test_the_recipe_s_own_loss_stands_where_there_are_no_squares() -> None:
    train, test = (replace(score_of(4, half_mse=None), loss=loss) for loss in (18.8, 22.6))
    figure = curve_figure({"one": [PassRecord(1, 200, 0.01, 0.1, train, test)]}, step="stage of pruning")

    right = figure.axes[1]
    assert [list(line.get_ydata()) for line in right.lines] == [[18.8], [22.6]]
    assert "unit of the recipe" in right.get_ylabel()
    assert {axes.get_xlabel() for axes in figure.axes} == {"stage of pruning"}
    svg(figure)
    assert all(float(tick).is_integer() for axes in figure.axes for tick in axes.get_xticks())


def test_without_any_loss_the_error_stands_alone() -> None:
    bare = [PassRecord(1, 200, 0.01, 0.1, score_of(0, half_mse=None), score_of(3, half_mse=None))]
    figure = curve_figure({"one": bare}, [CurvePoint(1, "test", None, 8.8)])

    assert len(figure.axes) == 1
    assert [line.get_label() for line in figure.axes[0].lines] == ["one, test", "1989 paper's plot, test"]
    svg(figure)


def test_passes_without_a_mistake_are_spoken_of() -> None:
    faultless = [PassRecord(1, 200, 0.01, 0.1, score_of(0), score_of(3))]

    assert "without a mistake" in curve_figure({"one": faultless}).get_supxlabel()
    assert "without a mistake" not in curve_figure({"one": RECORDS}, digitised_curve()).get_supxlabel()


def test_a_long_history_is_drawn_in_medians() -> None:
    snapshots = [
        Snapshot(1, step, *({"h1": Summary(0.0, spread, 9.0)} for _ in range(3)))
        for step, spread in enumerate([1.0, 7.0, 2.0] * 34, 1)
    ]
    figure = history_figure({"mine": snapshots})

    np.testing.assert_array_equal(
        figure.axes[0].lines[0].get_xydata(), [[3 * lot + 2, 2] for lot in range(34)]
    )
    assert "the median of 3 snapshots" in figure.get_supxlabel()


def test_rates_end_where_the_loss_does() -> None:
    points = [RatePoint(1e-3, 2.0), RatePoint(1e-2, 0.5), RatePoint(1e-1, float("inf"))]
    axes = rates_figure({"mine": points}, 64).axes[0]

    assert list(axes.lines[0].get_ydata()) == [2.0, 0.5]
    assert list(axes.lines[1].get_xydata()[0]) == [1e-2, 0.5]
    assert "64 digits" in axes.get_ylabel()
    assert svg(rates_figure({"mine": points}, 64)) == svg(rates_figure({"mine": points}, 64))


@pytest.mark.parametrize("runs", [1, 2])
def test_history_draws_the_spread_of_each_layer(runs: int) -> None:
    def summary(spread: float) -> Summary:
        return Summary(0.0, spread, 2 * spread)

    snapshots = [
        Snapshot(
            1, step, {"h1": summary(step)}, {"h1.weight": summary(2 * step), "h1.bias": summary(9)},
            {"h1.weight": summary(3 * step), "h1.bias": summary(9)},
        )
        for step in (10, 20)
    ]  # fmt: skip
    figure = history_figure({f"run {number}": snapshots for number in range(runs)}, "dark")

    assert len(figure.axes) == 3 * runs
    for axes, factor in zip(figure.axes, (1, 3, 2) * runs, strict=True):
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xydata(), [[10, 10 * factor], [20, 20 * factor]])
    if runs == 1:
        assert svg(figure) == svg(history_figure({"run 0": snapshots}, "dark"))
