"""Scores against their definitions: exact fractions, every threshold, the closed form of the interval."""

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from retronet.evaluate import (
    least_confidence,
    reject_percent,
    rejection_curve,
    score,
    target_matrix,
    wilson_percent,
)
from retronet.recipe import Targets


def wilson(misses: int, n: int) -> tuple[float, float]:
    """Return the interval by its closed form, in percent."""
    z, p = 1.959963984540054, misses / n
    centre, spread = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return tuple(100 * (centre + sign * spread) / (1 + z * z / n) for sign in (-1, 1))


@pytest.mark.parametrize(
    ("misses", "n"), [(98, 2007), (102, 2007), (10, 7291), (0, 2007), (2007, 2007), (1, 1), (0, 1)]
)
def test_wilsons_interval(misses: int, n: int) -> None:
    assert wilson_percent(misses, n) == pytest.approx(wilson(misses, n), abs=1e-9)


def test_the_known_interval() -> None:
    """98 of 2,007: 4.0 to 5.9 %."""
    low, high = wilson_percent(98, 2007)

    assert (f"{low:.1f}", f"{high:.1f}") == ("4.0", "5.9")


def least_rejected(outputs: NDArray[np.float64], labels: NDArray[np.uint8], allowed: Fraction) -> Fraction:
    """Return the least share to reject, trying every threshold: digits whose difference is below it go."""
    difference, right = [], []
    for row, label in zip(outputs.tolist(), labels.tolist(), strict=True):
        first, second = sorted(row, reverse=True)[:2]
        difference.append(first - second)
        right.append(row.index(first) == label)
    best = Fraction(1)
    for threshold in set(difference):
        kept = [good for gap, good in zip(difference, right, strict=True) if gap >= threshold]
        if Fraction(kept.count(False), len(kept)) <= allowed:
            best = min(best, 1 - Fraction(len(kept), len(right)))
    return best


@pytest.mark.parametrize("levels", [3, 8, 1000])
def test_rejection_against_every_threshold(levels: int) -> None:
    """Few levels make many ties; the digits of a tie are kept or rejected together."""
    shares = set()
    for seed in range(20):
        rng = np.random.default_rng([levels, seed])
        labels = rng.integers(0, 10, 400).astype(np.uint8)
        outputs = rng.integers(0, levels, (400, 10)) / levels
        outputs[np.arange(400), labels] += rng.choice([0, 0.5, 1], 400, p=[0.05, 0.15, 0.8])
        expected = least_rejected(outputs, labels, Fraction(1, 100))
        assert reject_percent(outputs, labels, 0.01) == pytest.approx(float(100 * expected), abs=1e-9)
        ranked = np.sort(outputs, axis=1)
        below = ranked[:, -1] - ranked[:, -2] < least_confidence(outputs, labels)
        assert int(below.sum()) == expected * len(labels), "the threshold rejects as many"
        shares.add(expected)
    assert len(shares) > 5


def test_one_percent_of_any_hundreds_is_allowed() -> None:
    for hundreds in range(1, 101):
        n = 100 * hundreds
        outputs = np.tile([1.0, -1.0], (n, 1))
        labels = np.zeros(n, np.uint8)
        labels[:hundreds] = 1
        assert reject_percent(outputs, labels, 0.01) == 0, n
        labels[hundreds] = 1
        assert reject_percent(outputs, labels, 0.01) == 100, n


def test_a_network_that_answers_nothing_has_half_the_squared_distance_to_its_targets() -> None:
    """Outputs 0 and targets ±1: 0.5, the pass-0 point of the paper's plot (papers.md §1.5)."""
    labels = np.arange(200, dtype=np.uint8) % 10
    silent = score(np.zeros((200, 10), np.float32), labels)

    assert silent.half_mse == 0.5
    assert (silent.n, silent.misses, silent.error_percent) == (200, 180, 90.0)
    assert silent.reject_percent_at_1_percent_error == 100


def test_a_score_by_hand() -> None:
    outputs = np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    labels = np.array([0, 0, 0, 1], np.uint8)

    found = score(outputs, labels, Targets(on=1.0, off=0.0))

    squares = [0.1**2 + 0.1**2, 0.75**2 + 0.75**2, 0.5, 0.5]
    assert found.half_mse == pytest.approx(sum(squares) / 2 / 8)
    assert (found.n, found.misses, found.error_percent) == (4, 2, 50.0)  # of equal outputs, the first answers
    assert (found.error_percent_low, found.error_percent_high) == pytest.approx(wilson(2, 4))
    assert found.reject_percent_at_1_percent_error == 75


def test_targets_are_place_coded() -> None:
    matrix = target_matrix(Targets(on=0.9, off=-0.8), 3)

    assert matrix.tolist() == [[0.9, -0.8, -0.8], [-0.8, 0.9, -0.8], [-0.8, -0.8, 0.9]]


@pytest.mark.parametrize("levels", [4, 1000])
def test_the_rejection_curve_has_a_point_for_every_threshold(levels: int) -> None:
    rng = np.random.default_rng(levels)
    labels = rng.integers(0, 10, 300).astype(np.uint8)
    outputs = rng.integers(0, levels, (300, 10)) / levels
    outputs[np.arange(300), labels] += rng.choice([0, 0.5, 1], 300, p=[0.05, 0.15, 0.8])
    ranked = np.sort(outputs, axis=1)
    difference, right = ranked[:, -1] - ranked[:, -2], outputs.argmax(axis=1) == labels
    wanted = [
        (100 * np.mean(difference < threshold), 100 * np.mean(~right[difference >= threshold]))
        for threshold in sorted(set(difference.tolist()))
    ]
    curve = rejection_curve(outputs, labels)

    found = list(zip(curve.rejected_percent, curve.error_percent, strict=True))
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert curve.reject_percent_at_1_percent_error == reject_percent(outputs, labels, 0.01)
    assert curve.error_percent[0] == pytest.approx(score(outputs, labels).error_percent)
