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


def as_on(processor: str) -> dict[str, str]:
    """Return the environment in which numba and numpy do as they would on `processor`, and no more."""
    without = [
        name
        for name in dispatched()
        if processor == "x86-64-v2" or (processor != "skylake-avx512" and ("AVX512" in name or "V4" in name))
    ]
    environment = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    return environment | ({"NPY_DISABLE_CPU_FEATURES": " ".join(without)} if without else {})


def dispatched() -> list[str]:
    """Return the sets of instructions that this numpy chooses by processor, and that this one has."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
