"""Going on by what made a run, whichever command is given; and one process at a time that writes a run."""

import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from hw_sim.studies.retrain import Retraining
from retronet.runs.checkpoint import load_checkpoint
from retronet.runs.lock import LOCK, writing
from retronet.runs.run import open_run
from retronet.training.train import Training

Call = Callable[..., Result]
MEASURED = "timing.jsonl"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != MEASURED}


@contextmanager
def cut_off_at(kind: type, passes: int) -> Iterator[None]:
    """Interrupt training, or retraining, when so many passes are done."""
    whole = kind.run

    def run(self: object, *arguments: object) -> Iterator[object]:
        for step in whole(self, *arguments):
            yield step
            if self.passes >= passes:  # type: ignore[attr-defined]
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kind, "run", run)
        yield


@pytest.fixture
def begin(call: Call, tiny_network: Path, compiled: None) -> Call:  # noqa: ARG001
    def train(folder: Path, *arguments: object) -> Result:
        words = ("--data", "digits5k", "--network", tiny_network, "--passes", 3, "--set", "take=200")
        return call("train", *words, "--run", folder, *arguments)

    return train


@pytest.fixture
def imported(call: Call, begin: Call, tiny_network: Path, tmp_path: Path) -> Path:
    import numpy as np

    begin(tmp_path / "source")
    np.savez(
        tmp_path / "w.npz", **load_checkpoint(tmp_path / "source/checkpoint.safetensors").state.parameters
    )
    words = ("--network", tiny_network, "--data", "digits5k", "--run", tmp_path / "imported")
    assert call("import", tmp_path / "w.npz", *words).exit_code == 0
    return tmp_path / "imported"


@pytest.mark.parametrize("command", ["resume", "train --resume"])
def test_training_goes_on_to_the_same_bytes_snapshots_too(
    call: Call, begin: Call, tmp_path: Path, command: str
) -> None:
    begin(tmp_path / "whole", "--history", 70)
    with cut_off_at(Training, 1):
        cut = begin(tmp_path / "cut folder", "--history", 70)
    assert cut.exit_code == 130
    assert f"Go on with: retronet train --resume '{tmp_path / 'cut folder'}'\n" in cut.stderr

    done = call(*command.split(), tmp_path / "cut folder")

    assert done.exit_code == 0, done.stderr
    assert content(tmp_path / "cut folder") == content(tmp_path / "whole")
    assert len(content(tmp_path / "whole")["history.jsonl"].splitlines()) == 600 // 70


