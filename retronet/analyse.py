"""What a network gets right and wrong, digit by digit: confusion, classes, and the surest answers."""

import msgspec
import numpy as np
from numpy.typing import NDArray


class ClassReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class. Recall is of its own digits, precision of the answers that name it; absent without any."""

    label: int
    n: int
    answered: int
    right: int
    recall_percent: float | None
    precision_percent: float | None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One digit by its index in the set; ``difference`` is that of the two largest outputs."""

    index: int
    label: int
    answer: int
    difference: float


class Analysis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network's answers to a set of digits.

    ``confusion[label][answer]`` counts digits. A digit is a top-3 miss if its own output is not among the
    three largest. The surest and least sure answers are ordered, the extreme ones first.
    """

    n: int
    top1_misses: int
    top3_misses: int
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassReport, ...]
    surest_right: tuple[Answer, ...]
    surest_wrong: tuple[Answer, ...]
    least_sure_right: tuple[Answer, ...]
    least_sure_wrong: tuple[Answer, ...]


def analyse(outputs: NDArray[np.floating], labels: NDArray[np.uint8], most: int = 10) -> Analysis:
    """Return what `outputs` (n, classes) say of digits with `labels` (n,); `most` limits the lists."""
    classes = outputs.shape[1]
    answers = outputs.argmax(axis=1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    own = outputs[np.arange(len(labels)), labels][:, np.newaxis]
    rank = np.count_nonzero(outputs > own, axis=1)
    ranked = np.sort(outputs, axis=1)
    difference = ranked[:, -1] - ranked[:, -2]
    order = np.argsort(-difference, kind="stable")
    right = answers[order] == labels[order]

    def pick(indices: NDArray[np.intp]) -> tuple[Answer, ...]:
        return tuple(
            Answer(int(i), int(labels[i]), int(answers[i]), float(difference[i])) for i in indices[:most]
        )

    return Analysis(
        n=len(labels),
        top1_misses=int(np.count_nonzero(answers != labels)),
        top3_misses=int(np.count_nonzero(rank >= 3)),
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        classes=tuple(_class_report(confusion, label) for label in range(classes)),
        surest_right=pick(order[right]),
        surest_wrong=pick(order[~right]),
        least_sure_right=pick(order[right][::-1]),
        least_sure_wrong=pick(order[~right][::-1]),
    )


def _class_report(confusion: NDArray[np.int64], label: int) -> ClassReport:
    n, answered, right = (
        int(count) for count in (confusion[label].sum(), confusion[:, label].sum(), confusion[label, label])
    )
    return ClassReport(
        label=label,
        n=n,
        answered=answered,
        right=right,
        recall_percent=100 * right / n if n else None,
        precision_percent=100 * right / answered if answered else None,
    )
