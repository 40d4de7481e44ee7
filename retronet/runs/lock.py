"""A lock on what one process writes. The system releases it when that process ends, however it ends."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from retronet.errors import InputError

LOCK = ".retronet.lock"
LEFT_OVER = re.compile(r"\.(run|before|epochs|checkpoint|timing|history|plan)\.[a-z]+\.\d+\.part")
"""Temporary files of a run's own, as `retronet.runs.checkpoint.write_atomically` names them."""
GRACE_SECONDS = 2.0
"""How long to wait for a process that is ending."""


def is_own(name: str) -> bool:
    """Return whether a file of that name in a run's folder is a lock or the left-over of a killed write."""
    return name == LOCK or LEFT_OVER.fullmatch(name) is not None


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only process that writes the run in `folder`; remove what killed writes left over there.

    Raises
    ------
    InputError
        If another process writes it.
    """
    with _locked_file(folder / LOCK, f"The run {folder}"):
        for path in folder.iterdir():
            if LEFT_OVER.fullmatch(path.name):
                path.unlink(missing_ok=True)
        yield


def lock(file: IO[bytes], what: str) -> None:
    """Lock an open file until it is closed.

    Raises
    ------
    InputError
        If another process has it; `what` names it at the head of the sentence.
    """
    until = time.monotonic() + GRACE_SECONDS
    while not _try(file):
        if time.monotonic() > until:
            raise InputError(
                f"{what} is being written by another process; one at a time may. "
                "Wait until that one is done, or end it, and give the command again."
            )
        time.sleep(0.02)


@contextmanager
def _locked_file(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`; it is gone afterwards, unless the process was killed."""
    while True:
        with path.open("ab") as file:
            lock(file, what)
            # Whoever held it before has removed it: what was locked is then no longer what others would open.
            if not _is_at(file, path):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try(file: IO[bytes]) -> bool:
        try:
            # A byte far behind the content: locked bytes can not be read by others there.
            file.seek(1 << 62)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
