"""Damaged, foreign and unwritable folders of compiled code: a run goes on with the same numbers."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numba
import pytest

from retronet.kernels.keeping import CheckedFile

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
@pytest.mark.parametrize("damage", ["cut", "emptied", "one byte", "garbage", "older"])
def test_damaged_files_are_written_anew(tmp_path: Path, suffix: str, damage: str) -> None:
    assert run(tmp_path)[0] == FRESH
    assert run(tmp_path)[0] == KEPT
    (path,) = tmp_path.rglob(f"*square*{suffix}")
    content = bytearray(path.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 1
    # What an older version wrote may name things that this one has no more.
    gone = b"cretronet.kernels.updates\nNothing\n."
    kept = {"cut": content[: len(content) // 2], "emptied": b"", "garbage": b"\x80\x04garbage" * 9}
    kept["older"] = sha256(gone).digest() + gone
    path.write_bytes(kept.get(damage, content))

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


def test_an_index_that_names_a_record_that_is_no_more_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version kept: its digest is right, and unpickling finds no such class."""
    gone = type("Gone", (tuple,), {"__module__": __name__})
    monkeypatch.setitem(globals(), "Gone", gone)
    file = CheckedFile(cache_path=str(tmp_path), filename_base="kernel", source_stamp="now")
    file._save_index({gone(): "data"})
    assert len(file._load_index()) == 1
    monkeypatch.delitem(globals(), "Gone")

    assert file._load_index() == {}
    file._save_index({"signature": "data"})
    assert file._load_index() == {"signature": "data"}
