"""The second process that compiles: what it makes is taken, and its death, its absence, Ctrl-C do no harm."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numba
import pytest

pytestmark = [
    pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled"),
    pytest.mark.skipif(sys.platform != "linux", reason="only there does a second process compile"),
    pytest.mark.skipif(os.cpu_count() == 1, reason="a second process is for a second processor"),
]

PROGRAM = """
import os, signal, sys, threading
from numba.core import event
MAIN, LIVES = os.getpid(), 1000
CHANGE
log = open("log", "a", buffering=1)

class Told(event.Listener):
    made = 0
    def on_start(self, started):
        # By now it has the lock of the function.
        if os.getpid() != MAIN and self.made >= LIVES:
            os.kill(os.getpid(), signal.SIGKILL)
    def on_end(self, ended):
        loop = ended.data["dispatcher"].py_func
        if loop.__module__.partition(".")[0] in ("retronet", "hw_sim"):
            self.made += 1
            print(os.getpid(), loop.__module__, loop.__qualname__, hash(str(ended.data["args"])), file=log)

event.register("numba:compile", Told())
from retronet_cli.start import main
main()
"""
ONE_PROCESSOR = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.fork = None
"""
KILLED = """
LIVES = 1
"""
TRAIN = ("train", "--data", "digits5k", "--passes", "1", "--set", "take=200", "--run", "run", "--quiet")


def begin(folder: Path, change: str, *words: str) -> "subprocess.Popen[str]":
    """Begin the program in an empty folder, with an empty one for compiled code."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("CHANGE", change), *words],
        cwd=folder,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def compiled(folder: Path) -> list[list[str]]:
    """Return process, module, name and types of each function that was compiled."""
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def test_two_processes_compile_each_function_once_and_nothing_comes_out_otherwise(tmp_path: Path) -> None:
    changes = {"two": "", "one": ONE_PROCESSOR, "killed": KILLED}
    for name, change in changes.items():
        program = begin(tmp_path / name, change, *TRAIN)
        _, told = program.communicate(timeout=300)
        assert program.returncode == 0, told
    times = Counter(tuple(line[1:]) for line in compiled(tmp_path / "two"))
    assert set(times.values()) == {1}
    assert set(times) == {tuple(line[1:]) for line in compiled(tmp_path / "one")}
    processes = {name: len({line[0] for line in compiled(tmp_path / name)}) for name in changes}
    assert processes == {"two": 2, "one": 1, "killed": 2}
    checkpoints = {(tmp_path / name / "run" / "checkpoint.safetensors").read_bytes() for name in changes}
    assert len(checkpoints) == 1


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL])
def test_the_second_process_ends_with_the_first(tmp_path: Path, way: signal.Signals) -> None:
    program = begin(tmp_path / "cut", "", *TRAIN)
    until = time.monotonic() + 120
    while len({line[0] for line in compiled(tmp_path / "cut")}) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    (helper,) = {int(line[0]) for line in compiled(tmp_path / "cut")} - {program.pid}
    # As a terminal does on Ctrl-C: to all; killed is the first alone.
    os.killpg(program.pid, way) if way is signal.SIGINT else program.kill()
    program.communicate(timeout=60)
    until = time.monotonic() + 10
    while Path(f"/proc/{helper}").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
