"""Descriptions are TOML files: those in a folder of the package by name, others by path."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from retronet.errors import ChoiceError, InputError, unknown_name

T = TypeVar("T")


def names_in(folder: Path) -> list[str]:
    """Return the names of the descriptions in `folder`, or in rooms of their own one below it."""
    return sorted(_files_in(folder))


def _files_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for pattern in ("*.toml", "*/*.toml") for path in folder.glob(pattern)}


def find(what: str, name: str, folder: Path) -> Path:
    """Return the file of the description called `name`, or `name` itself if it ends in ``.toml``.

    Parameters
    ----------
    what
        The kind of thing described, such as ``"network"``.
    name
        A name in `folder`, or a path.
    folder
        The folder of the descriptions that come with the package.

    Raises
    ------
    InputError
        If there is no such file; the nearest name is suggested.
    """
    if name.endswith(".toml"):
        if Path(name).is_file():
            return Path(name)
        raise ChoiceError(f"There is no {what} file '{name}'. Give an existing path or a {what}'s name.")
    files = _files_in(folder)
    if name in files:
        return files[name]
    raise unknown_name(what, name, sorted(files), f"retronet show {what}s")


def decode_toml(path: Path, kind: type[T]) -> T:
    """Return the content of the TOML file `path` as a value of the type `kind`.

    Raises
    ------
    InputError
        If the file is not TOML or has an unknown key, a missing key or a value of another type.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"The file {path} can not be used: {error}. Mend it and try again.") from error
