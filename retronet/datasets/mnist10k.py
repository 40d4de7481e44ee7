"""The first 10,000 training digits of MNIST, a fifth of them for testing: the data of the lecun1990 recipes.

The split is that of scikit-learn's train_test_split with 20 % and seed 42, which shuffles with numpy's legacy
generator and tests on what comes first.
"""

from pathlib import Path

import numpy as np

from retronet.datasets import mnist
from retronet.datasets.source import DataSource, RawSplit, sha256

COUNT, TESTED = 10_000, 2_000
SEED = 42


def read(data_dir: Path, download: bool) -> tuple[RawSplit, RawSplit]:
    """Return the two parts, cut out of the checked MNIST; the digests are of the parts' arrays."""
    whole, _ = mnist.read(data_dir, download)
    # The recipe is the legacy generator: another one gives another split.
    shuffled = np.random.RandomState(SEED).permutation(COUNT)

    def cut(kept: slice) -> RawSplit:
        images, labels = whole.images[shuffled[kept]], whole.labels[shuffled[kept]]
        return RawSplit(images, labels, sha256(images.data), sha256(labels.data))

    return cut(slice(TESTED, None)), cut(slice(TESTED))


SOURCE = DataSource(
    name="mnist10k",
    title="the first 10,000 of MNIST, split",
    counts=(COUNT - TESTED, TESTED),
    size=mnist.SOURCE.size,
    licence=mnist.SOURCE.licence,
    source=f"{mnist.SOURCE.source}; first {COUNT} training digits, 20 % split off with seed {SEED}",
    files=mnist.SOURCE.files,
    read=read,
)
