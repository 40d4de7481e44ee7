"""MNIST and its subsets of 1989 size."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retronet.datasets import load
from retronet.datasets.mnist1989 import subset_indices
from retronet.errors import DataError


def test_subsets_begin_as_the_recipe_says() -> None:
    sizes = {"train": 60000, "test": 10000}

    test_first = subset_indices(("test", "train"), sizes)
    train_first = subset_indices(("train", "test"), sizes)

    assert test_first["test"][:3].tolist() == [9927, 3245, 2303]
    assert test_first["train"][:3].tolist() == [6177, 36861, 23675]
    assert train_first["train"][:3].tolist() == [39385, 28837, 35708]
    assert train_first["test"][:2].tolist() == [6645, 4938]
    assert [len(np.unique(test_first[split])) for split in ("train", "test")] == [7291, 2007]


def test_subsets_are_those_images_of_mnist(data_dir: Path) -> None:
    whole = load("mnist", "unit28", data_dir)
    subset = load("mnist1989-test-first", "unit28", data_dir)

    np.testing.assert_array_equal(subset.test.images[:3], whole.test.images[[9927, 3245, 2303]])
    np.testing.assert_array_equal(subset.train.labels[:3], whole.train.labels[[6177, 36861, 23675]])
    assert subset.train.images.shape == (7291, 28, 28)
    assert subset.test.provenance.name == "mnist1989-test-first"
    assert subset.test.provenance.images_sha256 != whole.test.provenance.images_sha256
    # The labels of the first training images, as everyone who has opened the file knows them.
    assert whole.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_plain_files_are_read_too(data_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(data_dir / "mnist", tmp_path / "mnist", copy_function=shutil.copyfile)
    (tmp_path / "mnist").chmod(0o755)
    for packed in (tmp_path / "mnist").glob("t10k*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()

    read, expected = load("mnist", data_dir=tmp_path), load("mnist", data_dir=data_dir)

    np.testing.assert_array_equal(read.test.images, expected.test.images)
    assert read.test.provenance == expected.test.provenance


def wrong_count(content: bytes) -> bytes:
    return content[:4] + (9999).to_bytes(4, "big") + content[8:-1]


def label_changed(content: bytes) -> bytes:
    return content[:-1] + bytes([(content[-1] + 1) % 10])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (wrong_count, "the labels have the shape 9999, 10000 is expected"),
        (lambda content: content[:-1], "its header promises 10000 bytes of labels, 9999 follow"),
        (lambda content: content + b"\0", "its header promises 10000 bytes of labels, 10001 follow"),
        (label_changed, r"the labels have the SHA-256 \w{16}…, ff7bcfd416de3373… is expected"),
        (lambda content: content[:2] + b"\x0d" + content[3:], "it does not begin as an IDX file"),
        (lambda content: content[:6], "it does not begin as an IDX file"),
        (lambda content: gzip.compress(content)[:-20], "it is cut short"),
    ],
    ids=["wrong count", "byte lost", "byte added", "label changed", "other type", "header cut", "gzip cut"],
)
def test_damage_is_refused_with_what_differs(
    data_dir: Path, tmp_path: Path, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    (tmp_path / "mnist").mkdir()
    for path in (data_dir / "mnist").iterdir():
        (tmp_path / "mnist" / path.name).symlink_to(path)
    labels = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    content = gzip.decompress(labels.read_bytes())
    labels.unlink()
    labels.write_bytes(damage(content))

    with pytest.raises(DataError, match=f"MNIST test labels in .* can not be used: {complaint}"):
        load("mnist", data_dir=tmp_path)


def test_images_in_place_of_labels_are_refused(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    images = (data_dir / "mnist/t10k-images-idx3-ubyte.gz").read_bytes()
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(images)

    with pytest.raises(DataError, match="the images have the shape 10000×28×28, 60000×28×28 is expected"):
        load("mnist", data_dir=tmp_path)
