"""Finds a data set's files, fetches those that are not there, and proves that the content is the known one.

Checks are on decoded content, not on files: the same digits are spread as text and sparse text, plain,
gzip and bzip2, and servers unpack some of them on the way.
"""

import bz2
import gzip
import hashlib
import io
import os
import shlex
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from retronet.datasets.forms import form_of_content, form_of_name
from retronet.errors import DataError

T = TypeVar("T")
Content = bytes | memoryview
CONNECT_SECONDS = 5
READ_SECONDS = 10
MOST_BYTES = 1 << 26
"""Of a file and of what it unpacks to: the largest, MNIST's training images, has 47 million."""


class WrongContent(Exception):
    """Says in half a sentence why a file's content is not the data; `obtain` adds where and what to do."""


@dataclass(frozen=True)
class DataFile:
    """One file of a data set, under all the names it may have and the addresses it can be fetched from.

    `folder` is the sub-folder of the data folder and the name that ``retronet data fetch`` knows. `others`
    says why copies of another form are no help.
    """

    what: str
    folder: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    others: str = "copies of another form are not read"

    def find(self, data_dir: Path) -> Path | None:
        """Return the first of the names that is a file in the data folder, or None."""
        paths = (data_dir / self.folder / name for name in self.names)
        return next((path for path in paths if path.is_file()), None)

    def other_forms(self, data_dir: Path) -> str:
        """Return a sentence that names the files which seem to hold the digits in a form that is not read."""
        forms: list[str] = []
        for place, named in ((data_dir / self.folder, ""), (data_dir, self.folder)):
            for path in sorted(place.iterdir()) if place.is_dir() else []:
                form = form_of_name(path.name)
                if form and named in path.name.lower() and path.name not in self.names:
                    forms.append(f"{path} is {form}")
        return f" {'; '.join(forms[:3])}: {self.others}." if forms else ""


@dataclass(frozen=True)
class RawSplit:
    """A split as decoded: whole numbers (n, rows, columns), labels (n,), and the SHA-256 of both."""

    images: NDArray[np.integer]
    labels: NDArray[np.uint8]
    images_sha256: str
    labels_sha256: str


@dataclass(frozen=True)
class DataSource:
    """A data set that can be loaded: its name, what is known of it, and how its two splits are read.

    ``read(data_dir, download)`` returns the train and the test split or raises `DataError`. `files` is
    empty for digits that come with the package. `counts` are the images for training and for testing.
    """

    name: str
    title: str
    counts: tuple[int, int]
    size: tuple[int, int]
    licence: str
    source: str
    files: tuple[DataFile, ...]
    read: Callable[[Path, bool], tuple[RawSplit, RawSplit]]

    def state(self, data_dir: Path) -> Literal["embedded", "here", "incomplete", "absent"]:
        """Return how much of it lies in the data folder, by the files' names alone."""
        if not self.files:
            return "embedded"
        there = sum(file.find(data_dir) is not None for file in self.files)
        if there == len(self.files):
            return "here"
        return "incomplete" if there else "absent"


def data_folder(data_dir: Path | None = None) -> Path:
    """Return `data_dir`, else ``$RETRONET_DATA_DIR``, else the user's cache folder."""
    if data_dir is not None:
        return data_dir
    if given := os.environ.get("RETRONET_DATA_DIR"):
        return Path(given)
    return _cache_folder()


def _cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("retronet")


def _data_dir_option(data_dir: Path) -> str:
    return "" if data_dir == data_folder() else f" --data-dir {shlex.quote(str(data_dir))}"


def offline() -> bool:
    """Return whether ``$RETRONET_OFFLINE`` forbids the network."""
    return os.environ.get("RETRONET_OFFLINE", "") not in ("", "0")


