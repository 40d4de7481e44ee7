"""Pictures that nobody would scan, and options to read them with, all drawn from a seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retronet.datasets import load
from retronet.reading.compose import LAYOUTS, compose

Levels = NDArray[np.uint8]
Random = np.random.Generator


def _even(rng: Random, rows: int, columns: int) -> Levels:
    return np.full((rows, columns), int(rng.integers(0, 256)), np.uint8)


def _noise(rng: Random, rows: int, columns: int) -> Levels:
    return rng.integers(0, 256, (rows, columns)).astype(np.uint8)


def _specks(rng: Random, rows: int, columns: int) -> Levels:
    return np.where(rng.random((rows, columns)) < rng.random() ** 3, 20, 230).astype(np.uint8)


def _strokes(rng: Random, rows: int, columns: int) -> Levels:
    sheet = Image.fromarray(_even(rng, rows, columns))
    pen = ImageDraw.Draw(sheet)
    for _ in range(int(rng.integers(1, 30))):
        ends = [int(rng.integers(-5, size + 5)) for size in (columns, rows, columns, rows)]
        if rng.random() < 0.5:
            pen.line(ends, int(rng.integers(0, 256)), int(rng.integers(1, 9)))
        else:
            box = (*map(min, ends[:2], ends[2:]), *map(max, ends[:2], ends[2:]))
            pen.ellipse(box, outline=int(rng.integers(0, 256)), width=int(rng.integers(1, 5)))
    return np.asarray(sheet)


def _shaded(rng: Random, rows: int, columns: int) -> Levels:
    light = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), columns)[np.newaxis]
    return np.clip(light + rng.normal(0, 3, (rows, columns)), 0, 255).astype(np.uint8)


def _code(rng: Random, rows: int, columns: int) -> Levels:
    test, kinds = load("digits5k").test, list(LAYOUTS)
    code = compose(test, int(rng.integers(1, 9)), int(rng.integers(99)), 0, kinds[rng.integers(3)]).levels
    turned = np.rot90(code, int(rng.integers(4))) if rng.random() < 0.3 else code
    return np.ascontiguousarray(turned[: max(2, rows), : 3 * columns])


MAKERS: tuple[Callable[[Random, int, int], Levels], ...] = (
    _even,
    _noise,
    _specks,
    _strokes,
    _shaded,
    _code,
    _code,
)
KINDS = (
    ("L", "png"),
    ("L", "jpg"),
    ("L", "pgm"),
    ("1", "png"),
    ("P", "png"),
    ("RGB", "jpg"),
    ("RGBA", "png"),
    ("LA", "png"),
    ("I;16", "png"),
)


def odd_picture(folder: Path, seed: int) -> Path:
    """Write a picture of any content, size and form; some of them are cut off or have a byte changed."""
    rng = np.random.default_rng(seed)
    rows, columns = (int(2 ** rng.uniform(1, 9)) for _ in range(2))
    levels = MAKERS[rng.integers(len(MAKERS))](rng, rows, columns)
    if rng.random() < 0.2:
        levels = 255 - levels
    mode, ending = KINDS[rng.integers(len(KINDS))]
    path = folder / f"{seed}.{ending}"
    picture = (
        Image.fromarray(levels.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(levels).convert(mode)
    )
    picture.save(path)
    content = bytearray(path.read_bytes())
    if rng.random() < 0.1:
        content = content[: int(rng.integers(len(content)))]
    elif rng.random() < 0.1:
        content[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
    path.write_bytes(content)
    return path


def odd_options(seed: int) -> list[str]:
    """Return options of `retronet read`, of which some do not go together."""
    rng = np.random.default_rng([seed, 1])
    choices = (
        (0.5, ["--digits", str(int(rng.integers(1, 12)))]),
        (0.2, ["--scan", "--digits", str(int(rng.integers(1, 12)))]),
        (0.03, ["--scan"]),
        (0.3, ["--work"]),
        (0.4, ["--least-confidence", str(round(float(rng.uniform(0, 3)), 2))]),
        (0.2, ["--steps", "steps.png"]),
        (0.2, ["--bits", str(int(rng.integers(2, 14)))]),
        (0.1, ["--weight-format", ("{-1,0,1}", "p3.0")[rng.integers(2)]]),
        (0.1, ["--accumulator-bits", str(int(rng.integers(8, 20)))]),
        (0.1, ["--chip", ("anna", "net32k", "dsp32c-80ns", "dsp32c-100ns")[rng.integers(4)]]),
        (0.2, ["--json"]),
        (0.1, ["--format", ("csv", "markdown", "jsonl")[rng.integers(3)]]),
    )
    return [word for share, words in choices if rng.random() < share for word in words]
