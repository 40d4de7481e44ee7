"""Two processes that need one function: the second waits, unless it would wait for ever."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest

from retronet.kernels.making import Making, fcntl

pytestmark = [
    pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled"),
    pytest.mark.skipif(fcntl is None, reason="the system has no such locks"),
]

PROGRAM = """
import sys
import numpy as np
from retronet.kernels import making
from retronet.kernels.updates import square
making.PATIENCE_S = float(sys.argv[1])
print(square._cache.making._path, flush=True)
if len(sys.argv) > 2:  # takes the lock, and never lets go
    square._cache.making.begin()
    print("locked", flush=True)
sys.stdin.readline()
values = np.arange(8, dtype=np.float32)
squares = np.zeros_like(values)
square(values, squares)
print(squares.tolist(), sum(square.stats.cache_hits.values()), flush=True)
"""


class Other:
    """A process that compiles when it is told to."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lock = Path(self.read())

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def begin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def waits(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False


@pytest.fixture
def others() -> Iterator[list[Other]]:
    begun: list[Other] = []
    yield begun
    for other in begun:
        other.process.kill()
        other.process.communicate()


SQUARES = "[0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0]"
FRESH, KEPT = f"{SQUARES} 0", f"{SQUARES} 1"


def test_a_function_is_compiled_once_however_many_need_it(tmp_path: Path, others: list[Other]) -> None:
    others += [Other(tmp_path, "60") for _ in range(3)]
    for other in others:
        other.begin()
    assert sorted(other.read() for other in others) == [FRESH, KEPT, KEPT]


def test_what_is_in_the_making_is_waited_for(tmp_path: Path, others: list[Other]) -> None:
    others.append(Other(tmp_path, "60"))
    making = Making(others[0].lock)
    making.begin()
    others[0].begin()
    assert others[0].waits(1.5)
    making.end()
    assert others[0].read() == FRESH


def test_who_compiled_and_was_killed_keeps_nobody_waiting(tmp_path: Path, others: list[Other]) -> None:
    others += [Other(tmp_path, "60", "hold"), Other(tmp_path, "60")]
    assert others[0].read() == "locked"
    others[1].begin()
    assert others[1].waits(1.0)
    others[0].process.kill()
    assert others[1].read() == FRESH


def test_who_is_stopped_is_not_waited_for_for_long(tmp_path: Path, others: list[Other]) -> None:
    others += [Other(tmp_path, "60", "hold"), Other(tmp_path, "0.2")]
    assert others[0].read() == "locked"
    others[1].begin()
    assert others[1].read() == FRESH


def test_what_can_not_be_compiled_is_let_go(tmp_path: Path) -> None:
    program = (
        "from retronet.kernels.updates import square\n"
        "from numba.core.errors import TypingError\n"
        "try:\n    square('no', 'array')\n"
        "except TypingError:\n    print(square._cache.making._depth, square._cache.making._file)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0 None"


def test_locks_count(tmp_path: Path) -> None:
    making = Making(tmp_path / "lock")
    making.begin()
    making.begin()
    making.end()
    assert making._file is not None
    making.end()
    assert making._file is None
