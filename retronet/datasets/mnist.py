"""The MNIST digits: 70,000 images of 28×28 in 8 bits, as IDX files, plain or gzip, or as Keras's mnist.npz.

The digests are of the whole unpacked files, headers included, so that ``zcat FILE | sha256sum`` shows them.
"""

import io
import math
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
from retronet.imports.array_files import read_npz
from retronet.refusals import said_by

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)


@dataclass(frozen=True)
class _Part:
    file: DataFile
    key: str
    array: str
    shape: tuple[int, ...]
    sha256: str


def _part(split: str, array: str, shape: tuple[int, ...], sha256: str) -> _Part:
    stem = f"{'t10k' if split == 'test' else 'train'}-{array}-idx{len(shape)}-ubyte"
    dotted = stem.replace(f"{array}-", f"{array}.")
    file = DataFile(
        what=f"file of MNIST {split} {array}",
        folder="mnist",
        names=(stem, f"{stem}.gz", dotted, f"{dotted}.gz", "mnist.npz"),
        addresses=tuple(f"{mirror}/{stem}.gz" for mirror in MIRRORS),
    )
    return _Part(file, f"{'x' if array == 'images' else 'y'}_{split}", array, shape, sha256)


TRAIN = (
    _part(
        "train",
        "images",
        (60000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    _part("train", "labels", (60000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
)
TEST = (
    _part(
        "test",
        "images",
        (10000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    _part("test", "labels", (10000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)


def decode(content: bytes, part: _Part) -> tuple[NDArray[np.uint8], str]:
    """Return the array of the IDX or .npz file `content` and the digest, after checking that it is `part`.

    Raises
    ------
    WrongContent
        If `content` is neither, is cut short, or holds other digits.
    """
    if content.startswith(b"PK"):
        content = _idx_of_npz(content, part)
    axes = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    header = 4 + 4 * axes
    if not axes or len(content) < header:
        raise WrongContent("it does not begin as an IDX file of bytes does")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", axes, 4))
    check_shape(part.array, shape, part.shape)
    found, expected = len(content) - header, math.prod(shape)
    if found != expected:
        raise WrongContent(f"its header promises {expected} bytes of {part.array}, {found} follow")
    values = np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    if part.array == "labels":
        check_labels(
            values.astype(np.int16),
            0,
            lambda digits: sha256(content[:header] + digits.tobytes()) == part.sha256,
        )
    return values, check_digest(part.array, content, part.sha256)


def _idx_of_npz(content: bytes, part: _Part) -> bytes:
    """Return an array of Keras's mnist.npz as the IDX file that it was made of."""
    try:
        arrays = read_npz(io.BytesIO(content), lambda name: name == part.key)
    except Exception as error:  # the readers of archives have no common class of errors
        raise WrongContent(f"its archive is damaged: {said_by(error)}") from error
    if part.key not in arrays:
        raise WrongContent(f"its archive has no array '{part.key}', as Keras's mnist.npz has")
    array = arrays[part.key]
    check_shape(part.array, array.shape, part.shape)
    if array.dtype != np.uint8:
        raise WrongContent(f"its array '{part.key}' holds {array.dtype}, uint8 is expected")
    return b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def read(data_dir: Path, download: bool) -> tuple[RawSplit, RawSplit]:
    """Return the train and the test split; see `retronet.datasets.source.obtain`."""

    def split(parts: tuple[_Part, _Part]) -> RawSplit:
        (images, images_sha256), (labels, labels_sha256) = (
            obtain(part.file, data_dir, partial(decode, part=part), download) for part in parts
        )
        return RawSplit(images, labels, images_sha256, labels_sha256)

    return split(TRAIN), split(TEST)


LICENCE = "CC BY-SA 3.0 (as the documentation of Keras and TensorFlow states)"

SOURCE = DataSource(
    name="mnist",
    title="the whole of MNIST",
    counts=(60000, 10000),
    size=(28, 28),
    licence=LICENCE,
    source="MNIST (LeCun, Cortes, Burges), IDX files",
    files=tuple(part.file for part in TRAIN + TEST),
    read=read,
)
