"""MNIST and its subsets of 1989 size."""

import bz2
import gzip
import hashlib
import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mutants import COUNT

from retronet.datasets import load, mnist
from retronet.datasets.mnist1989 import subset_indices
from retronet.datasets.source import WrongContent, unpack
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


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda labels: labels + 1,
            "its labels are counted from 1, one more than the digit; 0 to 9 is expected",
        ),
        (lambda labels: np.where(labels == 0, 10, labels), "its labels have 10 for the digit 0; 0 to 9 is"),
        (lambda labels: np.where(labels == 3, 77, labels), "it has the label '77', 0 to 9 is expected"),
        (
            lambda labels: labels[::-1] + 1,
            "its labels are 1 to 10: 10 stands for 0, or they are counted from 1",
        ),
    ],
)
def test_labels_that_say_the_digits_in_another_way_are_named(
    data_dir: Path, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], complaint: str
) -> None:
    (tmp_path / "mnist").mkdir()
    for path in (data_dir / "mnist").iterdir():
        (tmp_path / "mnist" / path.name).symlink_to(path)
    name = "t10k-labels-idx1-ubyte.gz"
    content = gzip.decompress((data_dir / "mnist" / name).read_bytes())
    (tmp_path / "mnist" / name).unlink()
    labels = change(np.frombuffer(content, np.uint8, offset=8)).astype(np.uint8)
    (tmp_path / "mnist" / name).write_bytes(content[:8] + labels.tobytes())

    with pytest.raises(DataError, match=complaint):
        load("mnist", data_dir=tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_the_other_spelling_of_the_names(data_dir: Path, tmp_path: Path, packed: bool) -> None:
    (tmp_path / "mnist").mkdir()
    for path in (data_dir / "mnist").glob("*.gz"):
        name = path.name.replace("-idx", ".idx")
        content = path.read_bytes() if packed else gzip.decompress(path.read_bytes())
        (tmp_path / "mnist" / (name if packed else name.removesuffix(".gz"))).write_bytes(content)

    assert mnist.SOURCE.state(tmp_path) == "here"
    read, expected = load("mnist", data_dir=tmp_path), load("mnist", data_dir=data_dir)
    assert (read.train.provenance, read.test.provenance) == (
        expected.train.provenance,
        expected.test.provenance,
    )


@pytest.fixture(scope="module")
def arrays(data_dir: Path) -> dict[str, np.ndarray]:
    """Return the arrays of Keras's mnist.npz."""
    train, test = mnist.read(data_dir, download=False)
    return {"x_test": test.images, "x_train": train.images, "y_train": train.labels, "y_test": test.labels}


def test_the_archive_of_keras(data_dir: Path, tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    (tmp_path / "mnist").mkdir()
    np.savez(tmp_path / "mnist" / "mnist.npz", **arrays)

    assert mnist.SOURCE.state(tmp_path) == "here"
    read, expected = load("mnist", data_dir=tmp_path), load("mnist", data_dir=data_dir)
    np.testing.assert_array_equal(read.test.images, expected.test.images)
    assert (read.train.provenance, read.test.provenance) == (
        expected.train.provenance,
        expected.test.provenance,
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"y_test": None}, "its archive has no array 'y_test', as Keras's mnist.npz has"),
        ({"y_test": np.zeros(9, np.uint8)}, "the labels have the shape 9, 10000 is expected"),
        ({"y_test": np.zeros(10000, np.int64)}, "its array 'y_test' holds int64, uint8 is expected"),
        (
            {"y_test": np.zeros(10000, object)},
            "its archive is damaged: its array 'y_test' holds Python objects",
        ),
        ({"y_test": np.zeros(10000, np.uint8)}, r"the labels have the SHA-256 \w{16}…"),
    ],
)
def test_another_archive_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], change: dict[str, np.ndarray | None], complaint: str
) -> None:
    changed = {key: array for key, array in (arrays | change).items() if array is not None}
    np.savez(tmp_path / "mnist.npz", **changed)
    with pytest.raises(WrongContent, match=complaint):
        mnist.decode((tmp_path / "mnist.npz").read_bytes(), mnist.TEST[1])


@settings(max_examples=COUNT, deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_whatever_the_damage(data: st.DataObject) -> None:
    idx = b"\0\0\x08\x03" + np.array([4, 2, 3], ">u4").tobytes() + bytes(range(24))
    archive = io.BytesIO()
    np.savez_compressed(archive, x_train=np.arange(24, dtype=np.uint8).reshape(4, 2, 3))
    part = replace(mnist.TRAIN[0], shape=(4, 2, 3), sha256=hashlib.sha256(idx).hexdigest())
    whole = data.draw(
        st.sampled_from([idx, gzip.compress(idx, mtime=0), bz2.compress(idx), archive.getvalue()])
    )
    assert mnist.decode(unpack(whole), part)[0].shape == (4, 2, 3)
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
        content = content or bytearray(1)
    with suppress(WrongContent):
        images, digest = mnist.decode(unpack(bytes(content)), part)
        assert digest == part.sha256
        assert images.ravel().tolist() == list(range(24))


def test_images_in_place_of_labels_are_refused(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    images = (data_dir / "mnist/t10k-images-idx3-ubyte.gz").read_bytes()
    (tmp_path / "mnist/train-images-idx3-ubyte.gz").write_bytes(images)

    with pytest.raises(DataError, match="the images have the shape 10000×28×28, 60000×28×28 is expected"):
        load("mnist", data_dir=tmp_path)
