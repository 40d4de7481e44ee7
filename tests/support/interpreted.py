"""Runs a module of this folder with compiled kernels and with interpreted ones."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def printed_by(module: str, timeout: int = 300, **environment: str) -> str:
    """Return what ``python -m support.<module>`` prints in `environment` added to this one."""
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", f"support.{module}"],
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
    )
    return done.stdout


def compiled_and_interpreted(module: str) -> tuple[str, str]:
    """Return what `module` prints with compiled kernels, and with interpreted ones."""
    return printed_by(module, NUMBA_DISABLE_JIT="0"), printed_by(module, NUMBA_DISABLE_JIT="1")
