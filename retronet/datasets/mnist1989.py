"""MNIST cut to the size of the 1989 data: the subsets of Karpathy's re-creation.

One legacy numpy generator, seeded once, draws a permutation for each split, and the first 7,291 and 2,007
indices are kept. The original visits the splits in Python's set order, which changes from run to run: both
orders exist, and published figures of both.
"""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retronet.datasets import mnist
from retronet.datasets.source import DataSource, RawSplit, sha256

COUNTS = {"train": 7291, "test": 2007}
SEED = 1337


def subset_indices(order: tuple[str, str], sizes: dict[str, int]) -> dict[str, NDArray[np.int64]]:
    """Return for each split which of its images are kept, in order.

    Parameters
    ----------
    order
        The splits in the order in which they draw from the generator.
    sizes
        The images of each split.
    """
    # The recipe is the legacy generator: another one gives another subset.
    generator = np.random.RandomState(SEED)
    return {split: generator.permutation(sizes[split])[: COUNTS[split]] for split in order}


def read(data_dir: Path, download: bool, order: tuple[str, str]) -> tuple[RawSplit, RawSplit]:
    """Return the two subsets, cut out of the checked MNIST; the digests are of the subsets' arrays."""
    whole = dict(zip(("train", "test"), mnist.read(data_dir, download), strict=True))
    kept = subset_indices(order, {split: len(raw.labels) for split, raw in whole.items()})

    def cut(split: str) -> RawSplit:
        images = whole[split].images[kept[split]]
        labels = whole[split].labels[kept[split]]
        return RawSplit(images, labels, sha256(images.data), sha256(labels.data))

    return cut("train"), cut("test")


def _source(first: str, second: str) -> DataSource:
    return DataSource(
        name=f"mnist1989-{first}-first",
        title="MNIST, as many as USPS",
        counts=(COUNTS["train"], COUNTS["test"]),
        size=mnist.SOURCE.size,
        licence=mnist.SOURCE.licence,
        source=f"{mnist.SOURCE.source}; subset of karpathy2022, seed {SEED}, {first} split first",
        files=mnist.SOURCE.files,
        read=partial(read, order=(first, second)),
    )


TEST_FIRST = _source("test", "train")
TRAIN_FIRST = _source("train", "test")
