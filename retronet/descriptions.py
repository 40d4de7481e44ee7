"""Descriptions are TOML files: those in a folder of the package by name, others by path."""

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from retronet.errors import ChoiceError, InputError, one_line, unknown_name
from retronet.refusals import LARGEST_TEXT, as_kind, parse_toml

T = TypeVar("T")
LONG_LINE = 100
"""Characters of a list that stands on one line."""


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


def as_toml(value: msgspec.Struct) -> str:
    """Return a description as the text of a TOML file that reads as an equal value.

    What has its default is left out. Lists of tables and long tables stand under headings; all else stands
    on one
    line, or a list on a line for each element where one is too short.
    """
    content = _stated(value)
    lines = [f"{key} = {_broken(each)}" for key, each in content.items() if not _tables(each)]
    for key, each in content.items():
        for table in _tables(each):
            heading = f"[{key}]" if isinstance(each, dict) else f"[[{key}]]"
            lines += ["", heading, *(f"{name} = {_broken(part)}" for name, part in table.items())]
    return "\n".join(lines) + "\n"


def _tables(value: object) -> list[dict[str, Any]]:
    """Return what stands under headings of its own: a long table, or the tables of a list."""
    if isinstance(value, dict):
        return [value] if len(toml_value(value)) > LONG_LINE else []
    tables = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return list(value) if tables and isinstance(value, list) else []


def _stated(value: object) -> Any:  # noqa: ANN401 - tables, lists and plain values
    """Return a value as tables, lists and plain values, without what has its default."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        content: dict[str, Any] = {str(config.tag_field): config.tag} if config.tag is not None else {}
        for field in msgspec.structs.fields(value):
            part = getattr(value, field.name)
            if part is not None and (field.required or part != _default(field)):
                content[field.encode_name] = _stated(part)
        return content
    if isinstance(value, dict):
        return {key: _stated(part) for key, part in value.items() if part is not None}
    if isinstance(value, tuple | list):
        return [_stated(part) for part in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _broken(value: object) -> str:
    """Return a value as TOML has it, a long list on several lines."""
    text = toml_value(value)
    if len(text) <= LONG_LINE or not isinstance(value, list):
        return text
    return "[\n" + "".join(f"  {toml_value(each)},\n" for each in value) + "]"


def toml_value(value: object) -> str:
    """Return a table, list or plain value as TOML writes it on one line."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {toml_value(part)}" for key, part in value.items()) + " }"
        case list():
            return "[" + ", ".join(toml_value(part) for part in value) + "]"
        case bool():
            return json.dumps(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return repr(value)
