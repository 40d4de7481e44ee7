"""The embedded sample: its split, its origin, its place in the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from retronet.datasets import load
from retronet.datasets.digits5k import FILE, read_sample
from retronet.errors import DataError, InputError

REPOSITORY = Path(__file__).resolve().parents[3]


def test_split_is_stratified_interleaved_and_complete() -> None:
    digits = load("digits5k", "unit28")
    stored, labels = read_sample(FILE)

    assert digits.train.labels.tolist() == list(range(10)) * 400
    assert digits.test.labels.tolist() == list(range(10)) * 100
    # Place p of class c is image 500 c + p of the sorted file; 400 and up are for testing.
    pixels = np.rint(digits.train.images * 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels[10 * 399 + 7], stored[500 * 7 + 399])
    np.testing.assert_array_equal(
        np.rint(digits.test.images[3] * 255).astype(np.uint8), stored[500 * 3 + 400]
    )
    assert labels[500 * 7 + 399] == 7
    both = np.concatenate([digits.train.images, digits.test.images]).reshape(5000, -1)
    assert len(np.unique(both, axis=0)) == 5000


def test_sample_is_part_of_mnist(data_dir: Path) -> None:
    stored, labels = read_sample(FILE)
    mnist = load("mnist", "unit28", data_dir)
    known = {
        image.tobytes(): label
        for split in (mnist.train, mnist.test)
        for image, label in zip(np.rint(split.images * 255).astype(np.uint8), split.labels, strict=True)
    }

    assert [known.get(image.tobytes()) for image in stored] == labels.tolist()


def test_a_changed_sample_is_refused(tmp_path: Path) -> None:
    images, labels = read_sample(FILE)
    images[0, 0, 0] += 1
    np.savez_compressed(tmp_path / "changed.npz", images=images, labels=labels)
    (tmp_path / "short.npz").write_bytes(FILE.read_bytes()[:-100])

    with pytest.raises(DataError, match=r"the images have the SHA-256 .* Install retronet again"):
        read_sample(tmp_path / "changed.npz")
    with pytest.raises(DataError, match=r"embedded digits in .*short\.npz can not be used"):
        read_sample(tmp_path / "short.npz")
    with pytest.raises(DataError, match=r"embedded digits in .*none\.npz can not be used"):
        read_sample(tmp_path / "none.npz")


def test_a_preparation_of_the_other_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"no preparation of 28×28 digits 'none'.*Known: .*bipolar16"):
        load("digits5k", "none")


def test_wheel_carries_the_sample(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=REPOSITORY,
        check=True,
    )

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert packed.read("retronet/datasets/digits5k.npz") == FILE.read_bytes()
        (notice,) = [name for name in packed.namelist() if name.endswith("/NOTICE")]
        assert b"CC BY-SA 3.0" in packed.read(notice)
