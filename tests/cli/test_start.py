"""Ctrl-C at any moment, imports of the program included: one word, the code for it, no traceback."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPT = """
import os, signal, sys

class Interrupt:
    "Sends SIGINT to this process when a module is looked for."
    def find_spec(self, name, *arguments):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""
LOST = """
import os, signal, sys, time
from retronet.training.train import Training

class Last:
    "Sends SIGINT where Python loses what the handler raises: in a destructor."
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

whole = Training.run

def run(self, *arguments):
    for number, step in enumerate(whole(self, *arguments)):
        if number == 3:
            Last()
        yield step

Training.run = run
"""
PROGRAM = "from retronet_cli.start import main; main()"


def interrupted(preparation: str, *arguments: object) -> tuple[int, str, str]:
    """Run `retronet` in a process that a signal of its own ends; return code and output."""
    done = subprocess.run(
        [sys.executable, "-c", preparation + PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "retronet_cli.main",
        "click",
        "retronet.errors",
        "retronet_cli.commands.train",
        "numba",
        "rich.progress",
    ],
)
def test_an_interruption_while_the_program_is_imported(tmp_path: Path, module: str) -> None:
    code, out, err = interrupted(
        INTERRUPT.format(module=module), "train", "--data", "digits5k", "--run", tmp_path / "run"
    )

    assert (code, out) == (130, "")
    assert err.count("Interrupted.") == 1
    assert "Traceback" not in err


@pytest.mark.usefixtures("compiled")
def test_an_interruption_that_python_loses_comes_again(tiny_network: Path, tmp_path: Path) -> None:
    code, out, err = interrupted(
        LOST, "train", "--data", "digits5k", "--network", tiny_network, "--run", tmp_path / "run"
    )

    assert (code, out) == (130, "")
    assert "Go on with: retronet train --resume" in err
    assert "Traceback" not in err
    assert "ignored" not in err


def test_where_interruptions_are_ignored_they_stay_so(tmp_path: Path) -> None:
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    words = INTERRUPT.format(module="click").replace("import os", f"{ignoring}import os", 1)
    code, out, _ = interrupted(words, "show", "recipes")

    assert code == 0
    assert "lecun1989" in out
    assert tmp_path.exists()
