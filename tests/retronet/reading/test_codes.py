"""Scores of composed codes against counts by hand."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.datasets import load
from retronet.evaluate import wilson_percent
from retronet.reading.codes import composed, edits, score_codes, texts_of
from retronet.reading.compose import ComposedCode, compose
from retronet.reading.forms import USPS16
from retronet.reading.read import stages

TEST = load("digits5k").test
WHITE = np.full((4, 4), 255, np.uint8)


def slow_edits(wanted: str, text: str) -> int:
    """Return the edits left when the most digits that can stay do stay, tried in every order-keeping way."""
    best = max(len(wanted), len(text))
    for count in range(min(len(wanted), len(text)) + 1):
        for kept in combinations(range(len(wanted)), count):
            for places in combinations(range(len(text)), count):
                cost, one, other = 0, 0, 0
                for a, b in [*zip(kept, places, strict=True), (len(wanted), len(text))]:
                    cost += max(a - one, b - other)
                    if a < len(wanted):
                        cost += wanted[a] != text[b]
                    one, other = a + 1, b + 1
                best = min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(30))
def test_edits_are_the_fewest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = ("".join(map(str, rng.integers(0, 3, rng.integers(0, 6)))) for _ in range(2))
    assert edits(one, other) == slow_edits(one, other)


def test_what_each_cause_costs_is_counted() -> None:
    right = np.array([True, True, False, True])
    codes = [
        ComposedCode(WHITE, text, places) for text, places in (("11", (0, 1)), ("12", (0, 2)), ("13", (0, 3)))
    ]
    found = score_codes("easy", [*codes, codes[0]], ["11", "19", "1", "31"], right)
    assert (found.codes, found.digits, found.string_misses, found.digit_errors) == (4, 8, 3, 3)
    assert found.counted_wrong == 1
    assert found.direct_string_misses == 1
    assert found.segmentation_misses == 2
    assert found.segmentation_share == 2 / 3
    low, high = wilson_percent(3, 4)
    assert (found.string_error_percent_low, found.string_error_percent_high) == (low, high)
    assert found.digit_error_percent == 37.5
    assert score_codes("easy", codes, [code.text for code in codes], right).segmentation_share is None


def test_pictures_are_answered_together_as_one_by_one() -> None:
    def answer(digits: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.stack([digits[:, 8, column] for column in range(10)], axis=1)

    pairs = list(composed(TEST, USPS16, "hard", codes=6, digits=3, seed=5))
    texts = texts_of([made for _, made in pairs], answer)
    for number, ((code, made), text) in enumerate(zip(pairs, texts, strict=True)):
        again = compose(TEST, 3, 5, number, "hard")
        assert code.text == again.text
        np.testing.assert_array_equal(made.normalised, stages(again.darkness, 3).normalised)
        assert text == "".join(str(each) for each in answer(made.normalised).argmax(axis=1))
