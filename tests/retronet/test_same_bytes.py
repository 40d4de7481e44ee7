"""The same bytes on every x86-64 processor: code compiled for others, numpy and the C library held back."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numba
import pytest
from llvmlite.binding import get_host_cpu_features

pytestmark = [
    pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled"),
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64"), reason="the promise is for x86-64 processors"
    ),
]

PROGRAM = Path(__file__).parents[1] / "support" / "same_bytes.py"
TARGETS = {
    # LLVM's name: what the processor here must have to run its code
    "haswell": ("avx2", "fma", "bmi2"),
    "znver3": ("avx2", "fma", "sha", "vaes", "vpclmulqdq"),
    "skylake-avx512": ("avx512f", "avx512bw", "avx512dq", "avx512vl"),
    "x86-64-v2": (),
}


HERE, HELD_BACK = "here", "held back"
Digests = dict[str, str]


def held_back() -> dict[str, str]:
    """Return settings without what numpy dispatches and glibc chooses by processor; BLAS for one of 2008."""
    from numpy._core import _multiarray_umath as umath

    enabled = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name, False)]
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(enabled),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F",
        "OPENBLAS_CORETYPE": "Nehalem",
    }


def missing(target: str) -> list[str]:
    """Return what the processor here lacks to run code for another."""
    features = get_host_cpu_features()
    return [name for name in TARGETS[target] if not features.get(name, False)]


def digests(cache: Path, settings: Mapping[str, str]) -> Digests:
    """Return the digests that a process with these settings finds; a setting may change nothing."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[Digests]"]]:
    """Yield the digests of each process by name as they come, from as many at a time as there are cores.

    All compile into one folder. Last is the one that runs the code for the processor here once more.
    """
    settings: dict[str, dict[str, str]] = {HERE: {}}
    for target in TARGETS:
        if not missing(target):
            settings[target] = {"NUMBA_CPU_NAME": target, "NUMBA_CPU_FEATURES": ""}
    settings[HELD_BACK] = held_back()
    cache = tmp_path_factory.mktemp("code")
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(settings))) as pool:
        yield {name: pool.submit(digests, cache, chosen) for name, chosen in settings.items()}


def assert_same(found: Mapping[str, str], here: Mapping[str, str]) -> None:
    assert found.keys() == here.keys()
    assert [name for name in here if found[name] != here[name]] == []


@pytest.mark.parametrize("target", TARGETS)
def test_code_for_other_processors(target: str, processes: dict[str, "Future[Digests]"]) -> None:
    """x86-64-v2 has no fused multiply-add: the C library does them there, one rounding each."""
    if target not in processes:
        lacking = ", ".join(missing(target))
        pytest.skip(f"this processor can not run code for {target}: it has no {lacking}")

    assert_same(processes[target].result(), processes[HERE].result())


def test_numpy_and_the_c_library_without_vector_instructions(
    processes: dict[str, "Future[Digests]"],
) -> None:
    program = "import numpy as np; print(np.exp(np.linspace(-9, 9, 999)).tobytes().hex()[-40:])"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **held_back()}, capture_output=True, check=True
    )
    assert done.stderr == b""  # numpy warns of names that it does not know

    assert_same(processes[HELD_BACK].result(), processes[HERE].result())
