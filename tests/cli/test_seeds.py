"""Several seeds from the command line: a table, and an interruption that says one word and loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


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
