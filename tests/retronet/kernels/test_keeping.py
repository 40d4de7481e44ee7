"""Damaged, foreign and unwritable folders of compiled code: a run goes on with the same numbers."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numba
import pytest

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

PROGRAM = """
import numpy as np
from retronet.kernels.updates import square
values = np.arange(4, dtype=np.float32)
squares = np.zeros_like(values)
square(values, squares)
print(squares.tolist(), sum(square.stats.cache_hits.values()))
"""


def run(folder: Path) -> tuple[str, str]:
    """Return what the program prints, with its compiled code kept in `folder`, and what it says."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), done.stderr


FRESH, KEPT = "[0.0, 1.0, 4.0, 9.0] 0", "[0.0, 1.0, 4.0, 9.0] 1"


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "one byte", "garbage"])
def test_damaged_files_are_written_anew(tmp_path: Path, suffix: str, damage: str) -> None:
    assert run(tmp_path)[0] == FRESH
    assert run(tmp_path)[0] == KEPT
    (path,) = tmp_path.rglob(f"*square*{suffix}")
    content = bytearray(path.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 1
    kept = {"cut": content[: len(content) // 2], "emptied": b"", "garbage": b"\x80\x04garbage" * 9}
    path.write_bytes(kept.get(damage, content))

    assert run(tmp_path) == (FRESH, "")
    assert run(tmp_path) == (KEPT, "")


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_files_that_name_types_of_another_version_are_written_anew(tmp_path: Path, suffix: str) -> None:
    assert run(tmp_path)[0] == FRESH
    (path,) = tmp_path.rglob(f"*square*{suffix}")
    gone = b"cretronet.kernels.updates\nRenamed\n."
    path.write_bytes(sha256(gone).digest() + gone)

    assert run(tmp_path) == (FRESH, "")
    assert run(tmp_path) == (KEPT, "")


def test_a_folder_without_room_is_named_once(tmp_path: Path) -> None:
    program = PROGRAM.replace("import numpy", "import errno, numba.core.caching as c\nimport numpy")
    full = program.replace(
        "values =",
        "def full(*_): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "c.IndexDataCacheFile._open_for_write = full\nvalues =",
        1,
    )
    done = subprocess.run(
        [sys.executable, "-c", full],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == FRESH
    assert done.stderr.count("Compiled code can not be kept in") == 1
    assert "No space left on device" in done.stderr
    assert "delete the folder" in done.stderr
