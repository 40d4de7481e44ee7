"""USPS: every form gives the same digits, and nothing else is taken for them."""

import bz2
import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mutants import COUNT

from retronet.datasets import load
from retronet.datasets.source import RawSplit, WrongContent, obtain
from retronet.datasets.usps import TEST, decode, decode_esl
from retronet.errors import DataError

# The published counts of the classes 0 to 9 (ESL, zip.info.txt).
TRAIN_COUNTS = [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
TEST_COUNTS = [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]

Texts = dict[str, bytes]


@pytest.fixture(scope="module")
def texts(data_dir: Path) -> Texts:
    return {
        name: gzip.decompress((data_dir / f"usps/{name}.gz").read_bytes())
        for name in ("zip.train", "zip.test")
    }


def write(folder: Path, files: dict[str, bytes]) -> Path:
    (folder / "usps").mkdir()
    for name, content in files.items():
        (folder / "usps" / name).write_bytes(content)
    return folder


def libsvm(text: bytes, sparse: bool) -> bytes:
    """Write the other form: digit plus one, pairs counted from 1, zeros left out where `sparse`."""
    lines = []
    for line in text.decode().splitlines():
        label, *values = line.split()
        pairs = [
            f"{index}:{value}" for index, value in enumerate(values, 1) if not sparse or float(value) != 0
        ]
        lines.append(" ".join([str(int(float(label)) + 1), *pairs]))
    return "\n".join(lines).encode() + b"\n"


def test_real_digits_have_the_published_counts_and_the_exact_values(data_dir: Path, texts: Texts) -> None:
    digits = load("usps", data_dir=data_dir)

    assert np.bincount(digits.train.labels).tolist() == TRAIN_COUNTS
    assert np.bincount(digits.test.labels).tolist() == TEST_COUNTS
    lines = texts["zip.test"].splitlines()
    for number in (0, 1000, 2006):
        label, *values = (float(word) for word in lines[number].split())
        assert digits.test.labels[number] == label
        np.testing.assert_array_equal(digits.test.images[number].ravel(), np.float32(values))
    assert digits.notice is None
    assert digits.train.images.dtype == np.float32
    assert digits.train.images.flags.c_contiguous
    assert digits.train.provenance.images_sha256.startswith("4cc10903414bb4be")
    assert (digits.test.provenance.split, digits.test.provenance.preparation) == ("test", "none")


def pack(name: str, text: bytes) -> bytes:
    if name.endswith(".bz2"):
        return bz2.compress(text)
    return gzip.compress(text, 1) if name.endswith(".gz") else text


@pytest.mark.parametrize(
    ("train_name", "test_name", "sparse"),
    [
        ("zip.train", "zip.test.bz2", None),
        ("usps", "usps.t.bz2", True),
        ("usps.gz", "usps.t", False),
    ],
)
def test_every_form_and_packing_gives_the_same_digits(
    texts: Texts, data_dir: Path, tmp_path: Path, train_name: str, test_name: str, sparse: bool | None
) -> None:
    content = {
        name: pack(name, text if sparse is None else libsvm(text, sparse))
        for name, text in zip((train_name, test_name), texts.values(), strict=True)
    }

    read, expected = load("usps", data_dir=write(tmp_path, content)), load("usps", data_dir=data_dir)

    for split in ("train", "test"):
        np.testing.assert_array_equal(getattr(read, split).images, getattr(expected, split).images)
        np.testing.assert_array_equal(getattr(read, split).labels, getattr(expected, split).labels)
        assert getattr(read, split).provenance == getattr(expected, split).provenance


def read_test_set(folder: Path) -> RawSplit:
    return obtain(TEST.file, folder, partial(decode, split=TEST), download=False)


def test_a_file_that_was_unpacked_on_the_way_is_read_under_its_packed_name(
    texts: Texts, tmp_path: Path
) -> None:
    folder = write(tmp_path, {"zip.test.gz": texts["zip.test"]})

    assert np.bincount(read_test_set(folder).labels).tolist() == TEST_COUNTS


def one_pixel_changed(text: bytes) -> bytes:
    return text.replace(b"-0.948", b"-0.949", 1)


def labels_shifted(text: bytes) -> bytes:
    lines = text.splitlines()
    return b"\n".join(
        b"%d %s" % ((int(float(line.split()[0])) + 1) % 10, line.split(b" ", 1)[1]) for line in lines
    )


def relabelled(text: bytes, change: Callable[[int], int]) -> bytes:
    lines = (line.split(b" ", 1) for line in text.splitlines())
    return b"\n".join(b"%d %s" % (change(int(float(label))), pixels) for label, pixels in lines) + b"\n"


def eight_bit(text: bytes) -> bytes:
    values = np.array(text.split(), float).reshape(-1, 257)
    values[:, 1:] = np.rint((values[:, 1:] + 1) * 127.5) / 127.5 - 1
    return "\n".join(" ".join(f"{value:.6f}" for value in row) for row in values).encode()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (one_pixel_changed, r"the images have the SHA-256 \w{16}…, c8d20aa8f19bae84… is expected"),
        (labels_shifted, r"the labels have the SHA-256 \w{16}…, 0b8b792b8ca1c5c7… is expected"),
        (eight_bit, r"it has the value '[-.\d]+', which is not a multiple of 0\.001"),
        (lambda text: b"\n".join(text.splitlines()[:-1]), "images have the shape 2006×16×16, 2007×16×16 is"),
        (lambda text: text[:-10], "numbers, a multiple of 257 is expected"),
        (lambda text: gzip.compress(text, 1)[:-1000], "it is cut short"),
        (lambda text: bz2.compress(text)[:-1000], "it is cut short"),
        (lambda text: gzip.compress(text, 1)[:5000] + b"?" * 500, "its compressed data is damaged|cut short"),
        (lambda _: b"\n<!DOCTYPE html><html><body>404</body></html>", "it is a web page, not digits"),
        (lambda _: b"", "it is empty"),
        (lambda text: text.replace(b"-1", b"minus", 1), "it has 'minus' where a number is expected"),
        (lambda text: text.replace(b"-1", b"-1.5", 1), "the value '-1.5', -1 to 1 is expected"),
        (lambda text: text.replace(b"-1", b"nan", 1), "the value 'nan', -1 to 1 is expected"),
        (lambda text: b"11" + text[1:], "the label '11', 0 to 9 is expected"),
        (lambda text: b"0 1:0\n" + libsvm(text, sparse=False), "the label '0', 1 to 10 is expected"),
        (lambda text: b"1 257:0\n" + libsvm(text, sparse=False), "the index '257', 1 to 256 is expected"),
        (lambda text: b"1 1:0 2\n" + libsvm(text, sparse=False), "its line 1 is not a label and"),
        (
            lambda text: relabelled(text, lambda digit: digit or 10),
            "labels have 10 for the digit 0; 0 to 9 is",
        ),
        (lambda text: relabelled(text, lambda digit: digit + 1), "labels are counted from 1, one more than"),
        (
            lambda text: libsvm(relabelled(text, lambda digit: (digit or 10) - 1), sparse=True),
            "labels have 10 for the digit 0; 1 to 10 is expected here",
        ),
        (
            lambda text: libsvm(relabelled(text, lambda digit: digit - 1), sparse=True),
            "labels are the digits themselves; 1 to 10 is expected here",
        ),
        (
            lambda text: relabelled(text, lambda digit: digit + 1)[: text.index(b"\n", 200000) + 1],
            "labels are 1 to 10: 10 stands for 0, or they are counted from 1|numbers, a multiple",
        ),
        (lambda _: b"\x89HDF\r\n\x1a\n...", "it is an HDF5 file, which is not read"),
        (lambda _: b"PK\x03\x04...", "it is a zip archive, which is not read"),
        (lambda _: gzip.compress(b"\0" * 70_000_000, 1), "more than 67,108,864 bytes"),
    ],
    ids=[
        "one pixel changed",
        "labels shifted",
        "8 bit",
        "a line lost",
        "end lost",
        "gzip cut",
        "bzip2 cut",
        "gzip overwritten",
        "web page",
        "empty",
        "a word",
        "beyond range",
        "not a number",
        "no digit",
        "LIBSVM label",
        "LIBSVM index",
        "LIBSVM pair",
        "10 for 0",
        "from 1",
        "LIBSVM 10 for 0",
        "LIBSVM from 0",
        "some from 1",
        "HDF5",
        "zip",
        "bomb",
    ],
)
def test_damage_is_refused_with_what_differs(
    texts: Texts, tmp_path: Path, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    damaged = damage(texts["zip.test"])
    assert damaged != texts["zip.test"]
    folder = write(tmp_path, {"zip.test": damaged})

    with pytest.raises(
        DataError, match=rf"The USPS test set in .*zip\.test can not be used: .*{complaint}"
    ) as caught:
        read_test_set(folder)

    said = str(caught.value)
    assert (
        "Put the known one in its place, or move it away and run `retronet data fetch usps --data-dir" in said
    )
    assert "Delete" not in said


@settings(max_examples=COUNT, deadline=None)
@given(data=st.data())
def test_damaged_text_is_read_or_refused_whatever_the_damage(data: st.DataObject) -> None:
    lines = [" ".join([f"{digit}.0000", *(["-1.000", "0.5", "0"] * 86)[:256]]) for digit in (3, 0, 9)]
    esl = "\n".join(lines).encode()
    content = bytearray(data.draw(st.sampled_from([esl, libsvm(esl, sparse=True)])))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["set", "cut", "word"])):
            case "set":
                content[place] = data.draw(st.integers(0, 255))
            case "cut":
                del content[place : place + data.draw(st.integers(1, 600))]
            case _:
                words = [
                    b" nan ",
                    b" inf ",
                    b"1e999",
                    b"10",
                    b"-0",
                    b":",
                    b"\n\n",
                    b"1_0",
                    b"\x00",
                    b"9" * 5000,
                ]
                content[place:place] = data.draw(st.sampled_from(words))
        content = content or bytearray(b"\n")
    with pytest.raises(WrongContent, match=r"^it|^the"):
        decode(bytes(content), TEST)


def test_a_label_at_the_end_of_a_line_is_not_lost_in_the_pixels() -> None:
    pixels = " ".join(["-1"] * 255)
    images, labels = decode_esl(f"7.0000 0.5000 {pixels} \n3 1.0 {pixels}\n".encode())

    assert labels.tolist() == [7, 3]
    assert images[:, 0, 0].tolist() == [1500, 2000]
    assert (images.reshape(2, -1)[:, 1:] == 0).all()
