"""Damaged, foreign and unwritable folders of compiled code: a run goes on with the same numbers."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numba
import pytest

import retronet
from retronet.kernels.keeping import CheckedFile

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

PROGRAM = """
import numpy as np
from retronet.kernels.updates import square
values = np.arange(8, dtype=np.float32)
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


SQUARES = "[0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0]"
FRESH, KEPT = f"{SQUARES} 0", f"{SQUARES} 1"


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


def kept_by(folder: Path, source: str) -> CheckedFile:
    return CheckedFile(cache_path=str(folder), filename_base="kernel", source_stamp=source)


@pytest.mark.parametrize("change", ["source", "Numba", "signature"])
def test_a_file_that_holds_something_else_is_not_used(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ended between index and file leaves an index that names a file of before."""
    before = kept_by(tmp_path, "before" if change == "source" else "now")
    if change == "Numba":
        before._version = "0.1"
    key = "other types" if change == "signature" else "types"
    before.save(key, "code of before")
    assert before.load(key) == "code of before"
    now = kept_by(tmp_path, "now")
    if change == "signature":
        now._save_index({})
    with monkeypatch.context() as patch:
        patch.setattr(now, "_save_data", lambda *_: None)
        now.save("types", "code of now")
    assert Path(tmp_path, now._load_index()["types"]).exists()  # it is that of before

    assert now.load("types") is None
    now.save("types", "code of now")
    assert now.load("types") == "code of now"


def test_a_change_of_any_kernel_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may be one that the user named, the same for each version of the source."""
    source = tmp_path / "source"
    shutil.copytree(Path(retronet.__file__).parent, source / "retronet")
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # not the folder where the tests run
    kept = tmp_path / "kept"
    assert [run(kept)[0], run(kept)[0]] == [FRESH, KEPT]
    with (source / "retronet" / "kernels" / "units.py").open("a") as file:
        file.write("# another\n")

    assert [run(kept)[0], run(kept)[0]] == [FRESH, KEPT]


CHANGES = {
    "a cache of another name": """
from numba.core import dispatcher
Renamed = dispatcher.FunctionCache
dispatcher.Dispatcher.enable_caching = lambda self: setattr(self, "_cache", Renamed(self.py_func))
del dispatcher.FunctionCache
""",
    "a cache of other parts": """
from numba.core import dispatcher
class Other:
    cache_path = "somewhere"
    def __init__(self, function, real=dispatcher.FunctionCache):
        self.real = real(function)
        self.load_overload, self.save_overload = self.real.load_overload, self.real.save_overload
dispatcher.FunctionCache = Other
""",
    "no pair of files": """
import numba.core, types
known = {**vars(numba.core.caching)}
del known["IndexDataCacheFile"]
numba.core.caching = types.SimpleNamespace(**known)
""",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_numba_without_the_parts_that_this_needs(tmp_path: Path, change: str) -> None:
    """As a version to come may be: code is kept as Numba keeps it."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", CHANGES[change] + PROGRAM],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout.strip(), done.stderr) == (KEPT, "")
    assert not list(tmp_path.rglob("*.checked.*"))
