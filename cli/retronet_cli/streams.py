"""Standard output and error that never end a run: plain substitutes for what an encoding lacks, closed pipes.

Light on purpose: help and usage errors need it too, and load neither rich nor numpy.
"""

import codecs
import io
import os
import sys
import unicodedata
from typing import TextIO

SUBSTITUTES = {
    "§": "sec. ",
    "−": "-",
    "–": "-",
    "—": "-",
    "‑": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "…": "...",
    "×": "x",
    "·": "*",
    "•": "*",
    "÷": "/",
    "±": "+-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "→": "->",
    "←": "<-",
    "°": " deg",
    "√": "sqrt ",
    "∞": "inf",
    "Σ": "sum",
    "σ": "sigma",
    "Δ": "delta",
    "δ": "delta",
    "Ω": "ohm",
    "π": "pi",
    "⌊": "floor(",
    "⌋": ")",
    "⟨": "<",
    "⟩": ">",
    "½": "1/2",
    "µ": "u",
    "μ": "u",
    "²": "^2",
    "³": "^3",
    "⁴": "^4",
    "ß": "ss",
    # Shades keep one character each: digits are drawn in them.
    "░": ".",
    "▒": "+",
    "▓": "%",
    "█": "#",
}
"""What stands for a character that an encoding lacks, in ASCII; the rest follows from `plain_character`."""

HANDLER = "retronet-plain"
ASCII = "retronet_ascii"
_LINES = range(0x2500, 0x2580)
_BARS = "─━┄┅┈┉╌╍═╴╶╸╺╼╾"
_POSTS = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"


def plain_character(character: str) -> str:
    """Return the ASCII that stands for one character: a substitute, the bare letter, or ``?``."""
    if character in SUBSTITUTES:
        return SUBSTITUTES[character]
    if ord(character) in _LINES:
        return "-" if character in _BARS else "|" if character in _POSTS else "+"
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(each for each in decomposed if each.isascii()) or "?"


def plain_text(text: str, encoding: str) -> str:
    """Return `text` with substitutes for what `encoding` lacks, to be laid out at its true width."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, HANDLER).decode(encoding, "replace")
    return text


def _substitute(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if 0xDC80 <= ord(character) <= 0xDCFF:
        # A byte of a file's name that is no text in this encoding: it goes out as it came in.
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return plain_character(character), error.start + 1


def _find_ascii(name: str) -> codecs.CodecInfo | None:
    if name != ASCII:
        return None
    codec = codecs.lookup("ascii")
    return codecs.CodecInfo(
        codec.encode,
        codec.decode,
        codec.streamreader,
        codec.streamwriter,
        codec.incrementalencoder,
        codec.incrementaldecoder,
        name=ASCII,
    )


codecs.register_error(HANDLER, _substitute)
codecs.register(_find_ascii)


def make_patient() -> None:
    """Let both streams write substitutes, where they would raise or write escapes.

    Click takes ASCII for a mistake, and writes UTF-8 to such a stream; under another name it is left alone.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            named = codecs.lookup(stream.encoding).name
            stream.reconfigure(encoding=ASCII if named == "ascii" else None, errors=HANDLER)


def discard(stream: TextIO) -> None:
    """Send what is still written to `stream`, whose reader has gone, to nowhere."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
