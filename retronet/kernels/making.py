"""Who compiles a function just now: other processes wait for it, and take what was kept.

Each function has a file that its compiler locks. Locks go with the process that holds them, however it ends.
A process that waits holds the locks of functions that call the one it waits for, never the other way round,
so that no two wait for each other. Where there are no such locks, or nobody lets go of one for long, as a
stopped process does not, the function is compiled twice.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from numba.core import event

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = 30.0
"""How long a process waits for another that compiles a function."""
STEP_S = 0.005

WAITING = "retronet:waiting"
"""The event, of Numba's kind, that a process waits for another to compile."""


class Making:
    """The lock of one function."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._depth = 0

    def begin(self) -> None:
        """Wait until no other process compiles the function, and keep others from it."""
        self._depth += 1
        if self._depth > 1 or fcntl is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _try_to_lock(self._file):
                with _telling():
                    _wait_for(self._file)
        except OSError:  # a folder without locks, or that can not be written to
            return
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Let others at it, once for each `begin`."""
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0 and self._file is not None:
            os.close(self._file)
            self._file = None


def _try_to_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(file: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not _try_to_lock(file):
        time.sleep(STEP_S)


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    event.start_event(WAITING)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.end_event(WAITING)  # type: ignore[no-untyped-call]
