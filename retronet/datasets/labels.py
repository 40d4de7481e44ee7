"""Labels that say the digits in another way than a form does: named, never guessed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.source import WrongContent


def check_labels(raw: NDArray[np.integer], first: int, is_known: Callable[[NDArray[np.uint8]], bool]) -> None:
    """Refuse labels that say the digits in another way than from `first` for 0 to ``first + 9`` for 9.

    Parameters
    ----------
    raw : ndarray of integers, shape (n,)
        The labels as they are stored.
    first
        The label of the digit 0 in this form.
    is_known
        Whether digits, shape (n,), are the known ones.

    Raises
    ------
    WrongContent
        If a label is out of range, or the digits are the known ones when the labels are read in another way.
    """
    ways = {
        "its labels have 10 for the digit 0": (1, raw % 10),
        "its labels are counted from 1, one more than the digit": (1, raw - 1),
        "its labels are the digits themselves": (0, raw),
    }
    expected = f"{first} to {first + 9} is expected here"
    for way, (low, digits) in ways.items():
        proper = low <= raw.min(initial=low) and raw.max(initial=low) <= low + 9
        if proper and not (digits == raw - first).all() and is_known(digits.astype(np.uint8)):
            raise WrongContent(f"{way}; {expected}")
    outside = raw[(raw < first) | (raw > first + 9)]
    if outside.size and first == 0 and raw.min() == 1 and raw.max() == 10:
        raise WrongContent(f"its labels are 1 to 10: 10 stands for 0, or they are counted from 1; {expected}")
    if outside.size:
        raise WrongContent(f"it has the label '{outside[0]}', {expected.removesuffix(' here')}")
