"""The USPS zip-code digits: 9,298 images of 16×16 in [−1, 1] on a grid of 0.001 (NC89 §2).

Two text forms are read. ESL: a label and 256 numbers a line. LIBSVM: the digit plus one, then
``index:value`` pairs, zeros left out. Ready-made 8-bit copies are not the data of the paper and are refused.

The decoded content is ``round((value + 1) · 1000)`` as little-endian int16; its digests hold for both forms.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.labels import check_labels
from retronet.datasets.source import (
    DataFile,
    DataSource,
    RawSplit,
    WrongContent,
    check_digest,
    check_shape,
    obtain,
    sha256,
)

PIXELS = 256
STEPS_PER_UNIT = 1000
"""Grid steps between 0 and 1."""


@dataclass(frozen=True)
class _Split:
    file: DataFile
    count: int
    images_sha256: str
    labels_sha256: str


def _file(what: str, esl: str, libsvm: str) -> DataFile:
    return DataFile(
        what=what,
        folder="usps",
        names=(esl, f"{esl}.gz", f"{esl}.bz2", libsvm, f"{libsvm}.gz", f"{libsvm}.bz2"),
        addresses=(
            f"https://hastie.su.domains/ElemStatLearn/datasets/{esl}.gz",
            f"https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/{libsvm}.bz2",
        ),
        others="such copies of USPS have 8-bit pixels, not the values of the paper, and are not read",
    )


TRAIN = _Split(
    _file("USPS train set", "zip.train", "usps"),
    7291,
    "4cc10903414bb4be4b10f0203b73ceab02be2ac780faa3aafea3cfe226ec62fc",
    "ee5027fd47b76715ac18ca27e72fa1332bde98e0b8ce593b503bb2bdb6c03da0",
)
TEST = _Split(
    _file("USPS test set", "zip.test", "usps.t"),
    2007,
    "c8d20aa8f19bae84192211340054be91bc13731398616889e78aef4ce6d72f78",
    "0b8b792b8ca1c5c704fd9d5bbd1b261623a359e6c8c65b23db428257beea7800",
)


class _Grid(dict[bytes, int]):
    """From the text of a value to its place on the grid.

    The grid has 2,001 places, so that nearly every value of a file has been read before: looking its text
    up is three times as fast as reading it as a number.
    """

    def __missing__(self, text: bytes) -> int:
        steps = (_number(text) + 1) * STEPS_PER_UNIT
        if not 0 <= steps <= 2 * STEPS_PER_UNIT:
            raise WrongContent(f"it has the value {_shown(text)}, -1 to 1 is expected")
        place = round(steps)
        if abs(steps - place) > 1e-3:
            raise WrongContent(f"it has the value {_shown(text)}, which is not a multiple of 0.001")
        self[text] = place
        return place


class _Whole(dict[bytes, int]):
    """From the text of a label or index to the whole number from `low` to `high` that it is."""

    def __init__(self, what: str, low: int, high: int, expected: str) -> None:
        self._what, self._low, self._high, self._expected = what, low, high, expected

    def __missing__(self, text: bytes) -> int:
        number = _number(text)
        if number not in range(self._low, self._high + 1):
            raise WrongContent(f"it has the {self._what} {_shown(text)}, {self._expected} is expected")
        self[text] = int(number)
        return self[text]


def decode_esl(text: bytes) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return grid places (n, 16, 16) and labels (n,), the digits, of the ESL text form.

    Raises
    ------
    WrongContent
        If `text` is not of that form.
    """
    words = text.split()
    if len(words) % (PIXELS + 1):
        raise WrongContent(f"it has {len(words)} numbers, a multiple of {PIXELS + 1} is expected")
    labels = np.fromiter(map(_Whole("label", 0, 10, "0 to 9").__getitem__, words[:: PIXELS + 1]), np.int16)
    del words[:: PIXELS + 1]
    places = np.fromiter(map(_Grid().__getitem__, words), np.dtype("<i2"), len(words))
    return places.reshape(-1, 16, 16), labels


def decode_libsvm(text: bytes) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return grid places (n, 16, 16) and labels (n,), one more than the digits, of the LIBSVM text form.

    Raises
    ------
    WrongContent
        If `text` is not of that form.
    """
    lines = [line.replace(b":", b" ").split() for line in text.splitlines()]
    label, index = _Whole("label", 0, 10, "1 to 10"), _Whole("index", 1, PIXELS, f"1 to {PIXELS}")
    grid = _Grid()
    labels = np.empty(len(lines), np.int16)
    places = np.full((len(lines), PIXELS), STEPS_PER_UNIT, np.dtype("<i2"))
    for number, words in enumerate(lines):
        if len(words) % 2 == 0:
            raise WrongContent(f"its line {number + 1} is not a label and `index:value` pairs")
        labels[number] = label[words[0]]
        columns = [index[word] - 1 for word in words[1::2]]
        places[number, columns] = [grid[word] for word in words[2::2]]
    return places.reshape(-1, 16, 16), labels


def decode(text: bytes, split: _Split) -> RawSplit:
    """Return the digits of `text`, of either form, after checking that they are those of `split`."""
    if text.startswith(b"PK"):
        raise WrongContent("it is a zip archive, which is not read")
    first = int(b":" in text[:1000])
    images, raw = decode_libsvm(text) if first else decode_esl(text)
    check_labels(raw, first, lambda digits: sha256(digits.data) == split.labels_sha256)
    check_shape("images", images.shape, (split.count, 16, 16))
    labels = (raw - first).astype(np.uint8)
    return RawSplit(
        images,
        labels,
        check_digest("images", images.data, split.images_sha256),
        check_digest("labels", labels.data, split.labels_sha256),
    )


def read(data_dir: Path, download: bool) -> tuple[RawSplit, RawSplit]:
    """Return the train and the test split; see `retronet.datasets.source.obtain`."""
    train = obtain(TRAIN.file, data_dir, partial(decode, split=TRAIN), download)
    test = obtain(TEST.file, data_dir, partial(decode, split=TEST), download)
    return train, test


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise WrongContent(f"it has {_shown(text)} where a number is expected") from error


def _shown(text: bytes) -> str:
    return repr(text[:20].decode("ascii", "replace"))


SOURCE = DataSource(
    name="usps",
    title="zip codes of 1989",
    counts=(TRAIN.count, TEST.count),
    size=(16, 16),
    licence="not stated by its publishers; never shipped with this package",
    source="USPS zip codes (LeCun et al. 1989), on the 0.001 grid of the ESL text form",
    files=(TRAIN.file, TEST.file),
    read=read,
)
