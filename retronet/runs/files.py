"""The lines of a run's files, and what is said of those that are damaged."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from retronet.errors import InputError

T = TypeVar("T")


def read_lines(path: Path) -> list[bytes]:
    """Return the lines of `path` with their ends, none if there is no such file."""
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def append(path: Path, lines: bytes) -> None:
    """Add lines to `path`, on the disk when this returns."""
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def decode_lines(path: Path, lines: list[bytes], kind: type[T]) -> list[T]:
    """Return lines of JSON as records.

    Raises
    ------
    InputError
        If one can not be read.
    """
    try:
        return [msgspec.json.decode(line, type=kind) for line in lines]
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, found: str) -> InputError:
    """Return the error of a file in which something else was found than was written."""
    return InputError(f"The file {path} is damaged: {found}. Train again or take another run.")
