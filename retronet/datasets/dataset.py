"""What a loaded data set is: prepared images, their labels, and where they come from."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the digits of a record come from; it travels into every result.

    The digests are of the decoded content before any preparation, as the data set's module defines it.
    """

    name: str
    split: str
    preparation: str
    images_sha256: str
    labels_sha256: str
    licence: str
    source: str


@dataclass(frozen=True)
class Dataset:
    """Digits as a network reads them: `images` (n, rows, columns) and `labels` (n,), 0 to 9."""

    images: NDArray[np.float32]
    labels: NDArray[np.uint8]
    provenance: Provenance


@dataclass(frozen=True)
class DigitSets:
    """The two halves of a data set, and what the user must be told about the choice, if anything."""

    train: Dataset
    test: Dataset
    notice: str | None
