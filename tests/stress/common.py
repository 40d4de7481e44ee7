"""What the stress scripts share: a small network and few digits, and commands run in forked processes.

One process imports and compiles everything once; each command then runs in a fork of it, as it would in a
process of its own, but for the seconds that imports take.
"""

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

NETWORK = """
name = "tiny"
title = "A small one"
input = [1, 16, 16]
[[layers]]
kind = "conv"
name = "h1"
maps = 2
kernel = 6
stride = 5
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
"""
TRAIN, TEST = 300, 100
"""Digits of each half, the first of the embedded sample."""
MODULES = ("retronet.datasets", "retronet.studies.seeds", "hw_sim.studies.sweep")
PROGRAM = "from retronet_cli.start import main; main()"


def use_few_digits() -> None:
    """Let every command of this process see the first digits of the embedded sample only."""
    from retronet import datasets

    whole = datasets.load

    def load(*arguments: Any, **named: Any) -> Any:
        digits = whole(*arguments, **named)
        return replace(digits, train=_first(digits.train, TRAIN), test=_first(digits.test, TEST))

    for name in MODULES:
        module = importlib.import_module(name)
        if getattr(module, "load", None) is whole:
            module.load = load  # type: ignore[attr-defined]


def _first(half: Any, count: int) -> Any:
    return replace(half, images=half.images[:count], labels=half.labels[:count])


def fork(arguments: Sequence[str], folder: Path, said: Path) -> int:
    """Begin a command in a fork of this process, in `folder`, what it says going to `said`; return its id."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.chdir(folder)
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        from retronet_cli.main import cli

        cli(list(arguments), prog_name="retronet")
    except SystemExit as ended:
        code = int(ended.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        os.write(2, f"Traceback: {error!r}\n".encode())
    finally:
        os._exit(code)


def run_here(arguments: Sequence[str], folder: Path) -> Result:
    """Run a command in this process, in `folder`."""
    from retronet_cli.main import cli

    with chdir(folder):
        return CliRunner().invoke(cli, list(arguments))


def wait(process: int, seconds: float) -> int | None:
    """Return the exit code, or minus the signal, of a process; None if it does not end in time."""
    until = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            return None
        time.sleep(0.0005)


def kill(process: int) -> None:
    """End a process outright."""
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    shown = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(heads), rule, *shown])


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