def sha256(content: Content) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def check_shape(what: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Raise `WrongContent` unless the two shapes are the same."""
    if found != expected:
        raise WrongContent(f"the {what} have the shape {_times(found)}, {_times(expected)} is expected")


def check_digest(what: str, content: Content, expected: str) -> str:
    """Return the SHA-256 of `content`, or raise `WrongContent` if it is not the expected one."""
    found = sha256(content)
    if found != expected:
        raise WrongContent(f"the {what} have the SHA-256 {found[:16]}…, {expected[:16]}… is expected")
    return found


def _check_size(count: int) -> None:
    if count > MOST_BYTES:
        raise WrongContent(f"it has more than {MOST_BYTES:,} bytes, which none of the known files has")


def unpack(content: bytes) -> bytes:
    """Return `content` without its gzip or bzip2 wrapping, which its first bytes tell.

    Raises
    ------
    WrongContent
        If it is empty, cut short, damaged or a web page.
    """
    try:
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        elif content.startswith(b"BZh"):
            with bz2.open(io.BytesIO(content)) as bzipped:
                content = bzipped.read(MOST_BYTES + 1)
    except EOFError as error:
        raise WrongContent("it is cut short") from error
    except (OSError, ValueError, zlib.error) as error:
        raise WrongContent("its compressed data is damaged") from error
    if not content:
        raise WrongContent("it is empty")
    _check_size(len(content))
    if form := form_of_content(content):
        raise WrongContent(f"it is {form}, which is not read")
    if content[:200].lstrip().startswith(b"<"):
        raise WrongContent("it is a web page, not digits")
    return content


def obtain(file: DataFile, data_dir: Path, decode: Callable[[bytes], T], download: bool) -> T:
    """Return what `decode` makes of the file's unpacked content, fetching the file if it is not there.

    A fetched file takes its place only after `decode` has accepted it.

    Parameters
    ----------
    file
        The file.
    data_dir
        The data folder.
    decode
        Makes the value out of the bytes; raises `WrongContent` if they are not the known digits.
    download
        Whether the file may be fetched.

    Raises
    ------
    DataError
        If the file is not there and can not be fetched, or its content is not the known one.
    """
    found = file.find(data_dir)
    fetch = f"run `retronet data fetch {file.folder}{_data_dir_option(data_dir)}`"
    if found is not None:
        try:
            _check_size(found.stat().st_size)
            return decode(unpack(found.read_bytes()))
        except OSError as error:
            raise DataError(f"The file {found} can not be read: {error.strerror}. Mend that.") from error
        except WrongContent as error:
            # Only a file in the cache was fetched; any other is the user's own.
            ours = found.resolve().is_relative_to(_cache_folder().resolve())
            remedy = "Delete that file and" if ours else "Put the known one in its place, or move it away and"
            raise DataError(
                f"The {file.what} in {found} can not be used: {error}. {remedy} {fetch}."
            ) from error
    folder = data_dir / file.folder
    missing = f"The {file.what} is not in {folder}"
    remedy = f"Copy one of {', '.join(file.names)} there, or"
    others = file.other_forms(data_dir)
    if not download:
        raise DataError(f"{missing}.{others} {remedy} {fetch}.")
    if offline():
        raise DataError(f"{missing}, and RETRONET_OFFLINE forbids fetching it.{others} {remedy} unset that.")
    reasons = []
    try:
        with _folder_for_files(folder):
            for address in file.addresses:
                try:
                    return _fetch(address, folder, decode)
                except WrongContent as error:
                    reasons.append(f"{urlsplit(address).hostname}: {error}")
    except OSError as error:
        raise DataError(
            f"The folder {folder} can not be written: {error.strerror}. Choose another with --data-dir."
        ) from error
    raise DataError(
        f"{missing} and could not be fetched ({'; '.join(reasons)}).{others} {remedy} try again with a"
        " network."
    )


def _fetch(address: str, folder: Path, decode: Callable[[bytes], T]) -> T:
    name = address.rsplit("/", 1)[1]
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
        part = Path(scratch) / name
        _download(address, part)
        value = decode(unpack(part.read_bytes()))
        part.replace(folder / name)
    return value


def _download(address: str, path: Path) -> None:
    import pooch
    import requests

    fetch = pooch.HTTPDownloader(chunk_size=1 << 16, timeout=(CONNECT_SECONDS, READ_SECONDS))
    try:
        fetch(address, path, None)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise WrongContent(f"it answers {status}") from error
    except requests.Timeout as error:
        raise WrongContent("no answer in time") from error
    except requests.RequestException as error:
        raise WrongContent("no connection") from error


@contextmanager
def _folder_for_files(folder: Path) -> Iterator[None]:
    """Make `folder`, and take away again what of it was made and stays empty."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            for path in made:
                path.rmdir()


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(f"{size}" for size in shape)
