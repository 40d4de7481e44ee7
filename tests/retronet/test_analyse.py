"""Confusion, classes and sureness against counting by hand."""

import numpy as np

from retronet.analyse import analyse


def test_four_digits_by_hand() -> None:
    outputs = np.array(
        [
            [0.9, 0.1, 0.0, -0.5],  # a 0, surely right
            [0.4, 0.2, 0.1, 0.0],  # a 3: wrong, and not among the three largest
            [0.1, 0.4, 0.3, 0.2],  # a 2: wrong, but second
            [0.0, 0.5, 0.4, 0.1],  # a 1, barely right
        ]
    )
    found = analyse(outputs, np.array([0, 3, 2, 1], np.uint8), most=1)
    assert (found.n, found.top1_misses, found.top3_misses) == (4, 2, 1)
    assert found.confusion == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 0), (1, 0, 0, 0))
    assert [each.index for each in found.surest_right] == [0]
    assert [each.index for each in found.least_sure_right] == [3]
    assert {each.index for each in found.surest_wrong} == {1}
    one = found.classes[1]
    assert (one.n, one.answered, one.right, one.recall_percent, one.precision_percent) == (
        1,
        2,
        1,
        100.0,
        50.0,
    )
    assert found.classes[3].precision_percent is None


def test_counts_agree_with_plain_counting() -> None:
    generator = np.random.default_rng(5)
    outputs, labels = generator.normal(size=(500, 10)), generator.integers(0, 10, 500).astype(np.uint8)
    found = analyse(outputs, labels)
    for label in range(10):
        for answer in range(10):
            counted = sum(
                1 for row, own in zip(outputs, labels, strict=True) if own == label and row.argmax() == answer
            )
            assert found.confusion[label][answer] == counted
    in_three = sum(own in np.argsort(row)[-3:] for row, own in zip(outputs, labels, strict=True))
    assert found.top3_misses == 500 - in_three
    differences = [each.difference for each in found.surest_wrong]
    assert differences == sorted(differences, reverse=True)
