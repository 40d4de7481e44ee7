"""Runs the blocks of pages, each page in a folder of its own."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

REPOSITORY = Path(__file__).parents[2]
LINKED = ("tests", "docs", "benchmarks")
"""What of the repository a page's folder has: a page may name its files."""
LIMIT = 900
"""Seconds that one command may take."""

Outcome = tuple[int, str]
"""An exit code, and what was printed."""


class Kitchen:
    """What the folders of all pages share: the programs on their PATH, and what was trained once."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        self.folder = folder
        self._kept: dict[str, tuple[Path, Outcome]] = {}
        self._locks: dict[str, Lock] = {}
        programs = folder / "programs"
        programs.mkdir()
        for name, words in {"retronet": "-P -m retronet_cli ", "python": ""}.items():
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n', encoding="utf-8")
            program.chmod(0o755)
        path = [str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ours = {
            "PATH": os.pathsep.join(path),
            "COLUMNS": "80",
            "RETRONET_OFFLINE": "1",
            "RETRONET_DATA_DIR": str(data_dir.resolve()),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }
        without = ("RETRONET_RUNS_DIR", "NO_COLOR", "FORCE_COLOR", "PYTHONWARNINGS")
        self.environment = {k: v for k, v in os.environ.items() if k not in without} | ours

    def new_folder(self, name: str) -> Path:
        """Return a page's folder, with the repository's own beside what the page makes."""
        folder = self.folder / "pages" / name.replace("/", "-")
        folder.mkdir(parents=True)
        for linked in LINKED:
            (folder / linked).symlink_to(REPOSITORY / linked)
        return folder

    def bash(self, command: str, folder: Path) -> Outcome:
        """Run `command` in `folder`."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def train(self, command: str, folder: Path) -> Outcome:
        """Run a command that trains; one that another page trained with, word for word, is not run again.

        Its run is copied as it was made in an empty folder; what names a file of the page is run there.
        """
        if any((folder / word).exists() for word in shlex.split(command)):
            return self.bash(command, folder)
        with self._locks.setdefault(command, Lock()):
            if command not in self._kept:
                empty = Path(tempfile.mkdtemp(dir=self.folder))
                self._kept[command] = empty, self.bash(command, empty)
        made, outcome = self._kept[command]
        # Not with the old times: the run that was trained last is the latest.
        shutil.copytree(made, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
        return outcome

    @contextmanager
    def python(self, folder: Path) -> Iterator["Python"]:
        """Start a Python in `folder`, for one page's blocks."""
        with subprocess.Popen(
            [sys.executable, Path(__file__).with_name("page_python.py")],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            yield Python(process)
            process.kill()


class Python:
    """A running Python that keeps the names of one block for the next."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, code: str) -> Outcome:
        """Run a block; the exit code is 1 after an exception."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        ended, printed = json.loads(self._process.stdout.readline())
        return int(ended), str(printed)
