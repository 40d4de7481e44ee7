"""Several seeds from the command line: a table, and an interruption that says one word and loses nothing."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result


@pytest.mark.usefixtures("interruptible")
def test_interrupted_seeds_say_so_once_and_go_on(tmp_path: Path) -> None:
    words = ["train", "--data", "digits5k", "--passes", "30", "--seeds", "0,1", "--jobs", "2"]
    # A shell that puts a suite of tests into the background lets it, and what it starts, ignore Ctrl-C.
    ctrl_c = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{ctrl_c}; from retronet_cli.main import main; main()", *words]
    with subprocess.Popen(
        [*command, "--runs", str(tmp_path)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + 120
        while not list(tmp_path.glob("*/checkpoint.safetensors")) and time.monotonic() < until:
            time.sleep(0.05)
        # As Ctrl-C does: every process of the group gets it.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.count("Interrupted.") == 1
    go_on = shlex.join([*words, "--runs", str(tmp_path)])
    assert f"Go on with: retronet {go_on}\n" in err
    assert "Traceback" not in err
    started = {path.parent.name: path.read_bytes() for path in tmp_path.glob("*/epochs.jsonl")}
    assert started

    done = subprocess.run(
        [*command, "--runs", str(tmp_path), "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert [each["seed"] for each in found["seeds"]] == [0, 1]
    assert found["spread"]["test"]["misses"]["count"] == 2
    for each in found["seeds"]:
        folder = Path(each["run"])
        lines = (folder / "epochs.jsonl").read_bytes()
        assert len(lines.splitlines()) == 30
        # What was done before is kept, but for a line that its checkpoint did not follow.
        before = started.get(folder.name, b"").splitlines(keepends=True)[:-1]
        assert lines.startswith(b"".join(before))


def children(process: int) -> list[int]:
    """Return the processes that a process has started, on Linux."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process and b"spawn_main" in (path.parent / "cmdline").read_bytes():
            found.append(int(path.parent.name))
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def begun(words: list[str], runs: Path) -> subprocess.Popen[str]:
    """Begin to train from several seeds, and wait until two have passes behind them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "retronet_cli", *words, "--runs", str(runs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while len(list(runs.glob("*/checkpoint.safetensors"))) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    return process


@pytest.fixture
def words(tiny_network: Path, compiled: None) -> list[str]:  # noqa: ARG001
    options = ["--data", "digits5k", "--network", str(tiny_network), "--passes", "25"]
    return ["train", *options, "--seeds", "0-2", "--jobs", "2"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_their_parent_and_the_command_goes_on(
    call: Callable[..., Result], words: list[str], tmp_path: Path
) -> None:
    whole, runs = tmp_path / "whole", tmp_path / "runs"
    assert call(*words[:-1], "1", "--runs", whole).exit_code == 0
    with begun(words, runs) as process:
        workers = children(process.pid)
        process.kill()
    done = call(*words[:-1], "1", "--runs", runs, "--json")

    assert done.exit_code == 0, done.stderr
    assert len(workers) == 2
    assert not any(alive(worker) for worker in workers)
    for folder in whole.iterdir():
        for name in ("run.json", "epochs.jsonl", "checkpoint.safetensors"):
            assert (runs / folder.name / name).read_bytes() == (folder / name).read_bytes(), name
        assert len(list((runs / folder.name).iterdir())) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_is_killed_is_a_sentence(words: list[str], tmp_path: Path) -> None:
    with begun(words, tmp_path) as process:
        os.kill(children(process.pid)[0], signal.SIGKILL)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (1, "")
    assert "Error: One of the processes was ended from outside" in err
    assert f"go on with: retronet {shlex.join([*words, '--runs', str(tmp_path)])}\n" in err
    assert "Traceback" not in err
