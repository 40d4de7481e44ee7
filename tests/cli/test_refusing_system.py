"""One process at a time that writes a run; full disks and folders that can not be written."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result
from support.cut_off import content, cut_off_at

from retronet.runs.lock import LOCK
from retronet.training.train import Training

Call = Callable[..., Result]

HOLD = "import sys, time; from pathlib import Path; from retronet.runs.lock import writing\n" \
    "with writing(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"  # fmt: skip


def test_a_run_is_written_by_one_process_and_a_killed_one_leaves_no_lock(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    begin(tmp_path / "whole")
    with cut_off_at(Training, 1):
        begin(folder)
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        before = content(folder)
        for words in (("train", "--resume", folder), ("resume", folder)):
            refused = call(*words)
            assert (refused.exit_code, refused.stdout) == (1, "")
            assert f"The run {folder} is being written by another process" in refused.stderr
        assert "is being written by another process" in begin(folder, "--force").stderr
        assert content(folder) == before
        other.kill()
    assert (folder / LOCK).exists()

    assert call("resume", folder).exit_code == 0
    assert content(folder) == content(tmp_path / "whole")


def test_rows_are_written_by_one_process(call: Call, begin: Call, tmp_path: Path) -> None:
    from hw_sim.studies.sweep import append_rows

    begin(tmp_path / "run")
    words = ("sweep", tmp_path / "run", "--bits", "3", "--tensors", "all", "--jobs", "1", "--json")
    assert call(*words).exit_code == 0
    rows = tmp_path / "run/sweep.jsonl"
    before = rows.read_bytes()
    held = append_rows(rows, iter(()))
    waiting = append_rows(rows, (row for row in [next(iter(_rows(rows)))]))
    next(waiting)
    refused = call("sweep", tmp_path / "run", "--bits", "4", "--tensors", "all", "--jobs", "1")
    waiting.close()
    held.close()

    assert refused.exit_code == 1
    assert f"The file {rows} is being written by another process" in refused.stderr
    assert rows.read_bytes() == before * 2


def _rows(path: Path) -> list[object]:
    from hw_sim.studies.sweep import read_rows

    return list(read_rows(path))


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: as a full disk does, but without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("lines", [0.5, 1.5, 2.5])
def test_a_full_disk_is_a_sentence_and_loses_nothing(
    call: Call, begin: Call, tmp_path: Path, lines: float
) -> None:
    """The disk is full in the middle of a checkpoint, or of a line."""
    begin(tmp_path / "whole", "--set", "take=150")
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "whole").iterdir()}
    room = (
        int(sizes["checkpoint.safetensors"] * 0.9) if lines == 0.5 else int(sizes["epochs.jsonl"] / 3 * lines)
    )
    with little_room(room):
        full = begin(tmp_path / "run", "--set", "take=150")
    assert (full.exit_code, full.stdout) == (1, "")
    assert "Traceback" not in full.stderr
    assert "The system refused: [Errno 27]" in full.stderr
    assert "Mend that" in full.stderr
    if not (tmp_path / "run/run.json").exists():
        assert begin(tmp_path / "run", "--set", "take=150").exit_code == 0
    assert call("resume", tmp_path / "run").exit_code == 0
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_a_folder_that_can_not_be_written_is_a_sentence_and_can_be_read(
    call: Call, begin: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cut_off_at(Training, 1):
        begin(tmp_path / "run")
    before = content(tmp_path / "run")
    opened = Path.open

    def refuse(self: Path, mode: str = "r", *arguments: object, **named: object) -> object:
        if mode != "rb" and self.is_relative_to(tmp_path / "run") and mode[0] in "awx":
            raise OSError(30, "Read-only file system", str(self))
        return opened(self, mode, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)

    refused = call("resume", tmp_path / "run")
    swept = call("sweep", tmp_path / "run", "--bits", "3", "--jobs", "1")

    for result in (refused, swept):
        assert (result.exit_code, result.stdout) == (1, "")
        assert "The system refused: [Errno 30] Read-only file system" in result.stderr
        assert "Traceback" not in result.stderr
    assert call("evaluate", tmp_path / "run").exit_code == 0
    assert call("simulate", tmp_path / "run").exit_code == 0
    assert content(tmp_path / "run") == before
