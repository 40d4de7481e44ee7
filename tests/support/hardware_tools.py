"""Simulators and synthesis: whether they are here, and exported circuits handed to them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hw_sim.export.files import Files, write_files


def require(*programs: str) -> None:
    """Skip the test where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(
            f"{' and '.join(missing)} not found; Debian has it: apt-get install -y {' '.join(missing)}"
        )


def make(folder: Path, target: str) -> tuple[int, str]:
    """Run a target of an exported circuit's Makefile; return its exit code and what it printed."""
    done = subprocess.run(["make", "-s", target], cwd=folder, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout + done.stderr


def written(files: Files, folder: Path) -> Path:
    """Write an export into `folder`, and return that."""
    write_files(files, folder)
    return folder


def change_a_weight(folder: Path) -> None:
    """Flip the lowest bit of a weight in the middle of weights.mem."""
    path = folder / "weights.mem"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = len(lines) // 2
    lines[place] = f"{int(lines[place], 16) ^ 1:0{len(lines[place])}x}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
