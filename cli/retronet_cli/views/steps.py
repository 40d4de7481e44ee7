"""What each stage of reading makes of a picture, drawn one below the other."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from retronet.reading.read import ReadDigit, ReadPicture, Stages
    from retronet.reading.strip import Strip

COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (23, 133, 145))
DROPPED = (200, 200, 200)
WIDTH, LEAST_WIDTH, MARGIN, CAPTION, ENLARGED = 1200, 480, 10, 18, 4
Pixels = NDArray[np.uint8]


def steps_png(made: "Stages", read: "ReadPicture", strips: "Sequence[Strip]" = ()) -> bytes:
    """Return a PNG file: the picture, its ink, its digits, and these normalised, with their answers.

    Where the network was slid over `strips`, these stand in place of digits, as the alignment parts them.
    """
    panels = [
        ("1 The picture" + (", turned over" if made.turned else ""), _fitted(_grey(made.darkness))),
        ("2 Threshold: ink", _fitted(_grey(made.ink.astype(np.float32)))),
    ]
    if strips:
        panels += [
            (
                "3 Components dropped (grey), the rest as the alignment parts it",
                _fitted(_aligned(made, read, strips)),
            ),
            (
                "4 What was slid over, answer and confidence; rejected ones in brackets",
                _strips(read, strips),
            ),
        ]
    else:
        panels += [
            ("3 Components dropped (grey), joined and parted into digits", _fitted(_coloured(made))),
            ("4 Normalised, answer and confidence; rejected ones in brackets", _digits(made, read)),
        ]
    width = max(panel.width for _, panel in panels) + 2 * MARGIN
    height = sum(panel.height + CAPTION + MARGIN for _, panel in panels) + MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    pen, row = ImageDraw.Draw(sheet), MARGIN
    for caption, panel in panels:
        pen.text((MARGIN, row), caption, fill="black", font=_font())
        sheet.paste(panel, (MARGIN, row + CAPTION))
        row += panel.height + CAPTION + MARGIN
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _font() -> "ImageFont.ImageFont | ImageFont.FreeTypeFont":
    return ImageFont.load_default(12)


def _grey(darkness: NDArray[np.float32]) -> Pixels:
    levels = np.rint(255 * (1 - darkness)).astype(np.uint8)
    return np.repeat(levels[:, :, np.newaxis], 3, axis=2)


def _coloured(made: "Stages") -> Pixels:
    pixels = np.full((*made.ink.shape, 3), 255, np.uint8)
    pixels[made.ink] = DROPPED
    for index, part in enumerate(part for line in made.lines for part in line):
        box = pixels[part.row : part.bottom, part.column : part.right]
        box[part.ink] = COLOURS[index % len(COLOURS)]
    return pixels


def _aligned(made: "Stages", read: "ReadPicture", strips: "Sequence[Strip]") -> Pixels:
    pixels = np.full((*made.ink.shape, 3), 255, np.uint8)
    pixels[made.ink] = DROPPED
    for strip, line in zip(strips, read.lines, strict=True):
        box = pixels[strip.line.row : strip.line.bottom, strip.line.column : strip.line.right]
        for index, each in enumerate(line):
            first = each.column - strip.line.column
            columns = slice(first, None if each is line[-1] else first + each.columns)
            box[:, columns][strip.line.ink[:, columns]] = COLOURS[index % len(COLOURS)]
    return pixels


def _strips(read: "ReadPicture", strips: "Sequence[Strip]") -> Image.Image:
    """Return the strips one below the other, with a frame around what the alignment takes for each digit."""
    widest = max(strip.field.shape[1] for strip in strips)
    times = max(1, min(2 * ENLARGED, WIDTH // widest))
    rows = times * strips[0].field.shape[0]
    sheet = Image.new("RGB", (times * widest, len(strips) * (rows + CAPTION + MARGIN)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (strip, line) in enumerate(zip(strips, read.lines, strict=True)):
        top = number * (rows + CAPTION + MARGIN)
        shades = (strip.field - strip.paper) / max(float(strip.field.max()) - strip.paper, 1e-9)
        drawn = Image.fromarray(_grey(shades.astype(np.float32)))
        size = (times * drawn.width, rows)
        sheet.paste(drawn.resize(size, Image.Resampling.NEAREST), (0, top))
        for index, each in enumerate(line):
            start, stop = (
                times * (strip.first + strip.scale * (column - strip.line.column))
                for column in (each.column, each.column + each.columns)
            )
            colour = COLOURS[index % len(COLOURS)]
            pen.rectangle((start, top, stop - 2, top + rows - 1), outline=colour)
            pen.text((start, top + rows + 2), _words(each), fill=colour, font=_font())
    return sheet


def _words(each: "ReadDigit") -> str:
    words = f"{each.digit}  {each.confidence:.2f}"
    return f"({words})" if each.rejected else words


def _fitted(pixels: Pixels) -> Image.Image:
    """Return a picture neither too small to see nor too wide for a screen."""
    picture = Image.fromarray(pixels)
    if picture.width > WIDTH:
        size = (WIDTH, max(1, round(picture.height * WIDTH / picture.width)))
        return picture.resize(size, Image.Resampling.BOX)
    times = max(1, LEAST_WIDTH // picture.width)
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _digits(made: "Stages", read: "ReadPicture") -> Image.Image:
    digits = made.normalised
    low, high = float(digits.min()), float(digits.max())
    shares = (digits - low) / max(high - low, 1e-9)
    rows, columns = (ENLARGED * size for size in digits.shape[1:])
    across, deep = columns + MARGIN, rows + CAPTION + MARGIN
    a_row = max(1, WIDTH // across)
    answers = [each for line in read.lines for each in line]
    size = (min(a_row, len(answers)) * across, -(-len(answers) // a_row) * deep)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for index, (share, each) in enumerate(zip(shares, answers, strict=True)):
        left, top = index % a_row * across, index // a_row * deep
        sheet.paste(
            Image.fromarray(_grey(share)).resize((columns, rows), Image.Resampling.NEAREST), (left, top)
        )
        colour = COLOURS[index % len(COLOURS)]
        pen.rectangle((left, top, left + columns - 1, top + rows - 1), outline=colour)
        pen.text((left, top + rows + 2), _words(each), fill=colour, font=_font())
    return sheet
