"""Descriptions are TOML files: those in a folder of the package by name, others by path."""

from pathlib import Path
from typing import TypeVar

from retronet.errors import ChoiceError, InputError, one_line, unknown_name
from retronet.refusals import LARGEST_TEXT, as_kind, parse_toml

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
        if _is_file(Path(name)):
            return Path(name)
        raise ChoiceError(f"There is no {what} file '{name}'. Give an existing path or a {what}'s name.")
    files = _files_in(folder)
    if name in files:
        return files[name]
    raise unknown_name(what, name, sorted(files), f"retronet show {what}s")


def read_toml(path: Path) -> str:
    """Return the text of the file `path`; half a sentence says why if it can not be TOML.

    Raises
    ------
    InputError
        If it is too long or not UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(4 * LARGEST_TEXT + 1)
    if len(content) > 4 * LARGEST_TEXT:
        raise InputError(
            f"it has more than {4 * LARGEST_TEXT:,} bytes, {LARGEST_TEXT:,} characters are allowed"
        )
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"it is not UTF-8: byte {error.start + 1:,} is {content[error.start]:#04x}"
        ) from error


def decode_toml(path: Path, kind: type[T]) -> T:
    """Return the content of the TOML file `path` as a value of the type `kind`.

    Raises
    ------
    InputError
        If the file is not TOML or has an unknown key, a missing key or a value of another type; the message
        names the file, the place inside it, what stands there and what is allowed.
    """
    try:
        return as_kind(parse_toml(read_toml(path)), kind)
    except InputError as error:
        raise unusable(f"The file {path}", error) from error


def unusable(what: str, error: InputError) -> InputError:
    """Return the whole sentence for a file whose content `error` refuses in half a one."""
    return InputError(f"{what} can not be used: {one_line(str(error)).rstrip('.')}. Mend it and try again.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no system has a file of such a name: too long, or with a zero byte
        return False
