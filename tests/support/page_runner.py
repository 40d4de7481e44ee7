"""Runs the blocks of pages, each page in a folder of its own."""

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LINKED = ("tests", "docs", "benchmarks", "hw_sim", "pyproject.toml")
"""What of the repository a page's folder has: a page may name its files."""
LIMIT = 900
"""Seconds that one command may take."""


class Kitchen:
    """What the folders of all pages share: the programs on their PATH, and what was trained once."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        self.folder = folder
        self.kept: dict[str, tuple[Path, str]] = {}
        programs = folder / "programs"
        programs.mkdir()
        for name, words in {"retronet": "-m retronet_cli ", "python": ""}.items():
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

    def bash(self, command: str, folder: Path) -> tuple[int, str]:
        """Run `command` in `folder`; return its exit code and what it printed."""
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

    def train(self, command: str, folder: Path) -> tuple[int, str]:
        """Run a command that trains; one that an earlier page trained with, word for word, is not run again.

        Its run is copied as it was made in an empty folder; what names a file of the page is run there.
        """
        if any((folder / word).exists() for word in shlex.split(command)):
            return self.bash(command, folder)
        if command not in self.kept:
            made = self.folder / f"made-{len(self.kept)}"
            made.mkdir()
            code, printed = self.bash(command, made)
            if code:
                return code, printed
            self.kept[command] = (made, printed)
        made, printed = self.kept[command]
        # Not with the old times: the run that was trained last is the latest.
        shutil.copytree(made, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
        return 0, printed


def new_folder(kitchen: Kitchen, name: str) -> Path:
    """Return a page's folder, with the repository's own beside what the page makes."""
    folder = kitchen.folder / "pages" / name.replace("/", "-")
    folder.mkdir(parents=True)
    for linked in LINKED:
        (folder / linked).symlink_to(REPOSITORY / linked)
    return folder


def run_python(code: str, names: dict[str, Any], folder: Path, where: str) -> tuple[int, str]:
    """Run `code` in `folder` with `names`, as a notebook's cell; return 0 or 1, and what it printed."""
    printed = io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of torch's own parts
        try:
            exec(compile(code, where, "exec"), names)
        except Exception:
            traceback.print_exc(file=printed)
            return 1, printed.getvalue()
    return 0, printed.getvalue()