def test_other_snapshots_than_those_of_the_beginning_are_refused(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    begin(tmp_path / "run", "--history", 70)
    begin(tmp_path / "plain")

    assert call("train", "--resume", tmp_path / "run", "--history", 70).exit_code == 0
    for folder, said in (("run", "with a snapshot every 70 steps"), ("plain", "without snapshots")):
        refused = call("train", "--resume", tmp_path / folder, "--history", 71)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert said in refused.stderr


@pytest.mark.parametrize("passes", [0, 1, 2])
@pytest.mark.parametrize("command", ["resume", "retrain --resume"])
def test_retraining_goes_on_to_the_same_bytes_and_words(
    call: Call, begin: Call, tmp_path: Path, command: str, passes: int
) -> None:
    begin(tmp_path / "origin")
    words = (
        "retrain",
        tmp_path / "origin",
        "--passes",
        3,
        "--bits",
        4,
        "--layers",
        "last",
        "--seed",
        7,
        "--json",
    )
    whole = call(*words, "--run", tmp_path / "whole")
    with cut_off_at(Retraining, passes):
        cut = call(*words, "--run", tmp_path / "cut")
    assert (cut.exit_code, cut.stdout) == (130, "")
    assert f"Go on with: retronet retrain --resume {tmp_path / 'cut'}\n" in cut.stderr
    assert (f"Passes 1 to {passes} are kept." if passes else "No pass was done yet.") in cut.stderr

    done = call(*command.split(), tmp_path / "cut", "--json")

    assert done.exit_code == 0, done.stderr
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert {**json.loads(done.stdout), "run": ""} == {**json.loads(whole.stdout), "run": ""}
    assert [each["pass"] for each in json.loads(done.stdout)["passes"]] == [0, 1, 2, 3]


def test_each_maker_refuses_what_another_made_and_names_it(
    call: Call, begin: Call, imported: Path, tmp_path: Path
) -> None:
    begin(tmp_path / "trained")
    with cut_off_at(Retraining, 1):
        call("retrain", tmp_path / "trained", "--run", tmp_path / "retrained")
    trained, retrained = tmp_path / "trained", tmp_path / "retrained"
    cases = [
        ("train --resume", retrained, f"Go on with `retronet retrain --resume {retrained}`"),
        ("retrain --resume", trained, f"Go on with `retronet train --resume {trained}`"),
        ("train --resume", imported, "was imported from w.npz"),
        ("retrain --resume", imported, "was imported from w.npz"),
        ("resume", imported, "was imported from w.npz"),
    ]
    for command, folder, said in cases:
        before = content(folder)
        refused = call(*command.split(), folder)
        assert (refused.exit_code, refused.stdout) == (1, ""), command
        assert said in refused.stderr
        assert content(folder) == before


def test_resuming_a_retraining_takes_no_other_instructions(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "origin")
    call("retrain", tmp_path / "origin", "--passes", 1, "--run", tmp_path / "run")
    for words in (["--bits", 8], ["--passes", 5], ["--rate", 0.0005], ["--force"], [tmp_path / "origin"]):
        refused = call("retrain", "--resume", tmp_path / "run", *words)
        assert (refused.exit_code, refused.stdout) == (2, ""), words
        assert "--resume goes on with a run as it was begun" in refused.stderr


def test_a_retraining_cut_off_early_needs_what_it_began_with(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "origin")
    with cut_off_at(Retraining, 0):
        call("retrain", tmp_path / "origin", "--run", tmp_path / "run")
    begin(tmp_path / "origin", "--force", "--seed", 5)

    refused = call("resume", tmp_path / "run")

    assert refused.exit_code == 1
    assert f"is not in {tmp_path / 'origin'} or has changed. Retrain again" in refused.stderr


def test_the_command_to_go_on_with_names_the_data_and_is_quoted(
    call: Call, begin: Call, tmp_path: Path
) -> None:
    digits = tmp_path / "it's data"
    with cut_off_at(Training, 1):
        cut = begin(tmp_path / "run", "--data-dir", digits)
    words = shlex.split(cut.stderr.partition("Go on with: ")[2])

    assert words == ["retronet", "train", "--resume", str(tmp_path / "run"), "--data-dir", str(digits)]
    assert call(*words[1:]).exit_code == 0


# --- a retrained run and its plan


def test_a_retrained_run_is_simulated_under_its_own_plan(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "runs/a")
    call("retrain", tmp_path / "runs/a", "--passes", 2, "--run", tmp_path / "runs/b")
    os.utime(tmp_path / "runs/a/checkpoint.safetensors", (1e9, 1e9))
    last = open_run(tmp_path / "runs/b").records()[-1].test

    own = call("simulate", "--runs", tmp_path / "runs", "--json")
    shown = call("show", "plan", tmp_path / "runs/b", "--toml")
    other = call("simulate", "--runs", tmp_path / "runs", "--bits", 8, "--json")

    assert json.loads(own.stdout)["misses"] == last.misses
    assert json.loads(own.stdout)["bits"] is None
    assert shown.stdout == (tmp_path / "runs/b/plan.toml").read_text(encoding="utf-8")
    assert (
        f"Taking the latest run: {tmp_path / 'runs/b'} (retrained from {tmp_path / 'runs/a'}; " in own.stderr
    )
    assert "the newest checkpoint of 2)" in own.stderr
    assert "runs under its own plan" in own.stderr
    assert json.loads(other.stdout)["bits"] == 8
    assert "the formats asked for take its place" in other.stderr
    assert "its weights in floating point" in call("evaluate", tmp_path / "runs/b").stderr


def test_an_edited_plan_is_not_passed_over_in_silence(call: Call, begin: Call, tmp_path: Path) -> None:
    begin(tmp_path / "a")
    call("retrain", tmp_path / "a", "--passes", 1, "--run", tmp_path / "b")
    path = tmp_path / "b/plan.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 0", "seed = 1"), encoding="utf-8")

    refused = call("simulate", tmp_path / "b")

    assert refused.exit_code == 1
    assert "is not the one that the run was retrained under" in refused.stderr
    assert call("simulate", tmp_path / "b", "--plan", path).exit_code == 0
    path.unlink()
    assert call("simulate", tmp_path / "b").exit_code == 0


# --- one process at a time

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


# --- a system that refuses


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


def test_left_over_files_of_killed_writes_go_and_others_stay(call: Call, begin: Call, tmp_path: Path) -> None:
    with cut_off_at(Training, 1):
        begin(tmp_path / "run")
    begin(tmp_path / "whole")
    for name in (".checkpoint.safetensors.1.part", ".epochs.jsonl.23.part", ".run.json.4.part"):
        (tmp_path / "run" / name).write_bytes(b"half")
    for name in ("mine.part", ".thesis.tex.1.part"):
        (tmp_path / "run" / name).write_bytes(b"mine")

    assert call("resume", tmp_path / "run").exit_code == 0

    assert content(tmp_path / "run").keys() == content(tmp_path / "whole").keys() | {
        "mine.part",
        ".thesis.tex.1.part",
    }


def test_a_copied_run_goes_on_like_the_first(call: Call, begin: Call, tmp_path: Path) -> None:
    with cut_off_at(Training, 2):
        begin(tmp_path / "run")
    with writing(tmp_path / "run"):
        shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert call("resume", tmp_path / "copy").exit_code == 0
    assert call("resume", tmp_path / "run").exit_code == 0
    assert content(tmp_path / "copy") == content(tmp_path / "run")


def test_an_import_that_was_cut_off_says_so(call: Call, imported: Path) -> None:
    (imported / "checkpoint.safetensors").unlink()
    for command in ("evaluate", "simulate"):
        refused = call(command, imported)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "was cut off while it was imported, so it has no network. Import w.npz again" in refused.stderr
