"""Composed codes read and scored: string and digit error, and what segmentation costs beside recognition."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from retronet.datasets import Dataset
from retronet.evaluate import wilson_percent
from retronet.reading.compose import ComposedCode, Difficulty, compose
from retronet.reading.forms import Form
from retronet.reading.read import Answer, Stages, stages


class CodeScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How codes of one difficulty were read, none of their digits rejected.

    A string is right if every digit is. ``digit_errors`` are the digits to change, insert or leave out,
    summed over the codes. ``counted_wrong`` codes were read with more or fewer digits than they have. In
    ``direct_string_misses`` codes a digit is missed when the network gets the data set's own: recognition
    alone; ``segmentation_misses`` codes are misread though it would have got those digits right. Intervals
    are Wilson's.
    """

    difficulty: Difficulty
    codes: int
    digits: int
    string_misses: int
    string_error_percent: float
    string_error_percent_low: float
    string_error_percent_high: float
    digit_errors: int
    digit_error_percent: float
    digit_error_percent_low: float
    digit_error_percent_high: float
    counted_wrong: int
    direct_string_misses: int
    segmentation_misses: int

    @property
    def segmentation_share(self) -> float | None:
        """Of the misread codes, the share misread by segmentation alone."""
        return self.segmentation_misses / self.string_misses if self.string_misses else None


def composed(
    data: Dataset, form: Form, difficulty: Difficulty, *, codes: int, digits: int, seed: int
) -> Iterator[tuple[ComposedCode, Stages]]:
    """Yield codes and what comes before the network, given how many digits there are.

    Parameters
    ----------
    data
        The digits to compose of, −1 paper and +1 ink.
    form
        How the network reads a digit.
    difficulty, codes, digits, seed
        See `retronet.reading.compose.compose`.

    Raises
    ------
    InputError
        If codes of these data can not be composed.
    """
    for number in range(codes):
        code = compose(data, digits, seed, number, difficulty)
        yield code, stages(code.darkness, digits, form=form)


def texts_of(made: Sequence[Stages], answer: Answer) -> list[str]:
    """Return what a network reads in each picture, its lines one after the other; one call answers all."""
    counts = [len(each.normalised) for each in made]
    answers = answer(np.concatenate([each.normalised for each in made])).argmax(axis=1)
    parts = np.split(answers, np.cumsum(counts)[:-1])
    return ["".join(map(str, part.tolist())) for part in parts]


def score_codes(
    difficulty: Difficulty, codes: Sequence[ComposedCode], texts: Sequence[str], right: NDArray[np.bool_]
) -> CodeScore:
    """Return the score of what was read in `codes`.

    Parameters
    ----------
    difficulty
        Of the codes.
    codes, texts
        The codes, and what was read.
    right : ndarray of bool, shape (n,)
        Of which of the data set's digits the network answers right when it gets them directly.
    """
    wrong = [text != code.text for code, text in zip(codes, texts, strict=True)]
    direct = [not right[list(code.digits)].all() for code in codes]
    total = sum(len(code.text) for code in codes)
    errors = sum(edits(code.text, text) for code, text in zip(codes, texts, strict=True))
    strings = wilson_percent(sum(wrong), len(codes))
    digits = wilson_percent(min(errors, total), total)
    return CodeScore(
        difficulty=difficulty,
        codes=len(codes),
        digits=total,
        string_misses=sum(wrong),
        string_error_percent=100 * sum(wrong) / len(codes),
        string_error_percent_low=strings[0],
        string_error_percent_high=strings[1],
        digit_errors=errors,
        digit_error_percent=100 * errors / total,
        digit_error_percent_low=digits[0],
        digit_error_percent_high=digits[1],
        counted_wrong=sum(len(code.text) != len(text) for code, text in zip(codes, texts, strict=True)),
        direct_string_misses=sum(direct),
        segmentation_misses=sum(bad and not by_itself for bad, by_itself in zip(wrong, direct, strict=True)),
    )


def edits(wanted: str, text: str) -> int:
    """Return the fewest digits to change, insert or leave out to make one string the other (Levenshtein)."""
    row = list(range(len(text) + 1))
    for done, digit in enumerate(wanted, start=1):
        before, row[0] = row[0], done
        for place, other in enumerate(text, start=1):
            before, row[place] = (
                row[place],
                min(before + (digit != other), row[place] + 1, row[place - 1] + 1),
            )
    return row[-1]
