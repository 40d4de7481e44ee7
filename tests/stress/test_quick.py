"""The stress scripts in their quick form: what docs/reliability.md tells of thousands, for some of each."""

import subprocess
import sys
from pathlib import Path

import numba
import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize(
    "words",
    [
        ("kill.py", "--kills", "24", "--spawned", "0", "--seed", "3"),
        ("mutate.py", "--mutants", "400", "--seed", "3"),
    ],
    ids=["kills", "mutants"],
)
def test_nothing_is_lost_and_nothing_silent(words: tuple[str, ...]) -> None:
    if numba.config.DISABLE_JIT:
        pytest.skip("hundreds of trainings need compiled code")
    done = subprocess.run(
        [sys.executable, FOLDER / words[0], *words[1:]], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "| all |" in done.stdout
