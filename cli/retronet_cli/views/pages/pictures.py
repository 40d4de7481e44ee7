"""Small grey pictures for pages: PNG files of the same bytes everywhere, for nothing in them is packed."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def grey_png(levels: NDArray[np.uint8]) -> bytes:
    """Return grey levels (rows, columns), 0 black, as a PNG.

    Its data are stored, not deflated: what deflating gives is another in each version of a library.
    """
    rows, columns = levels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in levels)
    blocks = [lines[start : start + 65535] for start in range(0, len(lines), 65535)]
    stored = b"".join(
        struct.pack("<BHH", index == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for index, block in enumerate(blocks)
    )
    data = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(lines))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def digit_address(image: NDArray[np.floating], low: float, high: float) -> str:
    """Return a digit as the address of a picture, ink dark on light paper."""
    shares = np.clip((image - low) / (high - low), 0, 1)
    levels = np.rint(255 * (1 - shares)).astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(grey_png(levels)).decode()}"
