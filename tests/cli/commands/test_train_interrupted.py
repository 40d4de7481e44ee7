"""That no interruption of `retronet train` changes a byte, and what it says."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from retronet.runs.checkpoint import load_checkpoint
from retronet.training.train import Training

Call = Callable[..., Result]
KEPT = ("run.json", "epochs.jsonl", "checkpoint.safetensors")
PASSES = 40
# A shell that puts a suite of tests into the background lets it, and what it starts, ignore Ctrl-C.
WITH_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from retronet_cli.main import main; main()"
)


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in KEPT}


@pytest.fixture
def train(call: Call, tiny_network: Path, compiled: None) -> Call:  # noqa: ARG001
    """Train the small network on the embedded digits."""

    def begin(folder: Path, *arguments: object) -> Result:
        return call("train", "--data", "digits5k", "--network", tiny_network, "--run", folder, *arguments)

    return begin


@pytest.fixture(scope="module")
def uninterrupted(
    call: Call,
    tiny_network: Path,
    tmp_path_factory: pytest.TempPathFactory,
    compiled: None,  # noqa: ARG001
) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    begin = ("train", "--data", "digits5k", "--network", tiny_network, "--passes", PASSES)
    assert call(*begin, "--run", folder).exit_code == 0
    return content(folder)


def stopped(
    folder: Path, network: Path, after: int, wait_seconds: float, with_signal: int
) -> tuple[int, str, str]:
    """Begin a run in a process of its own, stop it some time after a pass; return code and output."""
    begin = ["--data", "digits5k", "--network", network, "--passes", str(PASSES), "--run", folder]
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_CTRL_C, "train", *begin],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 120
    lines = 0
    while lines < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
        path = folder / "epochs.jsonl"
        lines = path.read_bytes().count(b"\n") if path.exists() else 0
    time.sleep(wait_seconds)
    process.send_signal(with_signal)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("moment", range(3))
def test_a_killed_run_goes_on_to_the_same_bytes(
    call: Call, tiny_network: Path, tmp_path: Path, uninterrupted: dict[str, bytes], moment: int
) -> None:
    """Killed outright, wherever it is: learning, scoring, writing."""
    chosen = random.Random(moment)
    folder = tmp_path / "run"
    code, out, _ = stopped(
        folder, tiny_network, chosen.randint(1, 8), chosen.uniform(0, 0.05), signal.SIGKILL
    )
    assert (code, out) == (-signal.SIGKILL, "")
    assert (folder / "epochs.jsonl").read_bytes() != uninterrupted["epochs.jsonl"]

    result = call("train", "--resume", folder)

    assert result.exit_code == 0, result.stderr
    assert content(folder) == uninterrupted


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_says_how_to_go_on(
    call: Call, tiny_network: Path, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    folder = tmp_path / "run"
    code, out, err = stopped(folder, tiny_network, 3, 0.01, signal.SIGINT)
    said = re.search(
        r"Interrupted\. Passes 1 to (\d+) are kept\. Go on with: retronet train --resume (.+)", err
    )

    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert said is not None, err
    # One more may be on disk: the interruption can come between its last byte and the note of it.
    passes = load_checkpoint(folder / "checkpoint.safetensors").header.passes
    assert passes - 1 <= int(said[1]) <= passes < PASSES
    assert said[2] == str(folder)
    assert call("train", "--resume", said[2]).exit_code == 0
    assert content(folder) == uninterrupted


def test_an_interruption_before_the_first_pass_says_so_too(
    train: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Training, "run", interrupt)
        result = train(tmp_path / "run", "--passes", 1)

    assert (result.exit_code, result.stdout) == (130, "")
    assert f"Go on with: retronet train --resume {tmp_path / 'run'}" in result.stderr
    assert "Passes 1 to" not in result.stderr
