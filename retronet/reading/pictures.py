"""Picture files as arrays of darkness, and the refusal of what is no picture of digits."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from retronet.errors import ChoiceError, InputError

MOST_PIXELS = 40_000_000
"""A page scanned at 600 dots an inch has 35 million; larger files are refused before they are unpacked."""

FORMATS = ("PNG", "JPEG", "PPM")
"""As Pillow names them; PPM is PGM too. Others may run programs, or are untried."""
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I", "I;16", "I;16B", "I;16L")
DEEP = {"I": 65535.0, "I;16": 65535.0, "I;16B": 65535.0, "I;16L": 65535.0}
"""What white is, where it is not 255."""


def check_picture(path: Path) -> None:
    """Refuse what can not be loaded as far as its first bytes tell: see `load_picture`.

    Raises
    ------
    InputError
        As `load_picture`.
    """
    with _opened(path):
        pass


def load_picture(path: Path) -> NDArray[np.float32]:
    """Return a picture as darkness: 0 is white and 1 black, shape (rows, columns).

    Colours count by their luminance, transparency as white paper. A photograph is turned as its camera says.

    Raises
    ------
    ChoiceError
        If there is no such file, or it is a folder, a pipe or a device.
    InputError
        If it is no PNG, JPEG or PGM, is damaged, has more than `MOST_PIXELS` pixels, several frames, or inks
        (CMYK) in place of light.
    """
    with _opened(path) as picture:
        return _darkness(ImageOps.exif_transpose(picture))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture whose kind and size are allowed; whatever goes wrong with it is said in one sentence."""
    if not path.exists():
        raise ChoiceError(f"There is no picture {path}. Give a PNG, JPEG or PGM file.")
    if not path.is_file():
        what = "folder" if path.is_dir() else "pipe or a device"
        raise ChoiceError(
            f"The picture {path} can not be read: it is a {what}; a file is needed. Name a picture."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                _check(path, picture)
                yield picture
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path, "more pixels than is safe to unpack") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"The file {path} can not be read: it is no picture of a known kind; PNG, JPEG and PGM are "
            "allowed. Save the picture as one of them."
        ) from error
    except PermissionError as error:
        raise InputError(
            f"The picture {path} can not be read: the system refuses it ({error.strerror}). Give yourself "
            "the right to read it, or name another file."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise InputError(
            f"The picture {path} can not be read: {error}; a whole PNG, JPEG or PGM file is needed. "
            "Fetch or save it again."
        ) from error


def _check(path: Path, picture: Image.Image) -> None:
    columns, rows = picture.size
    if rows * columns > MOST_PIXELS:
        raise _too_large(path, f"{rows:,} × {columns:,} pixels")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # cameras put a preview behind the photograph
        raise InputError(
            f"The picture {path} can not be read: it has {frames} frames; one is allowed. "
            "Save the frame that shows the digits."
        )
    if picture.mode not in MODES:
        raise InputError(
            f"The picture {path} can not be read: its colours are {picture.mode}; grey and RGB are "
            "allowed, with or without transparency. Save it as one of those."
        )


def _too_large(path: Path, what: str) -> InputError:
    return InputError(
        f"The picture {path} is too large: it has {what}; {MOST_PIXELS:,} in all are allowed. Scan at fewer "
        "dots an inch, or cut the part with the digits out."
    )


def _darkness(picture: Image.Image) -> NDArray[np.float32]:
    if picture.mode in DEEP:
        values = np.asarray(picture, np.float64)
        return (1 - np.clip(values / DEEP[picture.mode], 0, 1)).astype(np.float32)
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(paper, clear)
    grey = np.asarray(picture.convert("L"), np.float32)
    darkness: NDArray[np.float32] = 1 - grey / np.float32(255)
    return darkness


def png_bytes(levels: NDArray[np.uint8]) -> bytes:
    """Return a grey picture (rows, columns) as a PNG file, stored: no library decides its bytes."""
    rows, columns = levels.shape
    lines = np.pad(levels, ((0, 0), (1, 0))).tobytes()  # each line begins with its filter, none
    blocks = [lines[start : start + 0xFFFF] for start in range(0, len(lines), 0xFFFF)]
    stored = b"".join(
        struct.pack("<BHH", index == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for index, block in enumerate(blocks)
    )
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    body = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
