"""Pictures of every kind that is read, and a sentence for every other."""

import io
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retronet.errors import ChoiceError, InputError
from retronet.reading import pictures
from retronet.reading.pictures import check_picture, load_picture, png_bytes

GREY = np.random.default_rng(0).integers(0, 256, (9, 14)).astype(np.uint8)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.pgm"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_and_colour_become_darkness(tmp_path: Path, name: str, mode: str) -> None:
    path = saved(tmp_path / name, Image.fromarray(GREY).convert(mode))
    found = load_picture(path)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 1 - GREY / 255, atol=1e-6)


def test_a_jpeg_is_read(tmp_path: Path) -> None:
    even = np.kron(GREY // 128 * 255, np.ones((8, 8), np.uint8))
    found = load_picture(saved(tmp_path / "a.jpg", Image.fromarray(even)))
    np.testing.assert_allclose(found, 1 - even / 255, atol=0.1)


def test_colours_count_by_their_luminance(tmp_path: Path) -> None:
    colours = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    found = load_picture(saved(tmp_path / "a.png", colours))
    np.testing.assert_allclose(found, [[1 - 0.299, 1 - 0.587, 1 - 0.114]], atol=0.01)


def test_what_is_transparent_is_paper(tmp_path: Path) -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[1, 1, 3] = 255
    found = load_picture(saved(tmp_path / "a.png", Image.fromarray(clear)))
    assert found.sum() == 1
    assert found[1, 1] == 1


def test_palettes_and_single_bits_are_read(tmp_path: Path) -> None:
    black = Image.fromarray(GREY).convert("1")
    np.testing.assert_array_equal(load_picture(saved(tmp_path / "a.png", black)) < 0.5, np.asarray(black))
    few = Image.fromarray(GREY).convert("P")
    np.testing.assert_allclose(load_picture(saved(tmp_path / "b.png", few)), 1 - GREY / 255, atol=0.01)


def test_sixteen_bits_are_read_in_full(tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 1 << 16, (5, 6)).astype(np.uint16)
    png = load_picture(saved(tmp_path / "a.png", Image.fromarray(deep)))
    np.testing.assert_allclose(png, 1 - deep / 65535, atol=1e-6)
    pgm = tmp_path / "a.pgm"
    pgm.write_bytes(b"P5 6 5 65535\n" + deep.astype(">u2").tobytes())
    np.testing.assert_allclose(load_picture(pgm), png, atol=1e-6)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = load_picture(saved(tmp_path / "a.png", Image.fromarray(GREY), exif=exif))
    np.testing.assert_allclose(found, 1 - np.rot90(GREY, -1) / 255, atol=1e-6)


def animated() -> bytes:
    content = io.BytesIO()
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    frames[0].save(content, "PNG", save_all=True, append_images=frames[1:])
    return content.getvalue()


def in_inks() -> bytes:
    content = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(content, "JPEG")
    return content.getvalue()


def bomb(columns: int, rows: int) -> bytes:
    """Return a small PNG that says it is huge."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


GOOD = png_bytes(GREY)
BAD = {
    "empty.png": (b"", "it is no picture of a known kind; PNG, JPEG and PGM are allowed"),
    "words.png": (b"no picture", "it is no picture of a known kind"),
    "program.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no picture of a known kind"),
    "cut.png": (GOOD[:-60], "a whole PNG, JPEG or PGM file is needed. Fetch or save it again."),
    "flipped.png": (GOOD[:50] + b"\xff\xff" + GOOD[52:], "a whole PNG, JPEG or PGM file is needed"),
    "cut.pgm": (b"P5 40 40 255\nabc", "a whole PNG, JPEG or PGM file is needed"),
    "nothing.pgm": (b"P5 0 0 255\n", "it is no picture of a known kind"),
    "moving.png": (animated(), "it has 2 frames; one is allowed. Save the frame"),
    "inks.jpg": (in_inks(), "its colours are CMYK; grey and RGB are allowed"),
    "huge.png": (
        bomb(8000, 8000),
        "it has 8,000 × 8,000 pixels; 40,000,000 in all are allowed. Scan at fewer",
    ),
    "bomb.png": (bomb(100_000, 100_000), "more pixels than is safe to unpack; 40,000,000 in all are allowed"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_of_digits_gets_one_sentence(tmp_path: Path, name: str) -> None:
    content, sentence = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=re.escape(sentence)) as caught:
            load_picture(path)
    assert str(caught.value).count(str(path)) == 1
    assert str(caught.value).count("can not be read") <= 1
    assert "\n" not in str(caught.value)
    if "whole" not in sentence:  # what its first bytes tell is refused before any picture is loaded
        with pytest.raises(InputError, match=re.escape(sentence)):
            check_picture(path)


def test_no_part_of_a_picture_is_taken_for_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for end in range(len(GOOD) - 20):  # what follows are check sums alone
        path.write_bytes(GOOD[:end])
        with pytest.raises(InputError, match="can not be read"):
            load_picture(path)


def test_what_is_no_file_is_a_wrong_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dangling.png").symlink_to("nowhere")
    for name, sentence in (
        ("", "it is a folder; a file is needed. Name a picture"),
        ("pipe.png", "it is a pipe or a device; a file is needed. Name a picture"),
        ("absent.png", f"There is no picture {tmp_path / 'absent.png'}. Give a PNG, JPEG or PGM file"),
        ("dangling.png", "There is no picture "),
    ):
        for look in (check_picture, load_picture):
            with pytest.raises(ChoiceError, match=re.escape(sentence)):
                look(tmp_path / name)


def test_a_file_that_may_not_be_read_is_no_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who runs the tests may read all, so the system's refusal is made up."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(GOOD)
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(
        InputError, match=r"the system refuses it \(Permission denied\)\. Give yourself the right"
    ):
        load_picture(tmp_path / "a.png")


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (256, 255), (257, 256), (300, 700)], ids=str)
def test_written_pictures_are_read_by_others(shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(shape).integers(0, 256, shape).astype(np.uint8)
    with Image.open(io.BytesIO(png_bytes(levels))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), levels)


def test_the_limit_is_on_all_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(GOOD)
    monkeypatch.setattr(pictures, "MOST_PIXELS", GREY.size)
    load_picture(path)
    monkeypatch.setattr(pictures, "MOST_PIXELS", GREY.size - 1)
    with pytest.raises(InputError, match="9 × 14 pixels; 125 in all are allowed"):
        load_picture(path)
