"""Scores outputs as the papers do: misses, half the squared error, and rejection for one percent of error."""

import math
from typing import assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.elementary import exp, log
from retronet.recipe import (
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    MaximumPosterior,
    SquaredError,
    Targets,
)

NORMAL_97_5 = 1.959963984540054
"""What a normal number exceeds once in forty times."""


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a network does on a set of digits.

    ``half_mse`` is ½ (d − y)², averaged over digits and outputs: the unit of NC89 (papers.md §1.5). There is
    none where outputs are not trained towards targets. ``loss`` is the mean over digits in the recipe's unit;
    there is none where no recipe is at hand. The interval is Wilson's, for the error in percent.
    """

    n: int
    misses: int
    error_percent: float
    error_percent_low: float
    error_percent_high: float
    half_mse: float | None
    reject_percent_at_1_percent_error: float
    loss: float | None = None


def target_matrix(targets: Targets, classes: int = 10) -> NDArray[np.float64]:
    """Return the wanted outputs, one row a class (place coding)."""
    return np.where(np.eye(classes, dtype=bool), targets.on, targets.off)


def score(
    outputs: NDArray[np.floating],
    labels: NDArray[np.uint8],
    targets: Targets | None = None,
    loss: Loss | None = None,
) -> Score:
    """Return the score of `outputs` (n, classes) for digits `labels` (n,).

    Parameters
    ----------
    outputs
        The largest one is the answer; of equal ones the first.
    labels
        The right answers.
    targets
        What the squared error is measured from; ±1 if absent.
    loss
        What the network was trained for; a squared error if absent.
    """
    wanted = target_matrix(targets or Targets(), outputs.shape[1])[labels]
    values = outputs.astype(np.float64, order="C")  # sums go through memory: its order is theirs
    misses = int(np.count_nonzero(values.argmax(axis=1) != labels))
    low, high = wilson_percent(misses, len(labels))
    squared = loss is None or isinstance(loss, SquaredError)
    return Score(
        n=len(labels),
        misses=misses,
        error_percent=100 * misses / len(labels),
        error_percent_low=low,
        error_percent_high=high,
        half_mse=float(0.5 * np.square(values - wanted).mean()) if squared else None,
        reject_percent_at_1_percent_error=reject_percent(values, labels, 0.01),
        loss=None if loss is None else float(losses(loss, values, labels, wanted).mean()),
    )


def losses(
    loss: Loss, outputs: NDArray[np.float64], labels: NDArray[np.uint8], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the loss of each digit, given outputs and wanted outputs (n, classes)."""
    own = np.take_along_axis(outputs, labels[:, np.newaxis].astype(np.intp), axis=1)[:, 0]
    match loss:
        case SquaredError(form=form):
            squares: NDArray[np.float64] = np.square(outputs - wanted).sum(axis=1)
            scale = 0.5 if form == "half-sum" else 1 / outputs.shape[1]
            return np.multiply(squares, scale)
        case CrossEntropy():
            return _log_sum_exp(outputs) - own
        case BinaryCrossEntropy():
            others = np.where(np.eye(outputs.shape[1], dtype=bool), -np.inf, outputs[:, np.newaxis, :])
            total = _log_sum_exp(outputs)[:, np.newaxis]
            right = np.arange(outputs.shape[1]) == labels[:, np.newaxis]
            each: NDArray[np.float64] = total - np.where(right, outputs, _log_sum_exp(others))
            means: NDArray[np.float64] = each.mean(axis=1)
            return means
        case MaximumPosterior(j=j):
            rest = np.full((len(outputs), 1), -j)
            return _log_sum_exp(np.concatenate([outputs, rest], axis=1)) - own
        case _ as unreachable:
            assert_never(unreachable)


def _log_sum_exp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log Σ exp over the last axis."""
    largest = values.max(axis=-1, keepdims=True)
    sums: NDArray[np.float64] = log(exp(values - largest).sum(axis=-1)) + largest[..., 0]
    return sums


def reject_percent(outputs: NDArray[np.float64], labels: NDArray[np.uint8], allowed_error: float) -> float:
    """Return the least percentage of digits to reject so that the rest has no more than `allowed_error`.

    A digit is rejected when its two largest outputs differ by less than a threshold, chosen on these very
    digits (NC89 §5). Digits of equal difference go together.
    """
    kept, misses, _ = _kept_misses_differences(outputs, labels)
    allowed = kept[misses <= allowed_error * kept]
    return 100 * (1 - (int(allowed.max()) if allowed.size else 0) / len(labels))


def least_confidence(
    outputs: NDArray[np.floating], labels: NDArray[np.uint8], allowed_error: float = 0.01
) -> float:
    """Return the threshold that leaves no more than `allowed_error` among the digits not rejected.

    It is the least difference of the two largest outputs among the digits kept by `reject_percent`'s rule
    (NC89 §5): a digit is rejected below it. Infinite if all must be rejected.

    Parameters
    ----------
    outputs
        One row a digit, (n, classes).
    labels
        The right answers.
    allowed_error
        The share of errors allowed among the rest.
    """
    kept, misses, differences = _kept_misses_differences(outputs.astype(np.float64), labels)
    allowed = np.flatnonzero(misses <= allowed_error * kept)
    return float(differences[allowed[-1]]) if allowed.size else math.inf


def _kept_misses_differences(
    outputs: NDArray[np.float64], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return, for each threshold on the two largest outputs, the digits kept, their misses, and it."""
    ranked = np.sort(outputs, axis=1)
    difference = ranked[:, -1] - ranked[:, -2]
    order = np.argsort(-difference, kind="stable")
    misses = np.cumsum(outputs.argmax(axis=1)[order] != labels[order], dtype=np.int64)
    kept = np.arange(1, len(labels) + 1, dtype=np.int64)
    ends_a_tie = np.append(np.diff(difference[order]) != 0, True)
    return kept[ends_a_tie], misses[ends_a_tie], difference[order][ends_a_tie]


class RejectionCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rejecting digits gains: one point a threshold, from none rejected to all but the surest.

    ``error_percent`` is of the digits that are kept; ``reject_percent_at_1_percent_error`` as in `Score`.
    """

    rejected_percent: tuple[float, ...]
    error_percent: tuple[float, ...]
    reject_percent_at_1_percent_error: float


def rejection_curve(outputs: NDArray[np.floating], labels: NDArray[np.uint8]) -> RejectionCurve:
    """Return the error on the digits kept for each share rejected, by the rule of `reject_percent`.

    Parameters
    ----------
    outputs
        Shape (n, classes).
    labels
        Shape (n,).
    """
    values = outputs.astype(np.float64, order="C")  # sums go through memory: its order is theirs
    kept, misses = (each[::-1] for each in _kept_misses_differences(values, labels)[:2])
    return RejectionCurve(
        rejected_percent=tuple((100 * (1 - kept / len(labels))).tolist()),
        error_percent=tuple((100 * misses / kept).tolist()),
        reject_percent_at_1_percent_error=reject_percent(values, labels, 0.01),
    )


def wilson_percent(misses: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an error rate, in percent."""
    share, part = misses / n, NORMAL_97_5 * NORMAL_97_5 / n
    centre = (share + part / 2) / (1 + part)
    reach = NORMAL_97_5 * math.sqrt(share * (1 - share) / n + part / (4 * n)) / (1 + part)
    low = 0.0 if misses == 0 else centre - reach
    high = 1.0 if misses == n else centre + reach
    return 100 * low, 100 * high
