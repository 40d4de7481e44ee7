"""The paper's curves as data: in order, falling where they fall, near the figures of the text."""

from retronet.studies.digitised import digitised_curve
from retronet.studies.reproduce import published


def test_points_run_from_the_first_to_the_thirtieth_pass() -> None:
    for half in ("train", "test"):
        points = [each for each in digitised_curve() if each.digits == half]
        assert [each.number for each in points] == sorted({each.number for each in points})
        assert (points[0].number, points[-1].number) == (1, 30)
        assert all(each.half_mse is not None or each.error_percent is not None for each in points)


def test_learning_goes_on_to_the_end_on_the_training_digits() -> None:
    points = [each for each in digitised_curve() if each.digits == "train"]
    for values in (
        [each.half_mse for each in points if each.half_mse is not None],
        [each.error_percent for each in points if each.error_percent is not None],
    ):
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == len(values)


def test_the_figures_that_reproduce_takes_from_the_plot_are_these_points() -> None:
    points = {(each.number, each.digits): each for each in digitised_curve()}
    taken = [
        figure
        for of in published()
        if of.recipe == "lecun1989"
        for figure in of.figures
        if figure.source == "NC89 plot"
    ]
    assert len(taken) == 4
    for figure in taken:
        assert getattr(points[figure.number, figure.digits], figure.quantity) == figure.published
